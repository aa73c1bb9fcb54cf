"""Recordings named in a table of labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...errors import DataError
from .delimited import read_delimited, records
from .jsonl import read_jsonl
from .named_files import NamedFiles, check_name
from .opening import check_exists
from .reading import Options, Reading, Row

TABLES = ("labels.csv", "labels.jsonl")
COLUMN = "audio"


def read_audio_table(path: Path, options: Options) -> Reading:
    """Read a folder with ``labels.csv`` or ``labels.jsonl``, whose column ``audio`` names WAV or FLAC files within the folder.

    The other columns are those of any table of texts: label sets in one cell or 0/1 columns, maybe ``id`` and ``split``.

    Raises:
        DataError: if there is no such table or column, or a recording is not there.
    """
    table = table_of(path)
    read = read_jsonl if table.suffix == ".jsonl" else read_delimited
    reading = read(table, replace(options, text=options.text or COLUMN))
    files = NamedFiles((path,))
    return replace(reading, modality="audio", rows=_rows(files, table, reading.rows), named=[files])


def table_of(path: Path) -> Path:
    """The table of a folder of recordings."""
    return next((path / name for name in TABLES if (path / name).is_file()), None) or check_exists(path / TABLES[0])


def names_recordings(folder: Path) -> bool:
    """Whether the folder's table has a column of recordings."""
    table = folder / "labels.jsonl"
    if table.is_file():
        with table.open("rb") as file:
            return b'"audio"' in file.readline()
    try:
        return COLUMN in next(iter(records(folder / TABLES[0], Options())), ("", {}))[1]
    except DataError:
        return False


def _rows(files: NamedFiles, table: Path, rows: Iterator[Row]) -> Iterator[Row]:
    for row in rows:
        name = row.pop("text")
        check_name(name, str(table), "recording")
        try:
            files.find(name)
            yield {"id": name} | row | {"audio": files.read(name)}
        except OSError as error:
            raise DataError(f"{table}: there is no recording {files.folders[0]}/{name}; put it there, or leave its row out") from error
    files.tell_outside()
