"""Pictures whose file names tell the label: ages as MORPH and FG-NET name their files, head poses as Pointing'04 does."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from .axes import label_of
from .named_files import NamedFiles
from .picture_files import SUFFIXES, Named, with_pictures
from .reading import SPLIT_NAMES, Options, Reading, Row

LOOKED_AT = 200  # files of a folder, to find out how its pictures are named
OLDEST = {"morph": 100, "fg-net": 69}
PITCHES = (-90, -60, -30, -15, 0, 15, 30, 60, 90)
YAWS = range(-90, 91, 15)


@dataclass(frozen=True)
class Layout:
    """How a collection names its pictures.

    Args:
        pattern: of a file's name without its suffix, with the groups ``person`` and ``first`` (and ``second``): the numbers of the label.
        example: a name that fits.
        labels: the names of all labels.
    """

    pattern: re.Pattern[str]
    example: str
    labels: Callable[[], list[str]]


def poses() -> list[str]:
    """The 93 poses of Pointing'04 as ``"pitch,yaw"``: at a pitch of 90 degrees up or down there is one yaw only.

    >>> len(poses()), poses()[:3]
    (93, ['-90,0', '-60,-90', '-60,-75'])
    """
    return [label_of(pitch, yaw) for pitch in PITCHES for yaw in ([0] if abs(pitch) == 90 else YAWS)]


LAYOUTS = {
    "morph": Layout(
        re.compile(r"(?P<person>\d+)_\d*[MF](?P<first>\d{2,3})", re.IGNORECASE),
        "009055_1M54.JPG",
        lambda: [str(age) for age in range(OLDEST["morph"] + 1)],
    ),
    "fg-net": Layout(
        re.compile(r"(?P<person>\d{3})A(?P<first>\d{2})[a-z]?", re.IGNORECASE),
        "001A43b.JPG",
        lambda: [str(age) for age in range(OLDEST["fg-net"] + 1)],
    ),
    "pointing04": Layout(
        re.compile(r"person(?:ne)?(?P<person>\d{2})\d{3}(?P<first>[-+]\d{1,2})(?P<second>[-+]\d{1,2})", re.IGNORECASE),
        "personne01146-30+60.jpg",
        poses,
    ),
}


def read_morph(path: Path, options: Options) -> Reading:
    """Read a folder of pictures named as in MORPH, ``PERSON_NUMBER`` + ``M`` or ``F`` + age: ``009055_1M54.JPG`` is 54 years old.

    Raises:
        DataError: for a picture of another name, or an age above 100.
    """
    return _read(path, options, "morph")


def read_fg_net(path: Path, options: Options) -> Reading:
    """Read a folder of pictures named as in FG-NET, person + ``A`` + age: ``001A43b.JPG`` is 43 years old.

    Raises:
        DataError: for a picture of another name, or an age above 69.
    """
    return _read(path, options, "fg-net")


def read_pointing04(path: Path, options: Options) -> Reading:
    """Read a folder of pictures named as in Pointing'04, ``personne`` + person + series and number + pitch + yaw in degrees.

    ``personne01146-30+60.jpg`` is person 01 at a pitch of -30 and a yaw of 60: label ``"-30,60"``.

    Raises:
        DataError: for a picture of another name, or a pose that is none of the 93.
    """
    return _read(path, options, "pointing04")


def layout_of(path: Path) -> str | None:
    """The layout that all pictures follow among the first files of a folder, if there is one."""
    files = itertools.islice(path.rglob("*"), LOOKED_AT)
    stems = [file.stem for file in files if file.suffix.lower() in SUFFIXES]
    return next((name for name, layout in LAYOUTS.items() if stems and all(map(layout.pattern.fullmatch, stems))), None)


def pictures_of(path: Path) -> list[Path]:
    """The pictures in and below a folder."""
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)


def _read(path: Path, options: Options, name: str) -> Reading:
    """Rows named ``PERSON/FILE``, so that whole persons can be held out; a folder named after a split is that split."""
    layout = LAYOUTS[name]
    pictures = pictures_of(path)
    if not pictures:
        raise DataError(f"{path}: holds no picture; give the folder with files such as {layout.example}")
    labels = layout.labels()
    known = set(labels)
    files = NamedFiles((path,))
    rows = with_pictures(list(_named(path, pictures, layout, known)), files, options)
    return Reading("image", rows, options, declared_labels=labels, columns=("name of the picture",), named=[files])


def _named(path: Path, pictures: list[Path], layout: Layout, known: set[str]) -> Iterator[Named]:
    parts = [picture.relative_to(path) for picture in pictures]
    splits = [next((SPLIT_NAMES[part] for part in map(str.lower, file.parts[:-1]) if part in SPLIT_NAMES), None) for file in parts]
    for picture, file, split in zip(pictures, parts, splits, strict=True):
        match = layout.pattern.fullmatch(picture.stem)
        if match is None:
            raise DataError(f"{picture}: the name tells no label; allowed are names such as {layout.example}: rename it, or take it out")
        position = [float(match[group]) for group in ("first", "second") if group in layout.pattern.groupindex]
        label = label_of(*position)
        if label not in known:
            raise DataError(f"{picture}: the label {label} is not one of the {len(known)}; correct the name, or take the picture out")
        row: Row = {"id": f"{match['person']}/{picture.stem}", "labels": [label]}
        yield Named(str(picture), file.as_posix(), row | ({"split": split or "train"} if any(splits) else {}))
