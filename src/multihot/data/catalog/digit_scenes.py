"""The data set that multihot makes itself."""

from .entry import CatalogEntry

ENTRY = CatalogEntry(
    name="digit-scenes",
    title="Digit scenes: pictures of several handwritten digits, drawn under a stated law",
    modality="image",
    origin="made at first use from the handwritten digits that scikit-learn ships (docs/digit-scenes.md)",
    licence="Apache-2.0; the digits: CC BY 4.0 (UCI)",
    citation="Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998",
    rows={"train": 4000, "validation": 1000, "test": 2000},
    labels=10,
    cardinality=None,
    made_by="multihot.data.digit_scenes",
)
