"""The seal of a finished run: the sha256 of every file that is read again, kept in ``metrics.json``, so that altered files are named."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..storage import digest, digest_of_values

SEALED_FROM = 2  # the format of run folders from which on every finished run has a seal
SEALED = ("*.*", "predictions/*.parquet", "log/metrics.csv")  # the logs of others and checkpoints are no part of what a run gives


logger = logging.getLogger("multihot.experiments")


def seal(folder: Path, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``metrics.json`` with the digests of all other files under ``files``, and its own under ``sha256``.

    Args:
        folder: the run folder, complete but for ``metrics.json``.
        metrics: plain values.
    """
    paths = sorted(path for pattern in SEALED for path in folder.glob(pattern) if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths if path.suffix != ".partial" and path.name != "metrics.json"]
    content = {**metrics, "files": {name: digest(folder / name) for name in names}}
    return content | {"sha256": digest_of_values(content)}


def check_metrics(path: Path, content: Mapping[str, Any], version: int) -> None:
    """Refuse a ``metrics.json`` that is not as it was written.

    Args:
        path: where it lies.
        content: what it says.
        version: the format of the run folder; from 2 on there is always a seal, and an older run without one passes with a word.

    Raises:
        RunError: if its digest differs, or there should be one.
    """
    if "files" not in content and "sha256" not in content and version < SEALED_FROM:
        logger.warning("%s: an older run without checksums; whether its files are as they were written is not known", path.parent)
        return
    missing = next((name for name in ("files", "sha256") if name not in content), None)
    if missing:
        reason = f"it lacks its checksums ('{missing}')"
        raise RunError(f"{path} was altered since the training: {reason}; copy the run again or train it again")
    rest = {name: value for name, value in content.items() if name != "sha256"}
    if not isinstance(content.get("files"), dict) or content.get("sha256") != digest_of_values(rest):
        raise RunError(_altered(path))


def check_file(folder: Path, name: str, files: Mapping[str, str]) -> Path:
    """The path of a file of a run, if it is as it was written.

    Args:
        folder: the run folder.
        name: of the file, relative to the folder.
        files: the digests under ``files`` in ``metrics.json``; a file that it does not name is not checked.

    Raises:
        RunError: if a sealed file is missing or altered.
    """
    path = folder / name
    if name not in files:
        return path
    try:
        same = digest(path) == files[name]
    except FileNotFoundError:
        raise RunError(f"{folder}: {name} is missing; the run was altered, copy it again or train it again") from None
    except IsADirectoryError:
        same = False
    if not same:
        raise RunError(_altered(path))
    return path


def _altered(path: Path) -> str:
    return f"{path} is damaged or was altered since the training (its sha256 is another); copy the run again or train it again"
