"""Pictures that a table or an annotation file only names: finds them all first, and says once what is missing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import DataError, visible
from .reading import Options, Row

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp")
SHOWN = 5  # of the missing pictures
logger = logging.getLogger("multihot.data")


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


def with_pictures(
    source: Path, rows: Iterable[Named], folders: Sequence[Path], options: Options, skipped: list[str], hint: str = "put them there"
) -> Iterator[Row]:
    """The rows with their pictures' bytes.

    Args:
        source: what names the pictures, for error messages.
        rows: all rows.
        folders: where to look, one after another.
        options: ``missing`` says what becomes of rows whose picture is not there.
        skipped: gets the names of those that were left out.
        hint: how to mend it.

    Raises:
        DataError: naming how many pictures are missing, and some of them; always if none at all is there.
    """
    rows = list(rows)
    paths = [_find(row, folders) for row in rows]
    missing = [row for row, path in zip(rows, paths, strict=True) if path is None]
    if missing:
        listed = ", ".join(row.picture for row in missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
        found = f"{len(missing):,} of {len(rows):,} pictures are missing from {folders[0]} ({listed})"
        if options.missing != "skip" or len(missing) == len(rows):
            raise DataError(f"{missing[0].where}: {found}; {hint}, or leave such rows out with --missing skip (missing='skip')")
        logger.warning("%s", visible(f"{source}: {found}; their rows are left out"))
        skipped.extend(row.picture for row in missing)
    for row, path in zip(rows, paths, strict=True):
        if path is not None:
            yield row.row | {"image": _bytes(path, row.where)}


def find_again(skipped: Sequence[str], source: Path) -> bool:
    """Whether a picture that was left out has turned up beside its source since."""
    root = source if source.is_dir() else source.parent
    names = {PurePosixPath(name).name for name in skipped}
    return bool(names) and any(path.name in names for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)


def is_picture_name(cell: object) -> bool:
    """Whether a cell looks like the name of a picture file.

    >>> is_picture_name("cats/1.JPG"), is_picture_name("1.txt")
    (True, False)
    """
    return isinstance(cell, str) and cell.strip().lower().endswith(SUFFIXES)


def _find(row: Named, folders: Sequence[Path]) -> Path | None:
    parts = PurePosixPath(row.picture)
    if parts.is_absolute() or ".." in parts.parts or "\0" in row.picture or not row.picture.strip():
        raise DataError(f"{row.where}: the picture {row.picture[:200]!r} lies outside the folder; give paths from the folder on")
    try:
        return next((path for folder in folders if (path := folder / row.picture).is_file()), None)
    except OSError:  # a name that is too long
        return None


def _bytes(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{where}: the picture {path} cannot be read ({error.strerror}); mend that, or leave its row out") from error
