"""What the cache holds, and how it is emptied: the rows of files that were read, what was worked out from them, and downloads."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..storage import discard
from . import catalog
from .cache import DESCRIPTION, cache_root

DERIVED = ("tokens", "frames", "encoded")  # what is worked out from rows, each in a folder of its own
NOTES = ("vocabularies", "digests")  # of which each is one file
KEY = re.compile(r"[0-9a-f]{32,64}")
DAY = 24 * 3600


@dataclass(frozen=True)
class Kept:
    """One thing in the cache.

    Args:
        kind: "data" (the rows of a source), "tokens", "frames", "encoded", "vocabularies", "digests" or "downloads".
        name: of the source, where it is known; else nothing.
        path: the file or folder.
        size: bytes.
        made: when, in seconds since 1970.
    """

    kind: str
    name: str
    path: Path
    size: int
    made: float


def contents(root: Path | None = None) -> list[Kept]:
    """What multihot keeps in the cache; whatever else lies there is not looked at.

    Args:
        root: the cache; None takes ``cache_root()``.
    """
    place = cache_root() if root is None else root
    return [_kept(kind, name, path) for kind, name, path in _found(place)]


def clear(older_than: float = 0.0, downloads: bool = False, root: Path | None = None) -> list[Kept]:
    """Take things out of the cache; what another process still reads stays readable for it, and is made again when it is next wanted.

    Args:
        older_than: days since a thing was made.
        downloads: whether data sets that were fetched go too, for which the network is needed again.
        root: the cache; None takes ``cache_root()``.

    Returns:
        What was taken out.
    """
    before = time.time() - older_than * DAY
    gone = [kept for kept in contents(root) if kept.made <= before and (downloads or kept.kind != "downloads")]
    for kept in gone:
        discard(kept.path)
    return gone


def _found(root: Path) -> Iterator[tuple[str, str, Path]]:
    """(kind, name, path) of what multihot wrote; the cache may have been put into a folder of other things."""
    for folder in _inside(root / "data"):
        name, _, key = folder.name.rpartition("-")
        if KEY.fullmatch(key) and (folder / DESCRIPTION).is_file():
            yield "data", _name_in(folder) or name, folder
    for kind in DERIVED:
        yield from ((kind, "", path) for path in _inside(root / kind) if KEY.fullmatch(path.name) and path.is_dir())
    for kind in NOTES:
        yield from ((kind, "", path) for path in _inside(root / kind) if path.suffix == ".json" and KEY.fullmatch(path.stem))
    for name in catalog.names():
        if (root / "downloads" / name).is_dir():
            yield "downloads", name, root / "downloads" / name


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _name_in(folder: Path) -> str:
    try:
        return str(json.loads((folder / DESCRIPTION).read_bytes())["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _kept(kind: str, name: str, path: Path) -> Kept:
    """What a link leads to is not the cache's."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    status = [file.stat() for file in files]
    made = max((one.st_mtime for one in status), default=path.stat().st_mtime)
    return Kept(kind, name, path, sum(one.st_size for one in status), made)
