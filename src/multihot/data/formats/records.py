"""Turns the records of a CSV, JSON Lines or Parquet file into rows, once it is known which column is what."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from .columns import Columns, resolve
from .label_cells import parse_cell, parse_flags
from .picture_files import Named, with_pictures
from .reading import SPLIT_NAMES, Options, Reading, Row

SAMPLE = 1000  # records looked at to find out what the columns hold
Records = Iterator[tuple[str, Row]]  # the place in the file, and the record found there


def read_records(path: Path, options: Options, records: Callable[[], Records]) -> Reading:
    """A reading of a file of records.

    Args:
        path: the file, for error messages.
        options: what the caller said about its columns.
        records: opens the file anew and yields (place, record).

    Raises:
        DataError: if there is no record or the columns do not fit.
    """
    sample = [record for _, record in itertools.islice(records(), SAMPLE)]
    if not sample:
        raise DataError(f"{path}: the file holds no rows; give a file with at least one")
    names = list(dict.fromkeys(name for record in sample for name in record))
    columns = resolve(sample, names, options, str(path))
    skipped: list[str] = []
    rows: Iterator[dict[str, Any]] = (row for _, row in _rows(columns, records()))
    if columns.image:
        folders = (path.parent, path.parent / "images")
        rows = with_pictures(path, _named(columns, _rows(columns, records())), folders, options, skipped)
    return Reading(
        modality="text" if columns.text else "image" if columns.image else "table",
        rows=rows,
        options=columns.options(options),
        declared_labels=list(columns.flags) or None,
        num_features=len(columns.features) or None,
        feature_names=list(columns.features) or None,
        columns=names,
        skipped=skipped,
    )


def _named(columns: Columns, rows: Records) -> Iterator[Named]:
    """Rows whose pictures are still names; a row without an id is named after its picture."""
    for where, row in rows:
        picture = row.pop("image")
        if not isinstance(picture, str):
            raise DataError(f"{where}: '{columns.image}' is {picture!r}, not the name of a picture file; fill it in")
        yield Named(where, picture.strip(), {"id": picture.strip()} | row)


def _rows(columns: Columns, records: Records) -> Records:
    for where, record in records:
        row: Row = {}
        if columns.id:
            row["id"] = _identity(record.get(columns.id), where)
        if columns.split:
            row["split"] = _split(record.get(columns.split), where)
        if columns.text:
            row["text"] = "\n".join(part for name in columns.text if (part := _text(record.get(name), name, where)))
        elif columns.image:
            row["image"] = record.get(columns.image)
        else:
            row["features"] = numbers([record.get(name) for name in columns.features], columns.features, where)
        yield where, row | _labels(columns, record, where)


def _labels(columns: Columns, record: Row, where: str) -> Row:
    if columns.flags:
        return parse_flags({name: record.get(name) for name in columns.flags}, where)
    cell = record.get(columns.label_set) if columns.label_set else None
    row = parse_cell(cell, columns.delimiter, where)
    if columns.degrees:
        row.setdefault("label_values", [1.0] * len(row["labels"] or ()))
    return row


def numbers(cells: list[Any], names: Any, where: str) -> np.ndarray:
    """Cells as 32-bit numbers; a blank, ``?`` or ``nan`` becomes NaN.

    Raises:
        DataError: for anything that is no finite number, naming the column.
    """
    values = np.empty(len(cells), dtype=np.float32)
    for i, cell in enumerate(cells):
        try:
            values[i] = np.nan if cell in (None, "", "?") else float(cell)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{where}: feature '{names[i]}' is {cell!r}, not a number; correct it, or leave the column out of features="
            ) from error
    if np.isinf(values).any():
        i = int(np.flatnonzero(np.isinf(values))[0])
        raise DataError(f"{where}: feature '{names[i]}' is {cells[i]!r}; allowed are finite 32-bit numbers, or a blank for a missing one")
    return values


def _text(value: Any, name: str, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    raise DataError(f"{where}: the text in '{name}' is {type(value).__name__}, not a string; name the column of texts with text=")


def _identity(value: Any, where: str) -> str:
    if value is None or str(value).strip() == "":
        raise DataError(f"{where}: the row has no id; fill it in, or say id='' to number the rows")
    return str(value)


def _split(value: Any, where: str) -> str:
    name = SPLIT_NAMES.get(str(value).strip().lower())
    if name is None:
        raise DataError(f"{where}: the split is {value!r}; allowed are {', '.join(sorted(SPLIT_NAMES))}")
    return name
