"""AAPD's way: a text file and a label file with the same lines, ``text_train`` and ``label_train``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .opening import text_lines
from .reading import Options, Reading, Row, distinct, split_of


def read_paired(path: Path, options: Options) -> Reading:
    """Read a folder of paired files, plain or compressed; a label file without its text file is left out.

    Raises:
        DataError: if there is no pair, or two files of a pair have different numbers of lines.
    """
    pairs = find_pairs(path)
    if not pairs:
        raise DataError(f"{path}: there is no pair of text_SPLIT and label_SPLIT files; SPLIT is one of train, val, test")
    listed = path / "labels.txt"
    declared = [line.strip() for line in text_lines(listed) if line.strip()] if listed.is_file() else None
    return Reading("text", _rows(pairs, options), options, declared_labels=declared, columns=("text", "label"))


def find_pairs(path: Path) -> dict[str, tuple[Path, Path]]:
    """split -> (text file, label file), for the splits that have both."""
    found: dict[str, dict[str, Path]] = {"text": {}, "label": {}}
    for file in sorted(path.iterdir()):
        kind, split = file.name.partition("_")[0], split_of(file.name)
        if kind in found and split:
            found[kind][split] = file
    return {split: (text, found["label"][split]) for split, text in found["text"].items() if split in found["label"]}


def _rows(pairs: dict[str, tuple[Path, Path]], options: Options) -> Iterator[Row]:
    for split, (text_file, label_file) in pairs.items():
        lines = itertools.zip_longest(text_lines(text_file, options.encoding), text_lines(label_file, options.encoding))
        for number, (text, labels) in enumerate(lines, start=1):
            if text is None or labels is None:
                short = text_file if text is None else label_file
                raise DataError(f"{short}: ends after line {number - 1}, but its partner goes on; every text needs its line of labels")
            yield {"split": split, "text": text.strip(), "labels": distinct(labels.split(options.delimiter or None))}
