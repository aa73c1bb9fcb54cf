"""How many cores there are for workers, and one thread of linear algebra for each worker.

NumPy's and SciPy's linear algebra (BLAS) starts as many threads as there are cores, for every worker that calls it. Beside workers of
our own these threads only fight for the cores.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_open = 0  # blocks of ``one_blas_thread``, in all threads
_end = threading.Event()  # of the limit that they share
_keeper = threading.Thread()  # holds it


def available_cores() -> int:
    """Cores that this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Linear algebra of this process takes one thread for each caller inside the block; afterwards it takes as many as before.

    Blocks may overlap in several threads: the last one to end restores.

    >>> from threadpoolctl import threadpool_info
    >>> with one_blas_thread():
    ...     {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    {1}
    """
    global _open, _end, _keeper
    with _lock:
        _open += 1
        if _open == 1:
            _end, begun = threading.Event(), threading.Event()
            _keeper = threading.Thread(target=_limit, args=(begun, _end), daemon=True)
            _keeper.start()
            begun.wait()
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if not _open:
                _end.set()
                _keeper.join()


def _limit(begun: threading.Event, end: threading.Event) -> None:
    """Limit and restore in one thread: threadpoolctl lets only the thread that limited restore, and any may be the last to end."""
    try:
        with threadpool_limits(1, "blas"):
            begun.set()
            end.wait()
    finally:
        begun.set()


def limit_loading_worker(worker: int) -> None:
    """The ``worker_init_fn`` of a ``DataLoader``: linear algebra takes one thread in its process, as PyTorch sees to for its own.

    Args:
        worker: its number.
    """
    threadpool_limits(1, "blas")
