"""How the error of each method moves with the number of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..experiments import Run
from ..experiments.config import flatten
from ..experiments.grouping import telling_settings
from ..metrics.significance import spread


def training_sizes(runs: Sequence[Run], split: str, measure: str) -> dict[str, Any] | None:
    """A measure over the number of training rows, for runs that differ in it.

    Args:
        runs: on the same instances.
        split: on which they were measured.
        measure: a key of their measures; a run without it is left out.

    Returns:
        ``measure`` and ``methods``, each a ``name`` and ``points``, ``[training rows, mean over seeds, standard deviation or None, seeds]``
        in rising order; None where all runs have the same number of rows. Runs are of one method where all settings of method and
        training are equal; a name has those settings that tell methods of the same name apart.
    """
    found: dict[tuple[tuple[str, str], ...], dict[int, list[float]]] = {}
    for run in runs:
        if measure in run.metrics[split]:
            config = run.config.to_dict()
            settings = {key: repr(value) for key, value in flatten({part: config[part] for part in ("method", "training")}).items()}
            sizes = found.setdefault(tuple(sorted(settings.items())), {})
            sizes.setdefault(run.metrics["data"]["rows"]["train"], []).append(run.metrics[split][measure])
    if len({size for sizes in found.values() for size in sizes}) < 2:
        return None
    names = _names([dict(settings) for settings in found])
    return {
        "measure": measure,
        "methods": [{"name": name, "points": _points(sizes)} for name, sizes in zip(names, found.values(), strict=True)],
    }


def _points(sizes: dict[int, list[float]]) -> list[list[Any]]:
    measured = [(size, spread(values)) for size, values in sorted(sizes.items())]
    return [[size, found.mean, found.deviation, found.seeds] for size, found in measured]


def _names(kinds: Sequence[dict[str, str]]) -> list[str]:
    """Method names, with the settings in which methods of the same name differ.

    >>> _names([{"method.name": "'dldl'", "method.sigma": "1"}, {"method.name": "'dldl'", "method.sigma": "2"}, {"method.name": "'ldl'"}])
    ['dldl sigma=1', 'dldl sigma=2', 'ldl']
    """
    names = []
    for own in kinds:
        alike = [other for other in kinds if other["method.name"] == own["method.name"]]
        telling = [key for key in telling_settings(alike) if key in own]
        words = [f"{key.partition('.')[2].removesuffix('.name')}={own[key]}" for key in telling]
        names.append(" ".join([own["method.name"], *words]).replace("'", ""))
    return names
