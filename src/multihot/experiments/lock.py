"""One writer a run folder: a second training into the same one is refused."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import RunError

_held: set[int] = set()  # descriptors; a forked process closes its copies, else a killed training's workers would go on holding them


def _let_go() -> None:
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold a run folder, which need not exist yet, for as long as it is written to.

    The lock is a file beside the folder, ``.NAME.lock``, held with ``flock``: the system lets go of it when a process ends, however that
    ends. It is removed at the end; one that a killed process left behind is in nobody's way.

    Args:
        folder: the run folder.

    Raises:
        RunError: at once, if another process, or another call in this one, is writing to it.
    """
    place = Path(os.path.realpath(folder))
    if not place.name:
        raise RunError(f"{folder} cannot be a run folder; choose another --out")
    made = [parent for parent in place.parents if not parent.exists()]
    path = place.with_name(f".{place.name}.lock")
    try:
        descriptor = _locked(path, folder)
    except (FileExistsError, NotADirectoryError):
        raise RunError(f"{folder} would lie below a file; choose another --out") from None
    except OSError as error:
        raise type(error)(error.errno, os.strerror(error.errno or 0), str(folder)) from error
    _held.add(descriptor)
    try:
        yield
    finally:
        if descriptor in _held:  # else this is a forked process, and the lock its parent's
            if not os.fstat(descriptor).st_size:  # else it is somebody's own file of that name
                path.unlink(missing_ok=True)
            _held.discard(descriptor)
            os.close(descriptor)
        with suppress(OSError):  # a folder that was made for the lock, and in which something lies by now
            for parent in made:
                parent.rmdir()


def _locked(path: Path, folder: Path) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:  # whoever made the folder for a lock of its own removed it since
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise RunError(f"{folder} is being written to by another training; wait for it to end, or choose another --out") from None
        except FileNotFoundError:  # whoever held it removed it since
            pass
        except OSError as error:
            if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):  # a file system without locks
                return descriptor
            os.close(descriptor)
            raise
        os.close(descriptor)
