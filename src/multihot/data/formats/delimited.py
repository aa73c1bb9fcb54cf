"""CSV and TSV files with a header line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .limits import check_line, limit
from .opening import suffix_of, text_lines
from .reading import Options, Reading, at_line
from .records import Records, read_records

SEPARATORS = ",\t;|"


def read_delimited(path: Path, options: Options) -> Reading:
    """Read a CSV or TSV file, plain or compressed; what separates its columns is found in the header line.

    Raises:
        DataError: for a header that names a column twice, or a row of another length, naming the line.
    """
    return read_records(path, options, lambda: records(path, options))


def separator_of(header: str, suffix: str = "") -> str:
    """The sign that separates the columns: the most frequent one of the header line outside quotes.

    >>> separator_of('id;"text, or so";labels')
    ';'
    """
    if suffix in (".tsv", ".tab"):
        return "\t"
    unquoted = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=unquoted.count)


def records(path: Path, options: Options) -> Records:
    """(place, record) of every row, opened anew."""
    longest = limit("MULTIHOT_MAX_LINE_BYTES")
    csv.field_size_limit(longest)  # the limit of 128 KiB that the csv module starts with is shorter than a long document
    lines = text_lines(path, options.encoding)
    first = next(lines, "")
    reader = csv.reader(_again(first, lines), delimiter=separator_of(first, suffix_of(path)), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        for cells in reader:
            if not cells:
                continue
            where = at_line(path, reader.line_num)
            if len(cells) != len(header):
                raise DataError(
                    f"{where}: {len(cells)} cells where the header names {len(header)} columns; quote cells that hold separators"
                )
            yield where, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        if "field limit" in str(error):
            check_line(longest + 1, at_line(path, reader.line_num), "a cell")
        raise DataError(
            f"{at_line(path, reader.line_num)}: broken row ({error}); quote cells that hold separators, and double quotes within them"
        ) from error


def _check_header(path: Path, header: list[str]) -> None:
    twice = [name for i, name in enumerate(header) if name in header[:i]]
    if twice:
        raise DataError(f"{path}: line 1: column '{twice[0]}' is named twice; every column needs a name of its own")


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
