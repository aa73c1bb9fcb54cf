"""Pictures that a table or an annotation file only names: finds them all first, and says once what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import DataError
from .named_files import NamedFiles, check_name
from .reading import Options, Row

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp")
SHOWN = 5  # of the missing pictures


@dataclass(frozen=True)
class Named:
    """A row whose picture is still a name.

    Args:
        where: the place in the file, for error messages.
        picture: the name, relative to one of the folders.
        row: what is known so far.
    """

    where: str
    picture: str
    row: Row


def with_pictures(rows: Iterable[Named], files: NamedFiles, options: Options, hint: str = "put them there") -> Iterator[Row]:
    """The rows with their pictures' bytes.

    Args:
        rows: all rows.
        files: where to look; gets what is found and what is missing, and a note of rows that are left out.
        options: ``missing`` says what becomes of rows whose picture is not there.
        hint: how to mend it.

    Raises:
        DataError: naming how many pictures are missing, and some of them; always if none at all is there.
    """
    rows = list(rows)
    for row in rows:
        check_name(row.picture, row.where, "picture")
    missing = [row for row in rows if not files.find(row.picture)]
    if missing:
        rows = _with_other_cases(rows, files)
        missing = [row for row in rows if files.stamps[row.picture] is None]
    if missing:
        listed = ", ".join(row.picture for row in missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        found = f"{len(missing):,} of {len(rows):,} pictures are missing from {files.folders[0]} ({listed})"
        if options.missing != "skip" or len(missing) == len(rows):
            raise DataError(f"{missing[0].where}: {found}; {hint}, or leave such rows out with missing='skip'")
        files.notes.append(f"{found}; their rows are left out")
    for row in rows:
        if files.stamps[row.picture] is not None:
            try:
                image = files.read(row.picture)
            except OSError as error:
                reason = f"the picture {row.picture} cannot be read ({error.strerror})"
                raise DataError(f"{row.where}: {reason}; mend that, or leave its row out") from error
            yield row.row | {"image": image}
    files.tell_outside()


def _with_other_cases(rows: list[Named], files: NamedFiles) -> list[Named]:
    """Missing pictures under the names that differ in upper and lower case alone, if just one does; said in a note."""
    listed: dict[Path, dict[str, list[str]]] = {}
    found = {}
    for row in rows:
        name = Path(row.picture)
        if files.stamps[row.picture] is None and row.picture not in found:
            alike = [other for folder in files.folders for other in _alike(Path(folder) / name.parent, name.name, listed)]
            if len(alike) == 1 and files.find(other := (name.parent / alike[0]).as_posix()):
                found[row.picture] = other
    if found:
        named, other = next(iter(found.items()))
        files.notes.append(f"{len(found):,} pictures are found under a name in another case, such as {other} for {named}")
    return [replace(row, picture=found.get(row.picture, row.picture)) for row in rows]


def _alike(folder: Path, name: str, listed: dict[Path, dict[str, list[str]]]) -> list[str]:
    """The files of a folder whose names are those in any case; what is listed once is kept."""
    if folder not in listed:
        listed[folder] = {}
        if folder.is_dir():
            for other in os.listdir(folder):
                listed[folder].setdefault(other.lower(), []).append(other)
    return listed[folder].get(name.lower(), [])


def folders_beside(source: str | Path) -> tuple[Path, Path]:
    """Where pictures that a table names are looked for: in its folder, and in ``images`` there."""
    return Path(source).parent, Path(source).parent / "images"


def completed_name(name: str, folders: Iterable[Path]) -> str | None:
    """The name of a picture file with the suffix that it lacks; None where there is no such file."""
    if not name.strip() or "/" in name or is_picture_name(name):
        return None
    suffixes = [case for suffix in SUFFIXES for case in (suffix, suffix.upper())]
    names = (f"{name.strip()}{suffix}" for suffix in suffixes)
    return next((found for found in names if any((folder / found).is_file() for folder in folders)), None)


def is_picture_name(cell: object) -> bool:
    """Whether a cell looks like the name of a picture file.

    >>> is_picture_name("cats/1.JPG"), is_picture_name("1.txt")
    (True, False)
    """
    return isinstance(cell, str) and cell.strip().lower().endswith(SUFFIXES)
