"""The cache of prepared data: memory-mapped Arrow files in a folder named after the content they were made from."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .. import storage
from ..errors import DataError
from .formats.reading import Row

FORMAT_VERSION = 3  # raised whenever a reader or the layout below changes what is stored
ROWS_A_BATCH = 1000
SMALL_FILE = 64 * 2**20  # bytes; the digest of a larger file is remembered, with its size and time of change
DESCRIPTION = "data.json"  # of a folder of the cache
logger = logging.getLogger("multihot.data")
_digests: dict[str, str] = {}  # path, size and times -> digest: computed once a process
COLUMNS = {
    "id": pa.string(),
    "labels": pa.list_(pa.string()),
    "unknown": pa.list_(pa.string()),
    "label_values": pa.list_(pa.float32()),
    "value": pa.list_(pa.float64()),
    "spread": pa.float64(),
    "text": pa.string(),
    "features": pa.list_(pa.float32()),
    "indices": pa.list_(pa.int32()),
    "values": pa.list_(pa.float32()),
    "image": pa.binary(),
    "frames": pa.list_(pa.float32()),
    "num_frames": pa.int32(),
    "audio": pa.binary(),
}


def cache_root() -> Path:
    """The folder of everything multihot prepares or downloads: ``$MULTIHOT_CACHE``, or ``~/.cache/multihot``.

    Raises:
        DataError: if it is no folder.
    """
    root = Path(os.environ.get("MULTIHOT_CACHE") or Path.home() / ".cache" / "multihot")
    if root.exists() and not root.is_dir():
        raise DataError(f"the cache {root} is a file, not a folder; set MULTIHOT_CACHE to a folder, which is made where it is missing")
    return root


def digest_of(path: Path) -> str:
    """The sha256 of a file's content; that of a large file is computed once and kept until the file changes."""
    status = path.stat()
    stamp = f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
    if stamp not in _digests:
        _digests[stamp] = storage.digest(path) if status.st_size <= SMALL_FILE else _kept_digest(path, stamp)
    return _digests[stamp]


def content_key(files: Iterable[tuple[str, Path]], settings: dict[str, Any]) -> str:
    """The key of what a reader makes of some files: their roles and contents, and the reader's settings.

    Args:
        files: (role, path); the path itself does not count, so a copy elsewhere has the same key.
        settings: whatever else decides the outcome, as plain JSON values.
    """
    content = [(role, path.name, digest_of(path)) for role, path in files]
    return hashlib.sha256(json.dumps([FORMAT_VERSION, content, settings], sort_keys=True).encode()).hexdigest()


def folder_of(name: str, key: str, cache_dir: Path | None = None) -> Path:
    """Where the data set with this key is stored."""
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", name)[:40].strip("-.") or "data"
    return (cache_dir or cache_root()) / "data" / f"{slug}-{key[:32]}"


def keep(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file of the cache with the digest of what it says."""
    with replacing(path) as partial:
        partial.write_text(json.dumps({**content, "sha256": storage.digest_of_values(content)}), encoding="utf-8")


def kept(path: Path) -> dict[str, Any] | None:
    """What ``keep`` wrote; None where there is nothing. What is damaged is removed, with a word."""
    try:
        with advised():
            content = json.loads(path.read_bytes())
        digest = content.pop("sha256")
        if digest == storage.digest_of_values(content):
            return content
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    logger.warning("%s is damaged; it is made again", path)
    with advised():
        storage.discard(path)
    return None


def keep_folder(partial: Path, content: Mapping[str, Any]) -> None:
    """Complete a folder that is being filled: ``data.json`` says what it is, and the digest of every file."""
    files = {path.name: storage.digest(path) for path in sorted(partial.iterdir())}
    keep(partial / DESCRIPTION, {**content, "files": files})


def kept_folder(folder: Path) -> dict[str, Any] | None:
    """What ``keep_folder`` said of a folder of which every file is as it was written; None where there is none.

    A folder that is damaged is removed, with a word. A large file whose digest is known is taken as it is while its size and times stay.
    """
    content = kept(folder / DESCRIPTION)
    damaged = DESCRIPTION if content is None else _damaged(folder, content["files"])
    if damaged is None:
        return content
    if folder.is_dir():
        if content is not None:
            logger.warning("%s is damaged; it is made again", folder / damaged)
        with advised():
            storage.discard(folder)
    return None


def attempts(folder: Path) -> Iterator[int]:
    """A few attempts to make a folder and to find it whole: another process may take away what is damaged while we look at it.

    Raises:
        DataError: after the last.
    """
    yield from range(10)
    raise DataError(f"{folder} is damaged as soon as it is written; check the disk, or set MULTIHOT_CACHE to a folder on another one")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """``storage.replacing`` for a file of the cache.

    Raises:
        DataError: if the disk is full or the cache may not be written.
    """
    with advised(), storage.replacing(target) as partial:
        yield partial


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """``storage.filling`` for a folder of the cache.

    Raises:
        DataError: if the disk is full or the cache may not be written.
    """
    with advised(), storage.filling(folder) as partial:
        storage.remove_leavings(folder.parent, after=storage.ABANDONED_AFTER)
        yield partial


@contextmanager
def advised() -> Iterator[None]:
    """What keeps the cache from being used becomes one line.

    Raises:
        DataError: if the disk is full, or the cache may not be read or written.
    """
    try:
        yield
    except OSError as error:
        where = error.filename2 or error.filename or cache_root()
        if error.errno in storage.FULL:
            raise DataError(f"{where}: the disk is full; free some space, or set MULTIHOT_CACHE to a folder on another disk") from error
        if error.errno in storage.CLOSED:
            raise DataError(f"{where}: may not be written ({error.strerror}); set MULTIHOT_CACHE to a folder that may") from error
        raise


class SplitWriter:
    """Writes the rows of one split to an Arrow file, a batch at a time.

    Args:
        path: the file to write.
        source: what the rows come from, for error messages.
    """

    def __init__(self, path: Path, source: str):
        self.path, self.source = path, source
        self.buffer: list[Row] = []
        self.identities = array("q")  # hashes: eight bytes a row, however long the ids are
        self.count = self.largest_index = 0
        self.schema: pa.Schema | None = None

    def add(self, row: Row) -> None:
        """Append a row; one without an id is named by its number."""
        if "id" in row:
            self.identities.append(hash(row["id"]))
        else:
            row["id"] = str(self.count)
        if "indices" in row and len(row["indices"]):
            self.largest_index = max(self.largest_index, int(row["indices"].max()))
        self.buffer.append(row)
        self.count += 1
        if len(self.buffer) == ROWS_A_BATCH:
            self._flush()

    def close(self) -> None:
        """Write what is left, and make sure that no two rows have the same name.

        Raises:
            DataError: if two rows have.
        """
        self._flush()
        self.writer.close()
        self.file.close()
        hashes = np.frombuffer(self.identities, dtype=np.int64)
        if len(np.unique(hashes)) < len(hashes):
            self._refuse_duplicates()

    def _flush(self) -> None:
        if self.schema is None:
            self.schema = pa.schema([(name, kind) for name, kind in COLUMNS.items() if name in self.buffer[0]])
            self.file = pa.OSFile(str(self.path), "wb")
            self.writer = pa.ipc.new_stream(self.file, self.schema)
        if self.buffer:
            try:
                columns = [pa.array([row.get(field.name) for row in self.buffer], type=field.type) for field in self.schema]
            except (UnicodeError, pa.ArrowException) as error:  # half a surrogate pair out of JSON, texts of more than 2 GiB
                rows = f"rows {self.count - len(self.buffer) + 1} to {self.count}"
                raise DataError(f"{self.source}: {rows} hold what cannot be kept ({error}); correct them") from error
            self.writer.write_batch(pa.record_batch(columns, schema=self.schema))
            self.buffer.clear()

    def _refuse_duplicates(self) -> None:
        with pa.memory_map(str(self.path)) as file:
            names = pa.ipc.open_stream(file).read_all()["id"]
            first: dict[str, int] = {}
            for number, name in enumerate(names.to_pylist(), start=1):
                if name in first:
                    where = f"{self.source}: rows {first[name]} and {number} share the id '{name}'"
                    raise DataError(f"{where}; make ids distinct, or number the rows with id=''")
                first[name] = number


def _kept_digest(path: Path, stamp: str) -> str:
    """The digest of a large file, kept under its path, size and times."""
    note = cache_root() / "digests" / f"{hashlib.sha256(stamp.encode()).hexdigest()}.json"
    found = kept(note)
    if found is None or found.get("stamp") != stamp:
        found = {"stamp": stamp, "digest": storage.digest(path)}
        keep(note, found)
    return found["digest"]


def _damaged(folder: Path, files: Mapping[str, str]) -> str | None:
    """The first file that is missing or altered."""
    for name, digest in files.items():
        try:
            with advised():
                if digest_of(folder / name) != digest:
                    return name
        except OSError:
            return name
    return None
