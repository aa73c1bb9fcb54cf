"""What run folders of version 0.1.0 mean: their configurations leave open what has other defaults by now."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..storage.json_files import read_json

FORMAT = 1  # of its run folders
DECODER = {"dropout": 0.2, "direct": False, "first_cell": False, "prior_bias": False}
WITH_DECODER: dict[str, dict[str, Any]] = {  # its methods that emit labels, and what their decoder was besides
    "seq2seq": {},
    "seq2seq+ss": {},
    "order-free": {},
    "order-free+ss": {},
    "ocd": {},
    "ocd-mtl": {},
    "sgm-ge": {"global_embedding": True},
    "seq2set": {},
}
RENAMED = {"seq2set": "seq2set-simple"}


def of_first_version(folder: Path) -> bool:
    """Whether version 0.1.0 wrote a run folder."""
    path = folder / "environment.json"
    return path.exists() and read_json(path).get("run_format") == FORMAT


def as_meant(method: Any) -> Any:
    """A method of version 0.1.0 as this version writes it.

    >>> as_meant({"name": "seq2set", "decoder": {"hidden_size": 8}})["name"], as_meant({"name": "br"})
    ('seq2set-simple', {'name': 'br'})
    >>> as_meant({"decoder": "recurrent"})["decoder"]["direct"]
    False
    """
    name = method.get("name", "br") if isinstance(method, Mapping) else method
    if not isinstance(method, Mapping) or (name not in WITH_DECODER and method.get("decoder") is None):
        return method
    given = method.get("decoder") or {}
    given = {"name": given} if isinstance(given, str) else dict(given)
    decoder = {"name": "recurrent"} | DECODER | WITH_DECODER.get(name, {}) | given
    return {**method, "name": RENAMED.get(name, name), "decoder": decoder}
