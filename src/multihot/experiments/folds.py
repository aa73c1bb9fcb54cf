"""Runs over folds: one for every fold, read together as one training in which every row is a test row once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ..errors import RunError
from ..evaluation import each_degree
from ..labels import binarise, in_order
from ..metrics.counts import SetTable
from ..metrics.registry import METRICS, of_label_sets
from .config import Config
from .run import Run

AGREES = 1e-6


def folder_name(seed: int, fold: int | None) -> str:
    """What a sweep calls the folder of a run.

    >>> folder_name(1, None), folder_name(1, 0)
    ('1', '1-fold0')
    """
    return str(seed) if fold is None else f"{seed}-fold{fold}"


def each_fold(config: Config, named: bool) -> list[tuple[int | None, Config]]:
    """The experiment once for every fold; once alone where it has none, or where the fold is ``named``."""
    if not config.data.folds:
        return [(None, config)]
    numbers = [config.data.fold] if named else range(config.data.folds)
    return [(number, replace(config, data=replace(config.data, fold=number))) for number in numbers]


@dataclass(frozen=True)
class Rows:
    """What a run says of the instances of a split.

    Args:
        labels: their names, in the order of the columns.
        ids: names of the N instances.
        targets: (N, L) true label sets.
        chosen: (N, L) predicted label sets.
        degrees: the values of each instance in metrics of label distributions, or None.
        unseen: (N,) whether no training instance carries the true label set.
    """

    labels: tuple[str, ...]
    ids: list[str]
    targets: sparse.csr_matrix
    chosen: sparse.csr_matrix
    degrees: Mapping[str, Float[np.ndarray, " N"]] | None
    unseen: Bool[np.ndarray, " N"]

    def table(self) -> SetTable:
        """What each instance counts."""
        return SetTable.from_label_sets(self.targets, self.chosen, self.degrees)


def each_run(some: Iterable[Run | Folds]) -> list[Run]:
    """The single runs, those of folds one by one."""
    return [run for one in some for run in (one.runs if isinstance(one, Folds) else [one])]


def rows_of(run: Run | Folds, split: str) -> Rows:
    """What a run, or the runs of all folds together, kept of a split.

    Raises:
        RunError: where the files of a run do not fit together.
    """
    if isinstance(run, Folds):
        return _joined([rows_of(one, split) for one in run.runs])
    prediction, targets = run.prediction(split)
    if targets is None or targets.shape[1] != len(run.labels):
        raise RunError(f"{run.folder}: predictions/{split}.parquet does not fit labels.json; the run was altered")
    truth = None if prediction.degrees is None else run.truth(split)
    degrees = None if truth is None else each_degree(prediction, truth)
    unseen = run.whole_statistics.set_frequency(targets) == 0
    return Rows(tuple(run.labels.names), prediction.ids, targets, binarise(prediction.chosen), degrees, unseen)


def agrees(table: SetTable, measures: Mapping[str, float]) -> bool:
    """Whether the kept label sets give the metrics of the run; not where entries are unknown, since those are not kept."""
    found = measured(table, ["micro_f1", "hamming_accuracy"])
    return all(name in measures and abs(value - measures[name]) < AGREES for name, value in found.items())


def measured(table: SetTable, names: Sequence[str]) -> dict[str, float]:
    """Those of some metrics that follow from what instances count."""
    found = {}
    for name in names:
        metric = METRICS.get(name)
        if metric is not None and metric.from_sums is not None and (of_label_sets(name) or name in table.names):
            found[name] = float(metric.from_sums(table.sums(np.ones((1, len(table))), metric.per_label))[0])
    return found


class Folds:
    """The runs of one method and seed over the folds of the data, with what a comparison asks of a run.

    Metrics that follow from sums over instances are those of the joined rows; others, which rank all instances of one model, are means over
    the folds, weighted by their rows. What they cost is the mean over the folds, peak memory the most.

    Args:
        runs: one for each fold, in order.
        split: "test" or "validation", what is read of them.
    """

    def __init__(self, runs: Sequence[Run], split: str):
        self.runs = sorted(runs, key=lambda run: run.config.data.fold)
        self.split = split

    @property
    def config(self) -> Config:
        return self.runs[0].config

    @property
    def folder(self) -> Path:
        return self.runs[0].folder

    @property
    def missing(self) -> list[int]:
        """The folds without a run."""
        return sorted(set(range(self.config.data.folds or 0)) - {run.config.data.fold for run in self.runs})

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What the runs measured, as the ``metrics.json`` of one run says it; without its breakdowns."""
        tests = [run.metrics[self.split] for run in self.runs]
        rows = [run.metrics["data"]["rows"][self.split] for run in self.runs]
        common = [name for name in tests[0] if all(isinstance(test.get(name), (int, float)) for test in tests)]
        values = {name: float(np.average([test[name] for test in tests], weights=rows)) for name in common}
        parts = [rows_of(run, self.split) for run in self.runs]
        if len(self.runs) > 1 and all(agrees(part.table(), test) for part, test in zip(parts, tests, strict=True)):
            values |= measured(_joined(parts).table(), common)
        costs = [run.metrics["cost"] for run in self.runs]
        shared = [name for name in costs[0] if all(isinstance(cost.get(name), (int, float)) for cost in costs)]
        cost = {name: float((max if name == "peak_memory_bytes" else np.mean)([one[name] for one in costs])) for name in shared}
        first = self.runs[0].metrics
        return {
            self.split: values,
            "cost": cost,
            "data": {**first["data"], "rows": {self.split: sum(rows)}},
            "predictions": first.get("predictions", {}),
        }


def _joined(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts by their names, under the labels of all parts."""
    labels = in_order({name for part in parts for name in part.labels})
    column = {name: number for number, name in enumerate(labels)}

    def stacked(matrices: Sequence[sparse.csr_matrix]) -> sparse.csr_matrix:
        wide = []
        for part, matrix in zip(parts, matrices, strict=True):
            entries = sparse.coo_matrix(matrix)
            places = np.array([column[name] for name in part.labels], dtype=np.int64)[entries.col]
            wide.append(sparse.csr_matrix((entries.data, (entries.row, places)), shape=(matrix.shape[0], len(labels))))
        return sparse.vstack(wide, format="csr")[order]

    ids = [name for part in parts for name in part.ids]
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    degrees = None
    if all(part.degrees is not None for part in parts):
        names = [name for name in parts[0].degrees or {} if all(name in (part.degrees or {}) for part in parts)]
        degrees = {name: np.concatenate([(part.degrees or {})[name] for part in parts])[order] for name in names}
    return Rows(
        labels=tuple(labels),
        ids=[ids[i] for i in order],
        targets=stacked([part.targets for part in parts]),
        chosen=stacked([part.chosen for part in parts]),
        degrees=degrees,
        unseen=np.concatenate([part.unseen for part in parts])[order],
    )
