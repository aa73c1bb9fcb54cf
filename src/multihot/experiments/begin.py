"""How a run folder begins and ends: what is in it stays until the new run is finished, and the training goes on with its own data alone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from ..data import MultiLabelData
from ..errors import DataError, RunError
from ..storage import remove_leavings
from ..storage.json_files import check_name, read_json, write_json
from .config import Config, save_config
from .run import kept_beside

DATA = "data.json"  # in a run folder: what the training began with


def check_folder(folder: Path, overwrite: bool) -> None:
    """Refuse to touch what is there, unless told to or unless nothing in it is worth keeping.

    A finished run that a killed replacement had moved aside is put back first, if nothing has taken its place.
    """
    if check_name(folder).exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; choose another --out")
    before = kept_beside(folder)
    if before is not None and not folder.exists():
        before.rename(folder)
    if folder.exists():
        clear_leavings(folder)  # all that a training killed in its first moment leaves
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / "config.yaml").exists():
        raise RunError(f"{folder} is not empty and no run folder, so nothing is written to it; choose another --out")
    if overwrite:
        return
    if (folder / "metrics.json").exists():
        raise RunError(f"{folder} holds a finished run already; choose another --out or pass --overwrite")
    if (folder / "checkpoints" / "last.ckpt").exists():
        kept = f" (the finished run before it is in {before})" if before else ""
        raise RunError(
            f"{folder} holds an unfinished run{kept}; `multihot train --resume {folder}` goes on with it, --overwrite starts anew"
        )


def open_folder(folder: Path, config: Config) -> None:
    """Start a run folder; a finished run that it replaces is moved to ``NAME.previous`` until the new one is finished."""
    place = Path(os.path.realpath(folder))
    if (place / "metrics.json").exists():
        aside = place.with_name(place.name + ".previous")
        if aside.exists() and kept_beside(place) is None:
            raise RunError(f"{aside} is in the way of moving the run before to it, and holds none; move it elsewhere")
        shutil.rmtree(aside, ignore_errors=True)
        place.rename(aside)
    elif place.exists():
        shutil.rmtree(place)
    place.mkdir(parents=True)
    save_config(folder / "config.yaml", config)


def close_folder(folder: Path) -> None:
    """The new run is finished: what goes on only as long as it was not is removed."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    if before := kept_beside(folder):
        shutil.rmtree(before)


def clear_leavings(folder: Path) -> None:
    """Remove what killed processes left half-written in a run folder; only whoever holds the folder may."""
    for place in (folder, *(inner for inner in folder.iterdir() if inner.is_dir())):
        remove_leavings(place)


def remember_data(folder: Path, data: MultiLabelData) -> None:
    """Write down what the training begins with."""
    write_json(folder / DATA, _identity(data))


def check_data(folder: Path, data: MultiLabelData) -> None:
    """Refuse to go on with other data than the training began with.

    Raises:
        DataError: naming the split that differs.
    """
    before, now = read_json(folder / DATA), _identity(data)
    if {**before, "name": ""} == {**now, "name": ""}:
        return
    was, given = before.get("contents") or {}, now["contents"]
    altered = [split for split in dict.fromkeys([*was, *given]) if was.get(split) != given.get(split)]
    what = f"the {' and the '.join(altered)} split of {data.name} is" if altered else f"the rows of {data.name} are"
    raise DataError(f"{what} not what the training in {folder} began with; put the data back as it was, or start anew with --overwrite")


def _identity(data: MultiLabelData) -> dict[str, Any]:
    rows = {split: len(rows) for split, rows in data.splits.items()}
    return {"name": data.name, "fingerprint": data.fingerprint, "contents": dict(data.contents), "rows": rows}
