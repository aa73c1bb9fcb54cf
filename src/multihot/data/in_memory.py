"""Data sets made of Python objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DataError, nearest
from .dataset import MultiLabelData

MODALITIES = {"text": "text", "features": "table", "image": "image", "frames": "audio", "audio": "audio"}


def from_rows(rows: Sequence[Mapping[str, Any]], name: str = "rows") -> MultiLabelData:
    """A data set out of mappings, all of it a training split.

    Args:
        rows: each with one input column, ``text`` (a string), ``features`` (numbers), ``image`` (an encoded picture), ``frames``
            (T vectors of F numbers) or ``audio`` (an encoded recording), and with ``labels`` (a list of names) where the row is labelled;
            ``id`` is the row's number if it is left out.
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
    full = [{"id": str(row.get("id", i)), "labels": row.get("labels"), **_input(row, column, i, name)} for i, row in enumerate(rows)]
    if len({row["id"] for row in full}) != len(full):
        raise DataError(f"{name}: two rows have the same id; ids must be distinct, or left out")
    numbers, content = datasets.List(datasets.Value("float32")), datasets.Value("binary")
    kinds = {"text": datasets.Value("string"), "features": numbers, "image": content, "frames": numbers, "audio": content}
    features = {"id": datasets.Value("string"), "labels": datasets.List(datasets.Value("string")), column: kinds[column]}
    features |= {"num_frames": datasets.Value("int32")} if column == "frames" else {}
    split = datasets.Dataset.from_list(full, features=datasets.Features(features))
    key = hashlib.sha256(json.dumps(full, default=repr).encode()).hexdigest()
    widths = {"features": lambda: len(full[0]["features"]), "frames": lambda: len(rows[0]["frames"][0])}
    width = widths[column]() if column in widths else None
    return MultiLabelData(name, MODALITIES[column], {"train": split}, None, key, column, num_features=width, contents={"train": key})


def _input(row: Mapping[str, Any], column: str, number: int, name: str) -> dict[str, Any]:
    """The input's column or columns."""
    if column not in row:
        raise DataError(f"{name}: row {number + 1} has no '{column}'; {nearest(column, row)}")
    value = row[column]
    if column == "text" and not isinstance(value, str):
        raise DataError(f"{name}: the text of row {number + 1} must be a string, got {type(value).__name__}")
    if column == "frames":
        sizes = {len(frame) for frame in value}
        if len(sizes) != 1 or 0 in sizes:
            raise DataError(
                f"{name}: the frames of row {number + 1} must be vectors of one length, got lengths {sorted(sizes) or 'of none'}"
            )
        return {"frames": [float(part) for frame in value for part in frame], "num_frames": len(value)}
    return {column: [float(part) for part in value] if column == "features" else value}
