"""Data sets made of Python objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DataError, nearest
from .dataset import MultiLabelData

MODALITIES = {"text": "text", "features": "table", "image": "image"}


def from_rows(rows: Sequence[Mapping[str, Any]], name: str = "rows") -> MultiLabelData:
    """A data set out of mappings, all of it a training split.

    Args:
        rows: each with one input column, ``text`` (a string), ``features`` (numbers) or ``image`` (an encoded picture), and with
            ``labels`` (a list of names) where the row is labelled; ``id`` is the row's number if it is left out.
        name: what to call it.

    Returns:
        The data set.

    Raises:
        DataError: if there are no rows, or the input is missing or of the wrong kind in one of them.

    >>> data = from_rows([{"text": "wheat rises", "labels": ["grain", "wheat"]}, {"text": "no news", "labels": []}])
    >>> data.modality, data.label_space().names
    ('text', ('grain', 'wheat'))
    """
    import datasets

    if not rows:
        raise DataError(f"{name}: there is not a single row")
    column = next((key for key in MODALITIES if key in rows[0]), None)
    if column is None:
        raise DataError(f"{name}: row 1 has {', '.join(rows[0]) or 'nothing'}, but needs one of {', '.join(MODALITIES)}")
    full = [{"id": str(row.get("id", i)), "labels": row.get("labels"), column: _input(row, column, i, name)} for i, row in enumerate(rows)]
    if len({row["id"] for row in full}) != len(full):
        raise DataError(f"{name}: two rows have the same id; ids must be distinct, or left out")
    kinds = {"text": datasets.Value("string"), "features": datasets.List(datasets.Value("float32")), "image": datasets.Value("binary")}
    features = {"id": datasets.Value("string"), "labels": datasets.List(datasets.Value("string")), column: kinds[column]}
    split = datasets.Dataset.from_list(full, features=datasets.Features(features))
    key = hashlib.sha256(json.dumps(full, default=repr).encode()).hexdigest()
    width = len(full[0]["features"]) if column == "features" else None
    return MultiLabelData(name, MODALITIES[column], {"train": split}, None, key, column, num_features=width)


def _input(row: Mapping[str, Any], column: str, number: int, name: str) -> Any:
    if column not in row:
        raise DataError(f"{name}: row {number + 1} has no '{column}'; {nearest(column, row)}")
    value = row[column]
    if column == "text" and not isinstance(value, str):
        raise DataError(f"{name}: the text of row {number + 1} must be a string, got {type(value).__name__}")
    return [float(number) for number in value] if column == "features" else value
