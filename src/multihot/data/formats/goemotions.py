"""GoEmotions: ``text TAB label numbers TAB comment id``, without a header, and ``labels.txt`` with the names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .opening import check_exists, text_lines
from .reading import Options, Reading, Row, at_line, split_of


def read_goemotions(path: Path, options: Options) -> Reading:
    """Read the folder with ``train.tsv``, ``dev.tsv``, ``test.tsv`` and ``labels.txt``, or one of the TSV files.

    Raises:
        DataError: for a line without three parts or a number that names no label.
    """
    folder = path if path.is_dir() else path.parent
    names = [line.strip() for line in text_lines(check_exists(folder / "labels.txt")) if line.strip()]
    files = tables(path) if path.is_dir() else {None: path}
    if not files:
        raise DataError(f"{path}: there is no train.tsv, dev.tsv or test.tsv; give the folder of GoEmotions' TSV files")
    rows = (row if split is None else {"split": split, **row} for split, file in files.items() for row in _rows(file, names, options))
    return Reading("text", rows, options, declared_labels=names, columns=("text", "labels", "id"))


def tables(path: Path) -> dict[str | None, Path]:
    """split -> TSV file of a folder."""
    found = {split_of(file.name): file for file in sorted(path.iterdir()) if ".tsv" in file.name.lower()}
    return {split: file for split in ("train", "validation", "test") if (file := found.get(split))}


def _rows(path: Path, names: list[str], options: Options) -> Iterator[Row]:
    for number, line in enumerate(text_lines(path, options.encoding), start=1):
        where = at_line(path, number)
        parts = line.rstrip("\r\n").split("\t")
        if len(parts) != 3:
            raise DataError(f"{where}: {len(parts)} parts instead of 3; every line must be text TAB label numbers TAB id")
        try:
            labels = [names[_number(word)] for word in parts[1].split(",") if word]
        except (ValueError, IndexError) as error:
            raise DataError(f"{where}: labels {parts[1]!r}; allowed are numbers 0 to {len(names) - 1}, separated by commas") from error
        yield {"id": parts[2], "text": parts[0], "labels": labels}


def _number(word: str) -> int:
    number = int(word)
    if number < 0:
        raise ValueError(word)
    return number
