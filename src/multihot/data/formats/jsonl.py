"""JSON Lines: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

from ...errors import DataError
from .opening import text_lines
from .reading import Options, Reading, at_line, left_out_lines
from .records import Records, read_records


def read_jsonl(path: Path, options: Options) -> Reading:
    """Read a JSON Lines file, plain or compressed.

    Raises:
        DataError: for a line that is not one JSON object, naming it.
    """
    notes: list[str] = []
    return read_records(path, options, lambda: _records(path, options, notes), notes)


def _records(path: Path, options: Options, notes: list[str]) -> Records:
    empty: list[int] = []
    last = 0
    for number, line in enumerate(text_lines(path, options.encoding), start=1):
        if not line.strip():
            empty.append(number)
            continue
        last = number
        where = at_line(path, number)
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits, a thousand brackets
            if not isinstance(error, json.JSONDecodeError):
                raise DataError(f"{where}: JSON that cannot be read ({error}); every line must be one JSON object") from error
            hint = "; the file is one JSON array, write one object a line instead" if number == 1 and line.lstrip().startswith("[") else ""
            raise DataError(
                f"{where}: broken JSON at column {error.colno} ({error.msg}){hint or '; every line must be one JSON object'}"
            ) from error
        if not isinstance(record, dict):
            raise DataError(f"{where}: holds a JSON {type(record).__name__}; every line must be one JSON object")
        yield where, record
    notes += left_out_lines(empty, last)
