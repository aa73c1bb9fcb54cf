"""Memory of the process: the most it held, and what becomes of what PyTorch frees on a CPU."""

from __future__ import annotations

import ctypes
import sys

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # as glibc's malloc.h numbers them
LARGEST = 2**30  # bytes


def keep_freed_memory() -> bool:
    """Let this process keep the memory it frees for what it needs next, in place of handing it back to the system.

    By itself glibc asks the system for every large block anew, and at its first use the system fills each page with zeros. The steps of
    a training make and free the same large tensors over and over; there this took 10 to 20 % of the time of one core.
    The process then stays as large as it once was. With another C library nothing happens.

    Returns:
        Whether the C library did as it was told.
    """
    tell = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return tell is not None and bool(tell(MMAP_THRESHOLD, LARGEST)) and bool(tell(TRIM_THRESHOLD, LARGEST))


def peak_memory() -> int | None:
    """The most bytes that this process held so far; None where the system does not tell (Windows).

    >>> peak_memory() > 1_000_000
    True
    """
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
