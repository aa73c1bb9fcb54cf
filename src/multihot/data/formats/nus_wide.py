"""NUS-WIDE as released: lists of pictures, and for every concept a file with one 0 or 1 a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from .named_files import NamedFiles
from .opening import check_exists, text_lines
from .picture_files import Named, with_pictures
from .reading import Options, Reading, at_line

PARTS = {"train": "Train", "test": "Test"}
LIST_FOLDERS, LABEL_FOLDERS = ("ImageList", "."), ("TrainTestLabels", "Groundtruth/TrainTestLabels")
PICTURE_FOLDERS = ("Flickr", "images", "Images", ".")


def read_nus_wide(path: Path, options: Options) -> Reading:
    """Read a folder with ``ImageList/TrainImagelist.txt``, ``TrainTestLabels/Labels_CONCEPT_Train.txt``, and so for ``Test``.

    Concepts are those of ``Concepts81.txt``, or else of the label files in alphabetical order. Pictures are looked for in ``Flickr``,
    ``images`` and the folder itself; many of them are gone from Flickr, which is what ``missing="skip"`` is for.

    Raises:
        DataError: if label files and lists disagree in length, or a line of a label file is neither 0 nor 1.
    """
    lists = _lists(path)
    folder = _label_folder(path)
    concepts = _concepts(path, folder, options)
    named = [row for split in lists for row in _rows(split, lists[split], folder, concepts, options)]
    files = NamedFiles([path / name for name in PICTURE_FOLDERS])
    rows = with_pictures(named, files, options)
    return Reading("image", rows, options, declared_labels=concepts, columns=("picture", "concepts"), named=[files])


def nus_wide_files(path: Path) -> list[Path]:
    """The lists, the concepts and the label files."""
    concepts = path / "Concepts81.txt"
    return [*_lists(path).values(), *([concepts] if concepts.is_file() else []), *sorted(_label_folder(path).glob("Labels_*.txt"))]


def _lists(path: Path) -> dict[str, Path]:
    found = {
        split: file
        for split, part in PARTS.items()
        for name in reversed(LIST_FOLDERS)
        if (file := path / name / f"{part}Imagelist.txt").is_file()
    }
    if not found:
        raise DataError(f"{path}: there is no ImageList/TrainImagelist.txt; give the folder that holds ImageList and TrainTestLabels")
    return found


def _label_folder(path: Path) -> Path:
    found = next((path / name for name in LABEL_FOLDERS if (path / name).is_dir()), None)
    if found is None:
        raise DataError(f"{path}: there is no folder TrainTestLabels; put it beside ImageList")
    return found


def _concepts(path: Path, folder: Path, options: Options) -> list[str]:
    listed = path / "Concepts81.txt"
    if listed.is_file():
        names = [text.strip() for text in text_lines(listed, options.encoding) if text.strip()]
    else:
        names = sorted({file.stem.split("_")[1] for file in folder.glob("Labels_*_*.txt")})
    if not names or len(set(names)) < len(names):
        raise DataError(f"{listed if names else folder}: names {'a concept twice' if names else 'no concept'}; get NUS-WIDE's labels again")
    return names


def _rows(split: str, listed: Path, folder: Path, concepts: list[str], options: Options) -> Iterator[Named]:
    pictures = [text.strip().replace("\\", "/") for text in text_lines(listed, options.encoding)]
    labels: list[list[str]] = [[] for _ in pictures]
    for concept in concepts:
        file = folder / f"Labels_{concept}_{PARTS[split]}.txt"
        flags = [text.strip() for text in text_lines(check_exists(file), options.encoding)]
        if len(flags) != len(pictures):
            raise DataError(f"{file}: has {len(flags)} lines, but {listed.name} {len(pictures)} pictures; get both again")
        for line, flag in enumerate(flags, start=1):
            if flag == "1":
                labels[line - 1].append(concept)
            elif flag != "0":
                raise DataError(f"{at_line(file, line)}: {flag[:80]!r}; allowed are 0 and 1")
    for line, picture in enumerate(pictures, start=1):
        yield Named(at_line(listed, line), picture, {"id": picture, "split": split, "labels": labels[line - 1]})
