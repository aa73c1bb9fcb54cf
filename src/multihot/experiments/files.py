"""The small files of a run folder: written aside and moved into place, named clearly when missing or damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError


def write_text(path: Path, text: str) -> None:
    """Write a file aside and move it into place, so that nobody ever reads half of it."""
    aside = path.with_name(path.name + ".partial")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, path)


def write_json(path: Path, content: Any) -> None:
    """Write plain values, NumPy numbers and arrays as JSON."""
    write_text(path, json.dumps(content, indent=1, default=_plain, allow_nan=True) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run folder."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path.parent}: {path.name} is missing; the run did not finish or was altered") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is not readable JSON ({error}); the run was altered, train it again") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
