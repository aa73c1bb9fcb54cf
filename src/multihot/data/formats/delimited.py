"""CSV and TSV files, with a header line or without one."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .limits import check_line, limit
from .opening import suffix_of, text_lines
from .reading import Options, Reading, at_line, left_out_lines
from .records import Records, read_records

SEPARATORS = ",\t;|"
HEADER_TAKEN = "The first line was taken as the header; if it is a row, say header=False (--set data.header=false): columns are 1, 2 ..."
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
LONGEST_NAME = 4  # words of a column's name; a sentence has more


def read_delimited(path: Path, options: Options) -> Reading:
    """Read a CSV or TSV file, plain or compressed; what separates its columns is found in the header line.

    Raises:
        DataError: for a header that names a column twice, or a row of another length, naming the line; saying so where the header looks
            like a row.
    """
    notes: list[str] = []
    try:
        return read_records(path, options, lambda: records(path, options, notes), notes)
    except DataError as error:
        if options.header and HEADER_TAKEN not in str(error) and _begins_with_a_row(path, options):
            raise DataError(f"{error}. {HEADER_TAKEN}") from error
        raise


def separator_of(header: str, suffix: str = "") -> str:
    """The sign that separates the columns: the most frequent one of the header line outside quotes.

    >>> separator_of('id;"text, or so";labels')
    ';'
    """
    if suffix in (".tsv", ".tab"):
        return "\t"
    unquoted = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=unquoted.count)


def records(path: Path, options: Options, notes: list[str] | None = None) -> Records:
    """(place, record) of every row, opened anew; lines that are left out are noted."""
    longest = limit("MULTIHOT_MAX_LINE_BYTES")
    csv.field_size_limit(longest)  # the limit of 128 KiB that the csv module starts with is shorter than a long document
    lines = text_lines(path, options.encoding)
    first = next(lines, "")
    reader = csv.reader(_again(first, lines), delimiter=separator_of(first, suffix_of(path)), strict=True)
    empty: list[int] = []
    last = 0
    try:
        begin = next(reader, [])
        header = [name.strip() for name in begin] if options.header else [str(number) for number in range(1, len(begin) + 1)]
        _check_header(path, header)
        for cells in reader if options.header else itertools.chain([begin], reader):
            if not cells:
                empty.append(reader.line_num)
                continue
            last = reader.line_num
            where = at_line(path, last)
            if len(cells) != len(header):
                told = "header names" if options.header else "first line has"
                raise DataError(f"{where}: {len(cells)} cells where the {told} {len(header)} columns; quote cells that hold separators")
            yield where, dict(zip(header, cells, strict=True))
        if notes is not None:
            notes += left_out_lines(empty, last)
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


def _begins_with_a_row(path: Path, options: Options) -> bool:
    """Whether the first line looks like a row: it holds a number, the same cell twice, or a sentence."""
    first = next(text_lines(path, options.encoding), "")
    try:
        cells = [cell.strip() for cell in next(csv.reader([first], delimiter=separator_of(first, suffix_of(path))), [])]
    except csv.Error:
        return False
    named = [cell for cell in cells if cell]
    return len(set(named)) < len(named) or any(NUMBER.fullmatch(cell) or len(cell.split()) > LONGEST_NAME for cell in named)


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
