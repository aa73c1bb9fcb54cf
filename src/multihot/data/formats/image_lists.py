"""Lists of pictures with label numbers, as the long-tailed VOC-MLT and COCO-MLT are published, beside a copy of the pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .named_files import NamedFiles
from .opening import check_exists, text_lines
from .picture_files import Named, with_pictures
from .reading import Options, Reading, at_line, distinct, split_of


def read_image_list(path: Path, options: Options) -> Reading:
    """Read a folder with ``NAME_labels.txt`` (label, number) and lists ``NAME_SPLIT.txt`` (path of a picture, label numbers).

    Paths are relative to the folder; a row is named after its picture.

    Raises:
        DataError: for a list that is missing, a number that names no label, or a picture that is not there.
    """
    names_file, *lists = list_files(path)
    names = _label_names(names_file, options)
    named = [row for file in lists for row in _rows(file, names, options)]
    parents = sorted({Path(row.picture).parts[0] for row in named if Path(row.picture).parts})
    hint = f"the lists come without pictures: give the folder that holds {', '.join(parents[:3])} (--from), or put it beside the lists"
    files = NamedFiles((path,))
    rows = with_pictures(named, files, options, hint)
    return Reading("image", rows, options, declared_labels=names, columns=("picture", "label numbers"), named=[files])


def list_files(path: Path) -> list[Path]:
    """The file of label names, then the lists, in the order of their names.

    Raises:
        DataError: if there is not exactly one file of label names, or no list.
    """
    if not path.is_dir():
        raise DataError(f"{path}: image-list reads a folder with NAME_labels.txt and lists such as NAME_train.txt; give that folder")
    texts = [file for file in sorted(path.iterdir()) if file.name.endswith(".txt")]
    names = [file for file in texts if file.name.endswith("_labels.txt")]
    lists = [file for file in texts if file not in names and split_of(file.name)]
    if len(names) != 1 or not lists:
        raise DataError(f"{path}: needs one NAME_labels.txt and lists such as NAME_train.txt; found {len(names)} and {len(lists)}")
    return [*names, *lists]


def _label_names(file: Path, options: Options) -> list[str]:
    """Label names in the order of their numbers; a name may hold blanks."""
    numbers: dict[str, str] = {}
    for line, text in enumerate(text_lines(check_exists(file), options.encoding), start=1):
        if text.strip():
            name, _, number = text.strip().rpartition(" ")
            if number != str(len(numbers)) or not name.strip() or name.strip() in numbers:
                raise DataError(
                    f"{at_line(file, line)}: {text.strip()!r}; allowed is a new label name, a blank and the number {len(numbers)}"
                )
            numbers[name.strip()] = number
    return list(numbers)


def _rows(file: Path, names: list[str], options: Options) -> Iterator[Named]:
    by_number = {str(number): name for number, name in enumerate(names)}
    for line, text in enumerate(text_lines(file, options.encoding), start=1):
        if not text.strip():
            continue
        picture, *numbers = text.split()
        where = at_line(file, line)
        wrong = next((number for number in numbers if number not in by_number), None)
        if wrong is not None:
            raise DataError(f"{where}: label number {wrong!r}; allowed are 0 to {len(names) - 1}")
        labels = distinct([by_number[number] for number in numbers])
        yield Named(where, picture, {"id": Path(picture).stem, "split": split_of(file.name), "labels": labels})
