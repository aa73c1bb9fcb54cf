"""COCO-MLT: MS-COCO with a long tail, beside the user's copy of the photographs."""

from .entry import CatalogEntry, files

ENTRY = CatalogEntry(
    name="coco-mlt",
    title="COCO-MLT: a long-tailed cut of MS-COCO 2017, tested on its validation images",
    modality="image",
    origin="https://github.com/wutong16/DistributionBalancedLoss (lists), https://cocodataset.org (photographs)",
    licence="lists: Apache-2.0 (LMPT); the photographs come from Flickr under its terms",
    citation="Wu et al., Distribution-Balanced Loss for Multi-Label Classification in Long-Tailed Datasets, ECCV 2020",
    rows={"train": 1909, "test": 5000},
    labels=80,
    cardinality=3.321,
    format="image-list",
    files=files(
        """
a16d52dc65d8bc2b7abe5875199d802e951b7af142b327f8c85b496116a87f45 929 coco_labels.txt
4dda722463b0ed3aada172ce1c75f46f1391e4d2bee7643760549f916a8022e5 164352 coco_lt_test.txt
8e0c354ae2214d7ced46f4a5ae24236149296be4dcd2df74f00eba2abe6be0ce 76702 coco_lt_train.txt
""",
        address="https://github.com/richard-peng-xia/LMPT/raw/aab39cac/data/coco",
    ),
    pictures=("train2017", "val2017"),
    folder="coco_mlt",
    note="Lists only: --from names the folder that holds train2017 and val2017; they are linked, so leave them where they are.",
)
