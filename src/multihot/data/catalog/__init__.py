"""The catalogue of named data sets: one file a data set, with its address, digests, terms and published sizes."""

from __future__ import annotations

from pathlib import Path

from ...errors import DataError, completed, nearest
from . import aapd, coco_mlt, digit_scenes, goemotions, ldl, mulan, reuters21578, ucmerced, voc2007_vehicles, voc_mlt
from .entry import CatalogEntry, CatalogFile
from .fetching import holds, obtain, resembles

__all__ = ["ENTRIES", "LISTED_BY", "CatalogEntry", "CatalogFile", "find", "get", "names", "obtain", "recognise"]

LISTED_BY = "multihot data list"

ENTRIES: dict[str, CatalogEntry] = {
    entry.name: entry
    for entry in (
        reuters21578.ENTRY,
        goemotions.ENTRY,
        aapd.ENTRY,
        *mulan.ENTRIES,
        *ldl.ENTRIES,
        digit_scenes.ENTRY,
        ucmerced.ENTRY,
        voc2007_vehicles.ENTRY,
        voc_mlt.ENTRY,
        coco_mlt.ENTRY,
    )
}


def names() -> list[str]:
    """The names of all data sets."""
    return list(ENTRIES)


def find(name: str) -> CatalogEntry | None:
    """The data set of that name, or the only one whose name ends so behind a slash; None where there is none.

    Raises:
        DataError: if several names end so.

    >>> find("yeast").name
    'mulan/yeast'
    """
    found = completed(name, ENTRIES)
    if len(found) > 1:
        raise DataError(f"data set '{name}' may be {' or '.join(found)}; give one of these names")
    return ENTRIES[found[0]] if found else None


def get(name: str) -> CatalogEntry:
    """The data set of that name; the part behind the slash will do.

    Raises:
        DataError: if there is none, or more than one; the message names near misses.

    >>> get("goemotions").labels
    28
    """
    entry = find(name)
    if entry is None:
        raise DataError(f"there is no data set '{name}' in the catalogue; {nearest(name, ENTRIES, LISTED_BY)}")
    return entry


def recognise(folder: Path) -> CatalogEntry | None:
    """The data set whose files this folder holds, all of the right size; ``None`` if there is none or more than one."""
    found = [entry for entry in ENTRIES.values() if entry.files and holds(folder, entry) and resembles(folder, entry)]
    return found[0] if len(found) == 1 else None
