"""Files that are written whole or not at all: aside first, then moved into place; pipes, devices and links stay what they are."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ..errors import ConfigurationError

FULL = (errno.ENOSPC, errno.EDQUOT)  # what a disk says that has no room left
CLOSED = (errno.EACCES, errno.EROFS, errno.EPERM)  # what a place says that may not be written
ASIDE = re.compile(r"\..*-\d+-[0-9a-f]{8}\.partial", re.DOTALL)  # the names that _aside gives
ABANDONED_AFTER = 24 * 3600  # seconds, then the leavings of a killed process are removed
MOST_LINKS = 40  # one after another, as the kernel counts them


@contextmanager
def replacing(target: str | Path) -> Iterator[Path]:
    """A name to write a file under, which becomes ``target`` at the end; after an error, ``target`` is as it was.

    A regular file is replaced in one step, so a reader sees the old content or the new one. A symbolic link stays, and the file that it
    leads to is replaced. What was written for a pipe, a device or an open descriptor such as ``/dev/stdout`` goes into it at the end.

    Args:
        target: the file; its folder is made where it is missing.

    Raises:
        ConfigurationError: if no file can be there.
        OSError: if the disk is full or may not be written; it names the target.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "new", "a.txt")
    >>> with replacing(path) as partial:
    ...     _ = partial.write_text("all of it")
    >>> path.read_text()
    'all of it'
    """
    target = Path(target)
    descriptor = check_target(target)
    if descriptor is not None or (target.exists() and not target.is_file()):
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, "content")
            yield written
            with written.open("rb") as content, _named(target), _opened(target, descriptor) as sink:
                shutil.copyfileobj(content, sink)
        return
    place = Path(os.path.realpath(target))
    with _named(target, place), _written_aside(place) as partial:
        yield partial
        with suppress(FileNotFoundError):
            shutil.copymode(place, partial)
        os.replace(partial, place)


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A new folder to be filled, which becomes ``folder`` at the end; of two processes that make the same one, the first wins.

    Raises:
        OSError: if the disk is full or may not be written; it names the folder.
    """
    with _named(folder), _written_aside(folder) as partial:
        partial.mkdir()
        yield partial
        try:
            os.rename(partial, folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # else another process was quicker with the same content
                raise


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole or not at all, line ends as they are; names that are not UTF-8 stand as their codes."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def check_target(target: Path) -> int | None:
    """Refuse a name under which no file can be written, before any work is done for it.

    Returns:
        The number of the open descriptor that the name stands for, if it is one such as ``/dev/stdout``.

    Raises:
        ConfigurationError: for a folder, a socket, links that lead in a circle, or a place below a file.
    """
    descriptor = _descriptor(target)
    if descriptor is not None:
        return descriptor
    place = os.path.realpath(target)
    if os.path.islink(place):
        raise ConfigurationError(f"{target} is a link that leads back to itself; remove it or choose another name")
    try:
        mode = os.stat(place).st_mode
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise ConfigurationError(f"{target} would lie below a file; choose another name") from None
    if stat.S_ISDIR(mode):
        raise ConfigurationError(f"{target} is a folder; give the name of a file, such as {target / 'name'}")
    if stat.S_ISSOCK(mode):
        raise ConfigurationError(f"{target} is a socket, which takes no file; choose another name")
    return None


def discard(path: Path) -> None:
    """Take a file or a folder away in one step, though other processes may still read it."""
    aside = _aside(path)
    with suppress(FileNotFoundError):
        os.rename(path, aside)
    _remove(aside)


def remove_leavings(folder: Path, target: str = "", after: float = 0.0) -> None:
    """Remove what killed processes left half-written in a folder.

    Args:
        folder: where they wrote.
        target: the name of what they wrote; nothing takes whatever it was, which is right in a folder of our own only.
        after: seconds without a change; 0 is right where nobody else can be writing.
    """
    for path in list(folder.glob(f".{glob.escape(target[:50])}*.partial")):
        with suppress(OSError):  # another process is removing it, or it is not ours to remove
            if ASIDE.fullmatch(path.name) and time.time() - path.lstat().st_mtime >= after:
                _remove(path)


def digest(path: Path) -> str:
    """The sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_values(content: Any) -> str:
    """The sha256 of plain values, whatever the order of the keys.

    >>> digest_of_values({"a": 1, "b": 2}) == digest_of_values({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def _written_aside(place: Path) -> Iterator[Path]:
    """A name beside ``place`` that no other process uses; what is left under it at the end is removed."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ConfigurationError(f"{place} would lie below a file; choose another name") from None
    partial = _aside(place)
    remove_leavings(place.parent, place.name, ABANDONED_AFTER)
    try:
        yield partial
    finally:
        with suppress(OSError):
            _remove(partial)


def _aside(place: Path) -> Path:
    return place.parent / f".{place.name[:50]}-{os.getpid()}-{uuid.uuid4().hex[:8]}.partial"  # 255 bytes in any script


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _named(target: Path, place: Path | None = None) -> Iterator[None]:
    """Errors of the disk name what was to be written; the system names a file written aside, another one, or none."""
    try:
        yield
    except OSError as error:
        near = f"{(place or target).parent}{os.sep}."
        if error.errno not in (*FULL, *CLOSED) or (error.filename is not None and not str(error.filename).startswith(near)):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(target)) from error


def _opened(target: Path, descriptor: int | None) -> IO[bytes]:
    if descriptor is None:
        return target.open("wb")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fdopen(os.dup(descriptor), "wb")  # opened anew, it would begin at the start of a file that the shell writes to


def _descriptor(target: Path) -> int | None:
    """The open descriptor that a name leads to, over links such as ``/dev/stdout``."""
    path = os.path.abspath(target)
    for _ in range(MOST_LINKS):
        folder, name = os.path.split(path)
        if name.isdigit() and os.path.realpath(folder) in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
            return int(name)
        if not os.path.islink(path):
            break
        path = os.path.normpath(os.path.join(os.path.realpath(folder), os.readlink(path)))
    return None
