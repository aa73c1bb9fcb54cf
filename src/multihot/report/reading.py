"""Run folders as a report reads them: plain files, brought to one order of labels and instances."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ..errors import ConfigurationError, RunError
from ..experiments import Run
from ..labels import LabelSpace
from ..metrics.reliability import LINKS, to_probabilities
from ..predictions import Prediction, Scores, TrueDegrees

SPLITS = ("test", "validation")


@dataclass(frozen=True)
class SplitRun:
    """What a finished run left about one split.

    Args:
        finished: the run.
        name: short, and different from that of every other run of the report.
        prediction: of the split, N instances.
        targets: (N, L) boolean, their true label sets.
        split: "test" or "validation".
    """

    finished: Run
    name: str
    prediction: Prediction
    targets: sparse.csr_matrix
    split: str

    @property
    def folder(self) -> Path:
        return self.finished.folder

    @cached_property
    def truth(self) -> TrueDegrees | None:
        """The true label distributions; None where the run predicts none."""
        return None if self.prediction.degrees is None else self.finished.truth(self.split)

    @property
    def described(self) -> dict[str, Any]:
        """What the run says of its predictions, see ``Predictor.described``; of an older run, only that calibrated scores are log-odds."""
        said: dict[str, Any] = self.finished.metrics.get("predictions", {})
        return said or ({} if self.prediction.uncalibrated is None else {"scores": "log_odds"})

    @property
    def unit(self) -> str:
        """What ``readable`` holds: "degree", "probability", "margin", or "score" where the run does not say."""
        if self.prediction.degrees is not None:
            return "degree"
        kind = self.described.get("scores")
        return "probability" if kind in LINKS else "margin" if kind == "margins" else "score"

    @cached_property
    def readable(self) -> Scores:
        """(N, L), what people read for scores: degrees or probabilities where there are some, else the scores themselves."""
        if self.unit == "probability":
            return to_probabilities(self.prediction.scores, self.described["scores"])
        return self.prediction.scores if self.prediction.degrees is None else self.prediction.degrees


@dataclass(frozen=True)
class Runs:
    """Runs on the same instances of one split, over one label space.

    Args:
        runs: each with its own order of labels and instances.
        split: "test" or "validation".
        labels: those of the first run, then those that only others know.
        ids: N names, in the order of the first run.
        targets: (N, L) boolean.
        chosen: one (N, L) boolean matrix a run.
        columns: one (L of the run,) array a run: where its labels stand in ``labels``.
        order: one (N,) array a run: where the instances stand in its prediction.
    """

    runs: list[SplitRun]
    split: str
    labels: LabelSpace
    ids: list[str]
    targets: sparse.csr_matrix
    chosen: list[sparse.csr_matrix]
    columns: list[np.ndarray]
    order: list[np.ndarray]


def read_runs(folders: Sequence[Path], split: str | None = None) -> Runs:
    """Read finished runs and bring them to one order.

    Args:
        folders: run folders.
        split: "test" or "validation"; None takes the test split where all runs were measured on it.

    Raises:
        RunError: if a folder holds no finished run, or the runs are of different data or instances.
        ConfigurationError: if the split is not one of the two, or no folder is given.
    """
    if not folders:
        raise ConfigurationError("a report needs at least one run folder; for example `multihot report runs/first`")
    opened = [Run(folder) for folder in folders]
    split = _split(opened, split)
    runs = [_read(run, name, split) for run, name in zip(opened, short_names(folders), strict=True)]
    for run in runs[1:]:
        _check_same_data(runs[0], run)
    return _align(runs, split)


def short_names(folders: Sequence[Path]) -> list[str]:
    """The folders' names without what they all begin with.

    >>> short_names([Path("runs/a/br/0"), Path("runs/a/svm/0")])
    ['br/0', 'svm/0']
    """
    whole = [Path(os.path.abspath(folder)) for folder in folders]
    if len(set(whole)) != len(whole):
        twice = next(folder for i, folder in enumerate(whole) if folder in whole[:i])
        raise ConfigurationError(f"the run folder {twice} is named twice; name every run once")
    if len(whole) == 1:
        return [whole[0].name]
    shared = os.path.commonpath(whole)
    return [path.relative_to(shared).as_posix() if path != Path(shared) else path.name for path in whole]


def read_log(path: Path) -> dict[str, list[tuple[float, float]]]:
    """The curves of a training: name -> (update, value) pairs; empty for a method that does not train in updates."""
    if not path.exists():
        return {}
    curves: dict[str, list[tuple[float, float]]] = {}
    with path.open(newline="", encoding="utf-8", errors="replace") as file:  # an altered byte is then no number
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                update = float(row.pop("step"))
                for name, value in row.items():
                    if value:
                        curves.setdefault(name, []).append((update, float(value)))
            except (KeyError, TypeError, ValueError) as error:
                raise RunError(f"{path}, line {number}: not a line of numbers with a step ({error}); the run was altered") from error
    return curves


def read_excerpts(run: SplitRun, split: str, rows: np.ndarray) -> list[str | bytes] | None:
    """What the run kept to show of some instances: texts or encoded pictures; None where it kept nothing."""
    import pyarrow.parquet as pq

    path = run.folder / "predictions" / f"{split}.parquet"
    if "excerpt" not in pq.read_schema(path).names:
        return None
    return pq.read_table(path, columns=["excerpt"])["excerpt"].take(rows).to_pylist()


def _split(runs: Sequence[Run], split: str | None) -> str:
    if split not in (None, *SPLITS):
        raise ConfigurationError(f"split must be one of {', '.join(SPLITS)}, got '{split}'")
    for name in [split] if split else SPLITS:
        without = [run.folder for run in runs if name not in run.metrics]
        if not without:
            return name
    raise RunError(f"{without[0]} was not measured on {split or 'a split that all runs share'}; leave it out or name another split")


def _read(run: Run, name: str, split: str) -> SplitRun:
    try:
        prediction, targets = run.prediction(split)
    except (OSError, ValueError, KeyError, TypeError) as error:  # what pyarrow raises for a damaged file
        raise RunError(f"{run.folder}: predictions/{split}.parquet is damaged ({error}); train the run again") from error
    if targets is None:
        raise RunError(f"{run.folder}: predictions/{split}.parquet holds no true label sets; a report needs a labelled split")
    if len(run.labels) != prediction.num_labels:
        raise RunError(
            f"{run.folder}: labels.json names {len(run.labels)} labels, the predictions {prediction.num_labels}; the run was altered"
        )
    return SplitRun(run, name, prediction, targets, split)


def _check_same_data(first: SplitRun, other: SplitRun) -> None:
    data, others = first.finished.metrics["data"]["name"], other.finished.metrics["data"]["name"]
    if data != others:
        raise RunError(f"{first.folder} is of {data} and {other.folder} of {others}; make one report for each data set")
    ids, other_ids = set(first.prediction.ids), set(other.prediction.ids)
    if ids != other_ids:
        raise RunError(
            f"{first.folder} and {other.folder} were measured on different instances ({len(ids & other_ids)} of {len(ids)} in both); "
            "compare runs with the same splits"
        )


def _align(runs: list[SplitRun], split: str) -> Runs:
    labels = LabelSpace(dict.fromkeys(name for run in runs for name in run.finished.labels.names))
    ids = runs[0].prediction.ids
    columns = [np.array([labels.index[name] for name in run.finished.labels.names]) for run in runs]
    order = []
    for run in runs:
        place = {name: i for i, name in enumerate(run.prediction.ids)} if run.prediction.ids != ids else {}
        order.append(np.array([place[name] for name in ids]) if place else np.arange(len(ids)))

    def spread(matrix: Any, rows: np.ndarray, to: np.ndarray) -> sparse.csr_matrix:
        part = sparse.csr_matrix(matrix, dtype=bool)[rows].tocoo()
        return sparse.csr_matrix((part.data, (part.row, to[part.col])), shape=(len(ids), len(labels)), dtype=bool)

    chosen = [spread(run.prediction.chosen, rows, to) for run, rows, to in zip(runs, order, columns, strict=True)]
    targets = [spread(run.targets, rows, to) for run, rows, to in zip(runs, order, columns, strict=True)]
    together = sparse.csr_matrix(sum(part.astype(np.int8) for part in targets) > 0)
    return Runs(runs, split, labels, ids, together, chosen, columns, order)
