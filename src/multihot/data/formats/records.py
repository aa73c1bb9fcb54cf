"""Turns the records of a CSV, JSON Lines or Parquet file into rows, once it is known which column is what."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from .axes import axis_of, label_of
from .columns import Columns, resolve
from .distributions import around_mean, axis_around, distribution, measured, parse_distribution
from .label_cells import parse_cell, parse_flags, unite
from .named_files import NamedFiles
from .picture_files import Named, completed_name, folders_beside, with_pictures
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
    notes: list[str] = []
    columns = resolve(sample, names, options, str(path), notes)
    if columns.mean_spread and not options.labels:
        options = replace(options, labels=axis_around(_means(columns.mean_spread, records())))
    labels = _distributions(columns, options, str(path)) if options.distribution else _label_sets(columns, options)
    files = NamedFiles(folders_beside(path)) if columns.image else None
    rows: Iterator[Row] = (row for _, row in _rows(columns, labels, records()))
    if files is not None:
        rows = with_pictures(_named(columns, _rows(columns, labels, records()), path), files, options)
    axis = axis_of(options.labels, str(path)) if options.distribution == "mean_spread" and options.labels else ()
    return Reading(
        modality="text" if columns.text else "image" if columns.image else "table",
        rows=rows,
        options=columns.options(options),
        declared_labels=list(columns.flags) or [label_of(position) for position in axis] or None,
        num_features=len(columns.features) or None,
        feature_names=list(columns.features) or None,
        columns=names,
        named=[files] if files else [],
        degrees="distribution" if options.distribution else "membership",
        notes=notes,
    )


def _named(columns: Columns, rows: Records, path: Path) -> Iterator[Named]:
    """Rows whose pictures are still names; a row without an id is named after its picture."""
    folders = folders_beside(path)
    for where, row in rows:
        picture = row.pop("image")
        if isinstance(picture, int) and not isinstance(picture, bool):
            picture = str(picture)
        if not isinstance(picture, str):
            raise DataError(f"{where}: '{columns.image}' is {picture!r}, not the name of a picture file; fill it in")
        yield Named(where, completed_name(picture, folders) or picture.strip(), {"id": picture.strip()} | row)


def _rows(columns: Columns, labels: Callable[[Row, str], Row], records: Records) -> Records:
    for where, record in records:
        row: Row = {}
        if columns.id:
            row["id"] = _identity(record.get(columns.id), where)
        if columns.split:
            row["split"] = split_named(record.get(columns.split), where)
        if columns.text:
            row["text"] = "\n".join(part for name in columns.text if (part := _text(record.get(name), name, where)))
        elif columns.image:
            row["image"] = record.get(columns.image)
        else:
            row["features"] = numbers([record.get(name) for name in columns.features], columns.features, where)
        yield where, row | labels(record, where)


def _label_sets(columns: Columns, options: Options) -> Callable[[Row, str], Row]:
    """What makes (record, place) the labels of a row."""

    def label_set(record: Row, where: str) -> Row:
        if columns.flags:
            return parse_flags({name: record.get(name) for name in columns.flags}, where, options.uncertain, options.blank)
        if columns.united:
            return unite([record.get(name) for name in columns.united], where)
        cell = record.get(columns.label_set) if columns.label_set else None
        row = parse_cell(cell, columns.delimiter, where)
        if columns.degrees:
            row.setdefault("label_values", [1.0] * len(row["labels"] or ()))
        return row

    return label_set


def _distributions(columns: Columns, options: Options, path: str) -> Callable[[Row, str], Row]:
    """What makes (record, place) the label distribution of a row."""
    axis = axis_of(options.labels, path) if columns.mean_spread and options.labels else None
    kind = options.distribution or ""

    def label_distribution(record: Row, where: str) -> Row:
        if columns.mean_spread and axis is not None:
            mean, spread = (record.get(name) for name in columns.mean_spread)
            return around_mean(mean, spread, axis, where)
        if columns.flags:
            return distribution({name: record.get(name) for name in columns.flags}, kind, where)
        cell = record.get(columns.label_set) if columns.label_set else None
        if cell is None and not options.require_labels:
            return {"labels": None, "label_values": None}
        return parse_distribution(cell, kind, columns.delimiter, where)

    return label_distribution


def _means(columns: tuple[str, str], records: Records) -> Iterator[tuple[float, float]]:
    for where, record in records:
        yield measured(record.get(columns[0]), "mean", where), measured(record.get(columns[1]), "spread", where)


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


def split_named(value: Any, where: str) -> str:
    """The split that a cell names.

    Raises:
        DataError: if it names none.
    """
    name = SPLIT_NAMES.get(str(value).strip().lower())
    if name is None:
        raise DataError(f"{where}: the split is {value!r}; allowed are {', '.join(sorted(SPLIT_NAMES))}")
    return name
