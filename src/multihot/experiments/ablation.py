"""The short ablation that checks an advice: the advised settings beside plain ones, on held-out rows of the training split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..components import split_config
from ..data import MultiLabelData
from ..errors import ConfigurationError
from ..metrics.significance import spread
from .advise import Advice, long_tailed
from .compare import Comparison, MethodResult, compare
from .fit import fit, resume
from .sweep import Cell, Sweep, plan_sweep

ADVISED = "advised"
SAMPLED = "class_aware"
RIVALS = ("binary_cross_entropy", "zlpr", "asymmetric")
HELD_OUT, VALIDATION = 0.3, 0.2  # shares of the rows, and of what is left of them
LEVEL = 0.05
LEAST = 20  # rows; fewer leave nothing to measure on


@dataclass(frozen=True)
class Ablation:
    """What the ablation found.

    Args:
        measure: what was wanted.
        comparison: all runs, the advised ones as baseline.
        p_value: of the paired permutation test between the best and the advised; None for the advised itself, and for mAP.
        difference: t-interval over the seeds of the best minus the advised; NaN for one seed.
    """

    measure: str
    comparison: Comparison
    p_value: float | None
    difference: tuple[float, float]

    @property
    def ranking(self) -> list[MethodResult]:
        """The methods, the best first."""
        return sorted(self.comparison.data_sets[0].methods, key=lambda one: one.spread[self.measure].mean, reverse=True)

    @property
    def agrees(self) -> bool:
        """Whether the advised is the best, or the best is not significantly better.

        By the paired test over instances where the measure has one; for mAP, by whether the t-interval over the seeds reaches 0.
        """
        if self.ranking[0].name == ADVISED:
            return True
        return self.p_value >= LEVEL if self.p_value is not None else not self.difference[0] > 0


def held_out(data: MultiLabelData, limit: int | None = None) -> MultiLabelData:
    """Cut the training split into parts for training, validation and measuring; the data's own test split is never looked at.

    Args:
        data: with a training split.
        limit: rows to draw from it, the same ones at every call; None takes all.

    Returns:
        The data set ``<name> (held out)``: 56% of the rows train, 14% choose, 30% measure, label sets alike in all.

    Raises:
        ConfigurationError: if fewer than 20 rows are left.
    """
    train = data.split("train")
    size = min(limit or len(train), len(train))
    if size < LEAST:
        raise ConfigurationError(
            f"the ablation needs at least {LEAST} training rows, got {size} of {data.name}; raise --limit or give more"
        )
    rows = np.sort(np.random.default_rng(0).choice(len(train), size, replace=False))
    part = replace(data, name=f"{data.name} (held out)", splits={"train": train}).with_rows({"train": rows}, f"ablation-{size}")
    return part.with_validation(HELD_OUT, split="test").with_validation(VALIDATION)


def plan_ablation(advice: Advice, base: Mapping[str, Any], out: str | Path, seeds: Sequence[int] = (0, 1, 2)) -> Sweep:
    """The advised settings and their rivals, each with every seed.

    Rivals differ in the loss alone: binary cross entropy, ZLPR and asymmetric always, and where rare labels count, those made for long
    tails; there, the advised loss with class-aware sampling is a rival, too.

    Args:
        advice: what is to be checked.
        base: the configuration that was advised, with what the user set besides.
        out: the folder of all runs.
        seeds: of initial weights and batches; the held-out rows are the same for all.

    Returns:
        The runs, not yet made.
    """
    loss = split_config("loss", base["method"]["loss"])[0]
    tail = long_tailed(advice.figures, advice.measure)
    rivals = [*RIVALS, "dab", "distribution_balanced"] if tail else RIVALS
    methods = {ADVISED: base["method"]} | {name: {**base["method"], "loss": name} for name in rivals if name != loss}
    if tail:
        methods[SAMPLED] = base["method"]
    data = {**(base.get("data") or {}), "name": "runs"}
    overrides = [{"when": {"method": SAMPLED}, "set": {"training.sampler": SAMPLED}}] if tail else []
    content = {"data": [data], "methods": methods, "seeds": list(seeds), "training": base["training"], "overrides": overrides}
    return plan_sweep(content, out, where="the ablation")


def run_ablation(planned: Sweep, data: MultiLabelData, measure: str, say: Callable[[str], None] = lambda line: None) -> Ablation:
    """Make the runs that are not finished, and compare them all.

    Args:
        planned: by ``plan_ablation``.
        data: by ``held_out``; its test split is what is measured.
        measure: what was wanted.
        say: told in one line what happens.

    Returns:
        What was found.
    """
    for place, cell in enumerate(planned.cells, start=1):
        if cell.state != "finished":
            _train(cell, data)
            cell.finish()
        say(f"[{place}/{len(planned.cells)}] {cell.method}, {cell.told}: {measure} {cell.measures[measure]:.4f}")
    found = compare([cell.folder for cell in planned.cells], ADVISED, [measure])
    ours, *others = _by_method(planned, measure).items()
    best, values = max([ours, *others], key=lambda item: float(np.mean(list(item[1].values()))))
    gap = spread([values[seed] - ours[1][seed] for seed in ours[1]])
    result = next(one for one in found.data_sets[0].methods if one.name == best)
    return Ablation(measure, found, result.p_values.get(measure), (gap.low, gap.high))


def _train(cell: Cell, data: MultiLabelData) -> None:
    if (cell.folder / "checkpoints" / "last.ckpt").exists():
        resume(cell.folder, data)
    else:
        fit(cell.config, cell.folder, data, overwrite=True)


def _by_method(planned: Sweep, measure: str) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, list[float]]] = {}
    for cell in planned.cells:
        found.setdefault(cell.method, {}).setdefault(cell.seed, []).append(cell.measures[measure])
    return {method: {seed: float(np.mean(values)) for seed, values in seeds.items()} for method, seeds in found.items()}
