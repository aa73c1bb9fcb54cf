"""What is worked out from rows once and kept: tokens, the frames of recordings, the output of a frozen network."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .cache import attempts, cache_root, filling, keep_folder, kept_folder

FILE = "rows.arrow"


def content_key(rows: Any, settings: Any) -> str:
    """One key for the content of the rows and some settings."""
    text = json.dumps([rows._fingerprint, settings], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def map_once(rows: Any, function: Callable[..., Any], *, kind: str, key: str, title: str, long: int, **options: Any) -> Any:
    """``rows.map``, kept in the cache where the rows lie on disk; what was kept and is damaged is worked out again.

    Args:
        rows: a ``datasets.Dataset``.
        function: what is mapped.
        kind: the name of its folder in the cache.
        key: changes whenever the outcome does.
        title: beside the progress bar.
        long: rows from which on there is one.
        **options: of ``datasets.Dataset.map``.

    Returns:
        The mapped rows; memory-mapped where they are kept.

    Raises:
        DataError: if the cache may not be written or its disk is full.
    """
    options |= {"new_fingerprint": key, "desc": title}
    with _progress_bar(shown=sys.stderr.isatty() and len(rows) >= long):
        if not rows.cache_files or not len(rows):
            return rows.map(function, keep_in_memory=True, **options)
        folder = cache_root() / kind / key
        for _ in attempts(folder):
            with suppress(FileNotFoundError):  # taken away by another process that found it damaged
                if kept_folder(folder) is not None:
                    return open_rows(folder / FILE, key)
            with filling(folder) as partial:
                rows.map(function, cache_file_name=str(partial / FILE), **options)
                keep_folder(partial, {})
    raise AssertionError("attempts end by an error")


def open_rows(path: Path, fingerprint: str) -> Any:
    """The rows of an Arrow file, memory-mapped, as a ``datasets.Dataset``."""
    from datasets import Dataset
    from datasets.table import MemoryMappedTable

    return Dataset(MemoryMappedTable.from_file(str(path)), fingerprint=fingerprint)


@contextmanager
def _progress_bar(shown: bool) -> Iterator[None]:
    """The library's bar only where somebody watches and there is something to wait for."""
    import datasets

    if shown or datasets.are_progress_bars_disabled():
        yield
        return
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.enable_progress_bars()
