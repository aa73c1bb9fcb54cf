"""The JSON files of a run folder: written whole or not at all, named clearly when missing or damaged."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

from ..errors import RunError
from .files import write_text
from .shapes import MAPPING, Shape, misfit


def check_name(folder: Path) -> Path:
    """The folder, if every library that writes into run folders can say its name.

    Raises:
        RunError: for a name that is not UTF-8, or that the file system cannot hold.
    """
    try:
        str(folder).encode()
        folder.lstat()
    except UnicodeEncodeError:
        raise RunError(f"{folder}: the name of this folder is not UTF-8, so no run can lie there; give it another name") from None
    except ValueError:
        raise RunError(f"{str(folder)!r} holds a zero byte, which no name of a folder can; give it another name") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise RunError(f"the name {str(folder)[:40]}... is too long for a folder; give it a shorter one") from None
    return folder


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write plain values, NumPy numbers and arrays as JSON; without an indent, on one line, which is quicker for large ones."""
    write_text(path, json.dumps(content, indent=indent, default=_plain, allow_nan=True) + "\n")


def read_json(path: Path, shape: Shape = MAPPING) -> dict[str, Any]:
    """Read a JSON file of a run folder: one object, of a shape (see ``shapes``).

    Raises:
        RunError: if it is missing or holds anything else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path.parent}: {path.name} is missing; the run did not finish or was altered") from None
    except (ValueError, RecursionError, IsADirectoryError, NotADirectoryError) as error:
        raise RunError(f"{path} is not readable JSON ({error}); the run was altered, train it again") from error
    if wrong := misfit(content, shape):
        raise RunError(f"{path}: {wrong}; the run was altered, train it again")
    return content


def plain(content: Any) -> Any:
    """NumPy numbers and arrays, tuples and the like as JSON reads them back."""
    return json.loads(json.dumps(content, default=_plain))


def _plain(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
