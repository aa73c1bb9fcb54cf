"""Brings the files of a catalogued data set into the cache, from a copy at hand or from their addresses, and checks every digest."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import logging
import os
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ...errors import DataError
from ..cache import cache_root, digest_of, replacing
from ..formats.opening import check_exists
from .entry import CatalogEntry, CatalogFile

BLOCK = 1 << 20
logger = logging.getLogger("multihot.data")
TIMEOUT = 30  # seconds without a byte
BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, tarfile.TarError)


def obtain(entry: CatalogEntry, copy: Path | None = None, to: Path | None = None) -> Path:
    """The folder with the files of a data set; what is missing is taken from a copy at hand, or downloaded.

    Args:
        entry: the data set.
        copy: a file, a folder, or the folder of many data sets; ``$MULTIHOT_DATA`` is looked through if not said. For a data set that
            only lists pictures, also the folder with the pictures.
        to: where to put the files; the cache if not said.

    Raises:
        DataError: if the copy lacks a file, a digest differs, or a file can neither be copied nor downloaded.
    """
    target = to or cache_root() / "downloads" / entry.name
    missing = [file for file in entry.files if not _is_whole(target / file.name, file)]
    if missing and (place := _place(entry, copy)):
        for name, stream, source in _contents(place, entry):
            file = next((f for f in missing if f.name == name), None)
            if file:
                _store(file, stream, source, target)
                missing.remove(file)
        if missing:
            raise DataError(f"{place}: holds no '{missing[0].name}' of {entry.name}; get a whole copy from {entry.origin}")
    for file in missing:
        _download(entry, file, target)
    if copy is not None and entry.pictures:
        _link_pictures(entry, copy, target)
    return target


def holds(folder: Path, entry: CatalogEntry) -> bool:
    """Whether a folder has a place for every file of a data set: the file itself, compressed, or its archive."""
    present = {p.name for p in folder.iterdir()}
    return all({file.name, f"{file.name}.gz", *entry.archives} & present for file in entry.files)


def resembles(folder: Path, entry: CatalogEntry) -> bool:
    """Whether every file of the data set has its size here or is packed: other data, or a cut of it, may have the same names."""
    return all(_is_there(folder / file.name, file) or not (folder / file.name).is_file() for file in entry.files)


def _is_there(path: Path, file: CatalogFile) -> bool:
    return path.is_file() and path.stat().st_size == file.bytes


def _is_whole(path: Path, file: CatalogFile) -> bool:
    """Whether a file lies here as the catalogue states it; says so where it is there and damaged."""
    if not path.is_file():
        return False
    whole = _is_there(path, file) and digest_of(path) == file.sha256
    if not whole:
        logger.warning("%s is damaged; it is fetched again", path)
    return whole


def _place(entry: CatalogEntry, copy: Path | None) -> Path | None:
    """Where the copy lies: the file or folder itself, or the folder of this data set within it."""
    if copy is None:
        root = os.environ.get("MULTIHOT_DATA")
        return next((p for p in _candidates(Path(root), entry) if p.is_dir() and holds(p, entry)), None) if root else None
    check_exists(copy)
    if copy.is_file():
        return copy
    wanted = {name for file in entry.files for name in (file.name, f"{file.name}.gz")} | set(entry.archives)
    found = next((p for p in _candidates(copy, entry) if p.is_dir() and wanted & {q.name for q in p.iterdir()}), None)
    if found is None and any(_pictures_in(copy, entry, name) for name in entry.pictures):
        return _place(entry, None)  # a copy of the pictures alone
    if found is None:
        raise DataError(
            f"{copy}: holds neither {entry.files[0].name}{''.join(f' nor {name}' for name in entry.archives)}; give the folder that does"
        )
    return found


def _candidates(root: Path, entry: CatalogEntry) -> list[Path]:
    return [root, root / entry.folder, root / entry.name, root / PurePosixPath(entry.name).name]


def _link_pictures(entry: CatalogEntry, copy: Path, target: Path) -> None:
    """Let the files find the pictures that they name: a link to each of their folders in the user's copy."""
    for name in entry.pictures:
        if found := _pictures_in(copy, entry, name):
            link = target / name
            if link.is_symlink():
                link.unlink()
            link.symlink_to(found.resolve(), target_is_directory=True)


def _pictures_in(copy: Path, entry: CatalogEntry, name: str) -> Path | None:
    return next((p for p in (copy, *(root / name for root in _candidates(copy, entry))) if p.name == name and p.is_dir()), None)


def _contents(place: Path, entry: CatalogEntry) -> Iterator[tuple[str, IO[bytes], Path]]:
    """(name, content, where from) of all files of a place, also of those in the data set's archives."""
    paths = [place] if place.is_file() else sorted(place.iterdir(), key=lambda p: p.name in entry.archives)
    wanted = {file.name for file in entry.files}
    for path in paths:
        if path.name in wanted:
            with path.open("rb") as file:
                yield path.name, file, path
        elif path.name.removesuffix(".gz") in wanted:
            with gzip.open(path) as unpacked:
                yield path.name.removesuffix(".gz"), cast(IO[bytes], unpacked), path
        elif path.name in entry.archives or path == place:
            yield from _members(path)


def _members(path: Path) -> Iterator[tuple[str, IO[bytes], Path]]:
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    with archive.open(name) as unpacked:
                        yield PurePosixPath(name).name, unpacked, path
        else:
            with tarfile.open(path) as packed:
                for member in packed:
                    if member.isfile() and (file := packed.extractfile(member)):
                        yield PurePosixPath(member.name).name, file, path
    except BROKEN as error:
        raise DataError(f"{path}: the archive is cut short or altered ({error}), found sha256 {digest_of(path)}; get it again") from error


def _store(file: CatalogFile, stream: IO[bytes], source: Path | str, target: Path) -> None:
    """Write a content under its name, if it has the digest that the catalogue states."""
    digest, size = hashlib.sha256(), 0
    with replacing(target / file.name) as partial:
        with partial.open("wb") as output, contextlib.suppress(*BROKEN):  # a content cut short differs in its digest
            while block := stream.read(BLOCK):
                digest.update(block)
                size += len(block)
                output.write(block)
        if digest.hexdigest() != file.sha256:
            raise DataError(
                f"{source}: '{file.name}' is cut short or altered: expected sha256 {file.sha256} ({file.bytes} bytes), "
                f"found {digest.hexdigest()} ({size} bytes); get it again"
            )


def _download(entry: CatalogEntry, file: CatalogFile, target: Path) -> None:
    if file.address is None:
        raise DataError(
            f"{entry.name}: no stable public address is known for {file.name}; get a copy from {entry.origin} and say --from PATH"
        )
    from rich.progress import wrap_file

    try:
        with (
            urllib.request.urlopen(file.address, timeout=TIMEOUT) as answer,
            wrap_file(answer, file.bytes, description=file.name) as stream,
        ):
            _store(file, stream, file.address, target)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{file.address}: cannot be downloaded ({reason}); try again, or say --from PATH for a copy at hand") from error
