"""One writer for each folder: a second training into the same run is refused, a second sweep waits."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import RunError

WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # what a file system says that has none
GLANCE = 0.2  # seconds between two looks at a lock that is waited for


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a run folder, which need not exist yet, for as long as it is written to.

    The lock is a file beside the folder, ``.NAME.lock``. The system lets go of it when a process ends, however that ends. It is removed at
    the end; one that a killed process left behind is in nobody's way.

    Args:
        folder: the run folder.

    Raises:
        RunError: at once, if another process, or another call in this one, is writing to it.
    """
    path = _lock_of(folder)
    made = [parent for parent in path.parents if not parent.exists()]
    try:
        lock = _acquired(path)
    except Timeout:
        raise RunError(f"{folder} is being written to by another training; wait for it to end, or choose another --out") from None
    except (FileExistsError, NotADirectoryError):
        raise RunError(f"{folder} would lie below a file; choose another --out") from None
    except OSError as error:
        raise type(error)(error.errno, os.strerror(error.errno or 0), str(folder)) from error
    try:
        yield
    finally:
        if lock is not None and lock.is_locked:  # else this is a forked process, and the lock its parent's
            with suppress(OSError):
                if not path.stat().st_size:  # else it is somebody's own file of that name
                    path.unlink()
            lock.release()
        with suppress(OSError):  # a folder that was made for the lock, and in which something lies by now
            for parent in made:
                parent.rmdir()


def is_written_to(folder: Path) -> bool:
    """Whether another process is writing to a run folder."""
    path = _lock_of(folder)
    if not path.exists():
        return False
    try:
        lock = _acquired(path)
    except Timeout:
        return True
    if lock is not None:
        lock.release()
    return False


def _lock_of(folder: Path) -> Path:
    """Where the lock of a run folder lies, by whatever name or link the folder is called."""
    place = Path(os.path.realpath(folder))
    if not place.name:
        raise RunError(f"{folder} cannot be a run folder; choose another --out")
    return place.with_name(f".{place.name}.lock")


def _acquired(path: Path) -> FileLock | None:
    """The lock at a place, held by this process alone; None on a file system without locks.

    Raises:
        Timeout: at once, if it is held already.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0, thread_local=False, mode=0o666)
        try:
            lock.acquire()
        except FileNotFoundError:  # whoever made the folder for a lock of its own removed it since
            continue
        except OSError as error:
            if error.errno in WITHOUT_LOCKS:
                return None
            raise
        return lock
