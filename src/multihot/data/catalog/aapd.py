"""AAPD: abstracts of arXiv papers and their subjects, as far as their texts are at a stable address."""

from .entry import CatalogEntry, files

ENTRY = CatalogEntry(
    name="aapd",
    title="AAPD: arXiv abstracts with 54 subjects, validation and test documents only",
    modality="text",
    origin="https://github.com/lancopku/SGM",
    licence="none stated; research use",
    citation="Yang et al., SGM: Sequence Generation Model for Multi-label Classification, COLING 2018",
    rows={"train": 1000, "test": 1000},
    labels=54,
    cardinality=2.41,
    format="paired",
    files=files(
        """
0bef78b7b6a1eef0653e894658f07da0f5b248e984e2b6c254a382bc49ac7e0c 980392 text_val
03fa1ad9d56a20dc3cef73e4521092ea5a6591f8c3f64cf5cdb610bbb283ca48 16716 label_val
a8dbf21db7186e4ae074645d1e9f1966924caca97ac70e74fffba8e5a6750647 991793 text_test
0826692e4d88684243514c7dc8dee94433bf26d7595b0c292a4ee4b6ed802e83 16926 label_test
5047b0bd983227d318313ee5a476efbb71110f02f4387e6d26a9f2f0ca82f4fb 402 labels.txt
""",
        address="https://github.com/rajcscw/nlp-gym/raw/39d86066/nlp_gym/data/AAPD",
    ),
    folder="aapd",
    rename={"validation": "train"},
    note="The validation documents serve as training split. A folder that has text_train and label_train too loads by its path.",
)
