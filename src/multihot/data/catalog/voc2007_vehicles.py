"""The first photographs of VOC 2007 that show a bus, car, cat or train."""

from .entry import CatalogEntry, files

ENTRY = CatalogEntry(
    name="voc2007-vehicles",
    title="PASCAL VOC 2007: 1,907 photographs that show a bus, car, cat or train, with all 20 labels",
    modality="image",
    origin="http://host.robots.ox.ac.uk/pascal/VOC/voc2007/",
    licence="research only; the photographs come from Flickr under its terms",
    citation="Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 2010",
    rows={"train": 942, "test": 965},
    labels=20,
    cardinality=1.386,
    format="image-table",
    files=files(
        """
9bc90c8e4008de7fe192916dbefd0ea4c08c6427b31641558b245d2a964cd1b3 35307885 images_test.zip
dd817551acc96d7f9d9b41b3cec8625670dbe44549044a9f54fe5a202b880982 34437130 images_trainval.zip
ca8a42df76e72cf347fa509f09426a81c65f22af20ae35d5cd7ef77db4352062 159360 labels.csv
"""
    ),
    folder="voc2007_vehicle_cat",
    note="Objects marked difficult count as unknown. Biased to four classes; this packing has no public address: get it with --from.",
)
