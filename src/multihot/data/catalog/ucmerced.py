"""UC Merced Land Use with multiple labels."""

from .entry import CatalogEntry, files

ENTRY = CatalogEntry(
    name="ucmerced",
    title="UC Merced Land Use: aerial photographs and what they show",
    modality="image",
    origin="https://bigearth.eu/datasets.html (labels), http://weegee.vision.ucmerced.edu/datasets/landuse.html (images)",
    licence="imagery in the public domain (USGS); cite both papers",
    citation="Yang and Newsam, ACM GIS 2010; Chaudhuri et al., IEEE TGRS 2018",
    rows={"train": 1680, "test": 420},
    labels=17,
    cardinality=3.33,
    format="image-table",
    files=files(
        """
3d57b3e29e2b22d819b4158282e3b6d2722ca55f263024c23a9b45481e899a75 5849214 images_test.zip
a45af84c1443b32f4b7784f4098145e942c6bcca9474fc8e0c3afa4ce4ad5616 23309532 images_train.zip
72bcd5ebf5bb71fc822fbf26ca4da1a91ab25d8905414461d3dca1e362e4ddcb 135124 labels.csv
"""
    ),
    folder="ucmerced_multilabel",
    note="The split is no official one. This packing has no public address: get it with --from.",
)
