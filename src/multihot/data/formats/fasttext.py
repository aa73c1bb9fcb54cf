"""fastText's training files: one text a line, with its labels as words that begin with ``__label__``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .opening import text_lines
from .reading import Options, Reading, Row, at_line, distinct, left_out_lines

PREFIX = "__label__"


def read_fasttext(path: Path, options: Options) -> Reading:
    """Read a file of lines such as ``__label__pump __label__oil pump leaks oil``.

    As for fastText, a label may stand anywhere in its line, and the other words, with one blank between them, are the text. A line without
    labels has none.

    Raises:
        DataError: for a label without a name, naming the line.
    """
    notes: list[str] = []
    return Reading("text", _rows(path, options, notes), options, columns=("labels", "text"), notes=notes)


def _rows(path: Path, options: Options, notes: list[str]) -> Iterator[Row]:
    empty: list[int] = []
    last = 0
    for number, line in enumerate(text_lines(path, options.encoding), start=1):
        words = line.split()
        if not words:
            empty.append(number)
            continue
        last = number
        labels = [word.removeprefix(PREFIX) for word in words if word.startswith(PREFIX)]
        if "" in labels:
            raise DataError(f"{at_line(path, number)}: a label has no name; write it behind {PREFIX}, without a blank")
        yield {"text": " ".join(word for word in words if not word.startswith(PREFIX)), "labels": distinct(labels)}
    notes += left_out_lines(empty, last)
