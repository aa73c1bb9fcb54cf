"""What strangers could give one: run folders, configurations, sweeps and checkpoints that name code or hold some."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import yaml

from multihot.experiments.seal import seal
from multihot.storage.json_files import write_json

CANARY = """
import pathlib
pathlib.Path({mark!r}).write_text("imported")


class X:
    pass
"""


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.path, "w"))


def pickled(mark: Path) -> bytes:
    return pickle.dumps(Bomb(mark))


def plant(folder: Path, module: str, mark: Path) -> str:
    """A module that makes a file when it is imported; the dotted path of a class in it."""
    path = folder.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CANARY.format(mark=str(mark)))
    return f"{module}.X"


def sealed_again(folder: Path) -> Path:
    """A run folder whose checksums were computed again after it was altered: they hold no secret."""
    content = json.loads((folder / "metrics.json").read_text())
    content = {key: value for key, value in content.items() if key not in ("files", "sha256")}
    (folder / "metrics.json").unlink()
    write_json(folder / "metrics.json", seal(folder, content))
    return folder


def put(content: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Set ``"method.encoder"`` in nested mappings."""
    *above, last = key.split(".")
    inner = content
    for name in above:
        inner[name] = dict(inner.get(name) or {})
        inner = inner[name]
    inner[last] = value
    return content


def foreign_run(whole: Path, folder: Path, key: str, value: Any) -> Path:
    """A copy of a run that names something else in its configuration, and whose checksums fit."""
    shutil.copytree(whole, folder)
    content = put(yaml.safe_load((folder / "config.yaml").read_text()), key, value)
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    return sealed_again(folder)


def configuration(source: Path, key: str, value: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"data": {"source": str(source), "text": "body", "labels": "tags"}, "method": {"name": "br"}}
    return put(content | {"training": {"epochs": 1}}, key, value)


def plan(source: Path, key: str, value: Any) -> dict[str, Any]:
    """A sweep of one run."""
    content = configuration(source, key, value)
    return {"data": [content["data"] | {"name": "small"}], "methods": {"m": content["method"]}, "training": content["training"]}
