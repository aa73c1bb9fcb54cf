"""The curves of a training, thinned out to what a drawing shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..metrics.registry import headlines

POINTS = 150


def training_curves(log: Mapping[str, Sequence[tuple[float, float]]], best_update: int | None) -> dict[str, Any] | None:
    """Losses and validation measures over updates; None for a method that does not train in updates.

    Args:
        log: name -> (update, value) pairs.
        best_update: whose weights were kept.

    Returns:
        ``losses`` and ``measures``: name -> ``[updates, values]``, at most 150 points each; ``reported``: what the objective reports beside
        its loss, title -> lines of that kind, so that a discriminator's scores share a drawing; ``readings``: measure -> reading -> the
        same, where the training was read in several ways; ``best``.
    """
    losses = {name: thin(pairs) for name, pairs in log.items() if "loss" in name and "ranking" not in name}
    measures = {name: thin(log[f"validation/{name}"]) for name in headlines() if f"validation/{name}" in log}
    if not losses and not measures:
        return None
    return {"losses": losses, "measures": measures, "reported": reported(log), "readings": read_in_ways(log), "best": best_update}


def read_in_ways(log: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, dict[str, list[list[float]]]]:
    """The validation measures of every reading that a training logged besides its own (Tsai 2019, figure 4.3).

    >>> read_in_ways({"reading/beam/micro_f1": [(1, 0.5)], "validation/micro_f1": [(1, 0.6)]})
    {'micro_f1': {'beam': [[1.0], [0.5]]}}
    """
    found: dict[str, dict[str, list[list[float]]]] = {}
    for name, pairs in log.items():
        room, _, rest = name.partition("/")
        if room == "reading":
            reading, _, measure = rest.rpartition("/")
            found.setdefault(measure, {})[reading] = thin(pairs)
    return found


def reported(log: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, dict[str, list[list[float]]]]:
    """The lines beside the losses, by what they are drawn under; scores that a discriminator gives belong together.

    >>> reported({"training/d_real": [(1, 0.5)], "training/d_generated": [(1, -0.5)], "training/reward": [(1, 2.0)]})
    {'Discriminator': {'real': [[1.0], [0.5]], 'generated': [[1.0], [-0.5]]}, 'Reward': {'reward': [[1.0], [2.0]]}}
    """
    found: dict[str, dict[str, list[list[float]]]] = {}
    for name, pairs in log.items():
        room, _, term = name.partition("/")
        if room == "training" and not term.endswith("loss"):
            words = term.removeprefix("d_").replace("_", " ")
            found.setdefault("Discriminator" if term.startswith("d_") else words.capitalize(), {})[words] = thin(pairs)
    return found


def thin(pairs: Sequence[tuple[float, float]], points: int = POINTS) -> list[list[float]]:
    """Means over neighbours where there are more than ``points``: ``[updates, values]``.

    >>> thin([(1, 4.0), (2, 2.0), (3, 6.0), (4, 0.0)], points=2)
    [[1.5, 3.5], [3.0, 3.0]]
    """
    parts = np.array_split(np.asarray(pairs, dtype=np.float64), min(points, len(pairs)))
    means = [part.mean(axis=0) for part in parts]
    return [[float(mean[i]) for mean in means] for i in (0, 1)]
