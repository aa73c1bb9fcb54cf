"""GoEmotions: Reddit comments and the emotions in them."""

from .entry import CatalogEntry, files

ENTRY = CatalogEntry(
    name="goemotions",
    title="GoEmotions: Reddit comments with 27 emotions or neutral",
    modality="text",
    origin="https://github.com/google-research/google-research/tree/master/goemotions",
    licence="CC BY 4.0 (Google Research)",
    citation="Demszky et al., GoEmotions: A Dataset of Fine-Grained Emotions, ACL 2020",
    rows={"train": 43410, "validation": 5426, "test": 5427},
    labels=28,
    cardinality=1.176,
    format="goemotions",
    files=files(
        """
1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5 3519053 train.tsv
575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62 439059 dev.tsv
0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4 436706 test.tsv
45c3ef86782d2a4d7fedcd6d8c111aa0d0e94720689bd164fac94fefb4495a89 248 labels.txt
""",
        address="https://github.com/monologg/GoEmotions-pytorch/raw/b75f9d3a/data/original",
    ),
    folder="goemotions",
)
