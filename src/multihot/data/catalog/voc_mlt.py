"""VOC-MLT: PASCAL VOC with a long tail, beside the user's copy of the photographs."""

from .entry import CatalogEntry, files

ENTRY = CatalogEntry(
    name="voc-mlt",
    title="VOC-MLT: a long-tailed cut of PASCAL VOC 2012, tested on VOC 2007",
    modality="image",
    origin="https://github.com/wutong16/DistributionBalancedLoss (lists), http://host.robots.ox.ac.uk/pascal/VOC/ (photographs)",
    licence="lists: Apache-2.0 (LMPT); the photographs come from Flickr under its terms",
    citation="Wu et al., Distribution-Balanced Loss for Multi-Label Classification in Long-Tailed Datasets, ECCV 2020",
    rows={"train": 1142, "test": 4952},
    labels=20,
    cardinality=1.637,
    format="image-list",
    files=files(
        """
59e82ce7a1fa096b8a80c22cc72e6c86e54c598b2e1cfe08a211f1c82a0dcb2c 204 voc_labels.txt
43b2929a86e9fe685cdf3b6b72fb90b6838ff9f9f427807e8b9502111e73750a 217854 voc_lt_test.txt
2111a5e58ae8b67a112a2b2c8aa98fe8fa926ac3e1d73e2e4e0e4844c90cc047 57433 voc_lt_train.txt
""",
        address="https://github.com/richard-peng-xia/LMPT/raw/aab39cac/data/voc",
    ),
    pictures=("VOCdevkit",),
    folder="voc_mlt",
    note="Lists only: --from names the folder that holds VOCdevkit with VOC2012 and VOC2007; it is linked, so leave it where it is.",
)
