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
_inside = 0  # how many blocks of ``one_blas_thread`` are open, in all threads
_limits: threadpool_limits | None = None  # that of the first of them


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
    global _inside, _limits
    with _lock:
        if not _inside:
            _limits = threadpool_limits(1, "blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _limits is not None:
                _limits.restore_original_limits()
                _limits = None


def limit_loading_worker(worker: int) -> None:
    """The ``worker_init_fn`` of a ``DataLoader``: linear algebra takes one thread in its process, as PyTorch sees to for its own.

    Args:
        worker: its number.
    """
    threadpool_limits(1, "blas")
