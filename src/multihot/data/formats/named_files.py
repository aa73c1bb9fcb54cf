"""The files that a table, a list or an annotation names: where each was found, and how to tell that it is still the same."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import DataError

Stamp = list[int]  # which of the folders, size in bytes, times of the last change of content and of entry in nanoseconds


class NamedFiles:
    """Files by their names relative to some folders, with the stamp of each as it was when it was read.

    The content of pictures and recordings may be gigabytes, so it is not what tells a changed file: size and times are, and the time of the
    entry changes even where a file is exchanged for one of the same size and age.

    Args:
        folders: where the names are looked for, one folder after another.
    """

    def __init__(self, folders: Sequence[Path]):
        self.folders = [os.path.abspath(folder) for folder in folders]
        self.stamps: dict[str, Stamp | None] = {}  # None: no folder held it
        self.outside: list[str] = []
        self.notes: list[str] = []  # what was left out, and what lies elsewhere

    @property
    def missing(self) -> list[str]:
        """The names that no folder held."""
        return [name for name, stamp in self.stamps.items() if stamp is None]

    def find(self, name: str) -> bool:
        """Whether a folder holds the file; a name that none does is remembered as missing."""
        self.stamps[name] = _stamp(self.folders, name)
        return self.stamps[name] is not None

    def read(self, name: str) -> bytes:
        """The content of a file that was found, stamped before it is read.

        Raises:
            OSError: if it cannot be read.
        """
        place = (self.stamps[name] or [0])[0]
        path = os.path.join(self.folders[place], name)
        with open(path, "rb") as file:
            self.stamps[name] = _stamp_of(place, os.fstat(file.fileno()))
            content = file.read()
        if os.path.islink(path) and not os.path.realpath(path).startswith(os.path.realpath(self.folders[place]) + os.sep):
            self.outside.append(name)
        return content

    def tell_outside(self) -> None:
        """Say so where a file was a link that leads out of the folder: data of others may name what is not theirs."""
        if self.outside:
            some = ", ".join(f"{name} -> {os.path.realpath(_found(self, name))}" for name in self.outside[:3])
            self.notes.append(f"{len(self.outside):,} of its files are links that lead out of the folder ({some})")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"folders": self.folders, "stamps": self.stamps}


def unchanged(kept: Mapping[str, Any]) -> bool:
    """Whether every name is found where it was, with the same stamp, or is still missing; takes what ``NamedFiles.to_dict`` gave."""
    return all(_stamp(kept["folders"], name) == before for name, before in kept["stamps"].items())


def check_name(name: str, where: str, what: str) -> None:
    """Refuse a name that leads out of the folders.

    Raises:
        DataError: for an absolute path, one with ``..``, or none at all.
    """
    if not name.strip() or "\0" in name or os.path.isabs(name) or ".." in Path(name).parts:
        raise DataError(f"{where}: the {what} {name[:200]!r} lies outside the folder; give paths from the folder on")


def _stamp(folders: Sequence[str], name: str) -> Stamp | None:
    for place, folder in enumerate(folders):
        try:
            status = os.stat(f"{folder}/{name}")
        except (OSError, ValueError):  # not there, or a name that is too long or holds what no name may
            continue
        if stat.S_ISREG(status.st_mode):
            return _stamp_of(place, status)
    return None


def _stamp_of(place: int, status: os.stat_result) -> Stamp:
    return [place, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _found(files: NamedFiles, name: str) -> str:
    return os.path.join(files.folders[(files.stamps[name] or [0])[0]], name)
