"""LibSVM files and those of the extreme classification repository: ``label,label feature:value feature:value``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import DataError
from .limits import check_declared
from .opening import text_lines
from .reading import Options, Reading, Row, at_line, distinct

HEADER = re.compile(r"\s*(\d{1,18})\s+(\d{1,18})\s+(\d{1,18})\s*$")
MOST_FEATURES = 2**31 - 1  # what a sparse matrix can number
LINE = re.compile(r"\s*([^\s:#]+(\s|$))?(\s*\d+:\S+)*\s*(#.*)?$")


def read_libsvm(path: Path, options: Options) -> Reading:
    """Read a LibSVM file, or one with the header line ``rows features labels`` of the extreme classification repository.

    Features keep the numbers that the file gives them (``index_base=1`` renumbers a file that counts from 1), so that the
    training file and a later file always agree; without a header the highest number seen says how many there are.

    Raises:
        DataError: for a pair that is not ``number:value``, or a number outside the header's range, naming the line; for more features or
            labels than a file of that size can say anything about.
    """
    header = HEADER.match(next(text_lines(path, options.encoding), ""))
    features, labels = (int(header[2]), int(header[3])) if header else (None, None)
    for what, count in (("features", features), ("labels", labels)):
        _check_count(count or 0, what, path, 1)
    notes: list[str] = []
    return Reading(
        modality="table",
        rows=_rows(path, options, features, int(header[1]) if header else None, notes),
        options=options,
        declared_labels=[str(label) for label in range(labels)] if labels is not None else None,
        num_features=features,
        columns=("labels", "index:value"),
        notes=notes,
    )


def _rows(path: Path, options: Options, features: int | None, promised: int | None, notes: list[str]) -> Iterator[Row]:
    """The rows; where a header promises their number, an empty line is a row without labels and features, and all must be there."""
    highest, count, skip = -1, 0, 0 if promised is None else 1
    empty: list[int] = []
    for number, line in enumerate(text_lines(path, options.encoding), start=1):
        content = line.split("#", 1)[0]
        if number > skip and not content.strip() and promised is None:
            empty.append(number)
        if number > skip and (content.strip() or (promised is not None and count < promised)):
            count += 1
            row = _row(content, at_line(path, number), options.index_base, features)
            if features is None and row["indices"].max(initial=-1) > highest:
                highest = int(row["indices"].max())
                _check_count(highest + 1, "features", path, number)
            yield row
    if empty:
        notes.append(f"{len(empty):,} empty lines are left out, the first is line {empty[0]}; rows without an id are numbered without them")
    if promised is not None and count != promised:
        raise DataError(f"{path}: its header promises {promised:,} rows, but it holds {count:,}; get the file again, or correct the header")


def _check_count(count: int, what: str, path: Path, line: int) -> None:
    if count > MOST_FEATURES:
        raise DataError(f"{at_line(path, line)}: {count} {what}; allowed are at most {MOST_FEATURES}")
    check_declared(count, what, path.stat().st_size, at_line(path, line))


def _row(content: str, where: str, base: int, features: int | None) -> Row:
    pairs = content.split()
    labels = [] if not pairs or content[0].isspace() or ":" in pairs[0] else pairs.pop(0).split(",")
    try:
        split = [pair.split(":") for pair in pairs]
        indices = np.array([index for index, _ in split], dtype=np.int64) - base
        values = np.array([value for _, value in split], dtype=np.float32)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: every part after the labels must read number:value ({error})") from error
    top = features if features is not None else MOST_FEATURES
    if len(indices) and not (indices.min() >= 0 and indices.max() < top):
        raise DataError(f"{where}: feature {indices.min() + base} to {indices.max() + base}; allowed are {base} to {top - 1 + base}")
    if not np.isfinite(values).all():
        raise DataError(f"{where}: a feature value is not finite; correct it, or leave the feature out")
    if len(np.unique(indices)) != len(indices):
        raise DataError(f"{where}: a feature is given twice; give every feature once")
    return {"labels": distinct([label.strip() for label in labels if label.strip()]), "indices": indices.astype(np.int32), "values": values}
