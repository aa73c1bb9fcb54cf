"""PASCAL VOC as released: an XML file of objects for every picture, and lists of the pictures of every split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from ...errors import DataError
from .named_files import NamedFiles
from .opening import check_exists, text_lines
from .picture_files import Named, with_pictures
from .reading import Options, Reading, Row, at_line, distinct

DIFFICULT = 0.5  # the degree of a label of which there are difficult objects only
CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse", "motorbike",
    "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip


def read_voc_xml(path: Path, options: Options) -> Reading:
    """Read a folder such as ``VOC2007`` with ``Annotations``, ``JPEGImages`` and maybe ``ImageSets/Main``.

    A picture has a label if an object of that class is annotated in it; if all such objects are marked difficult the label is unknown, as
    in the challenge's own lists, or with ``difficult="degree"`` a target of 0.5. ``train.txt`` and ``val.txt`` make the splits where
    both are there, else ``trainval.txt`` is the training split; without lists all pictures are.

    Raises:
        DataError: for XML that is none, an object without a name, or a listed picture without annotations.
    """
    annotations = [_annotation(path, split, name, where, options.difficult) for split, name, where in _listed(path, options)]
    found = {label for named in annotations for key in ("labels", "unknown") for label in named.row.get(key, ())}
    declared = CLASSES if found <= set(CLASSES) else sorted(found)
    files = NamedFiles((path / "JPEGImages",))
    rows = with_pictures(annotations, files, options)
    return Reading("image", rows, options, declared_labels=list(declared), columns=("filename", "object"), named=[files])


def voc_files(path: Path) -> list[Path]:
    """All annotations, and the lists."""
    return [*sorted((path / "Annotations").glob("*.xml")), *_lists(path).values()]


def _lists(path: Path) -> dict[str, Path]:
    """split -> its list."""
    files = {file.stem: file for file in sorted((path / "ImageSets" / "Main").glob("*.txt"))}
    if "train" in files and "val" in files:
        names = {"train": "train", "validation": "val", "test": "test"}
    else:
        names = {"train": "trainval" if "trainval" in files else "train", "validation": "val", "test": "test"}
    return {split: files[name] for split, name in names.items() if name in files}


def _listed(path: Path, options: Options) -> Iterator[tuple[str, str, str]]:
    """(split, name of the picture without its suffix, place)."""
    lists = _lists(path)
    if not lists:
        names = [file.stem for file in sorted(check_exists(path / "Annotations").glob("*.xml"))]
        if not names:
            raise DataError(f"{path / 'Annotations'}: holds no .xml file; give the folder with Annotations and JPEGImages, such as VOC2007")
        yield from (("train", name, str(path / "Annotations" / f"{name}.xml")) for name in names)
    for split, file in lists.items():
        for line, text in enumerate(text_lines(file, options.encoding), start=1):
            if text.strip():
                yield split, text.split()[0], at_line(file, line)


def _annotation(path: Path, split: str, name: str, where: str, meaning: str) -> Named:
    if any(mark in name for mark in "/\\\0"):
        raise DataError(f"{where}: {name[:200]!r} is no name of a picture; give it without folder and suffix")
    file = path / "Annotations" / f"{name}.xml"
    try:
        root = ElementTree.parse(file).getroot()
    except FileNotFoundError as error:
        raise DataError(f"{where}: '{name}' has no annotations; put in {file}, or take the name out of the list") from error
    except (ElementTree.ParseError, ValueError, LookupError, OSError) as error:
        raise DataError(f"{file}: broken XML ({error}); get it again") from error
    plain: list[str] = []
    difficult: list[str] = []
    for number, thing in enumerate(root.findall("object"), start=1):
        label = (thing.findtext("name") or "").strip()
        if not label:
            raise DataError(f"{file}: object {number} has no name; write one as <name>car</name>")
        (difficult if (thing.findtext("difficult") or "0").strip() == "1" else plain).append(label)
    labels = distinct(plain)
    row = with_difficult(labels, [label for label in distinct(difficult) if label not in labels], meaning)
    picture = (root.findtext("filename") or "").strip() or f"{name}.jpg"
    return Named(str(file), picture, {"id": name, "split": split} | row)


def with_difficult(labels: list[str], difficult: list[str], meaning: str) -> Row:
    """The labels of a picture of which some are difficult to tell.

    Args:
        labels: that are plain to see.
        difficult: the others.
        meaning: ``"unknown"``: nobody annotated them; ``"degree"``: targets of 0.5, between present and absent.

    >>> with_difficult(["car"], ["bus"], "degree")
    {'labels': ['car', 'bus'], 'label_values': [1.0, 0.5]}
    """
    if meaning == "unknown":
        return {"labels": labels, "unknown": difficult}
    return {"labels": labels + difficult, "label_values": [1.0] * len(labels) + [DIFFICULT] * len(difficult)}
