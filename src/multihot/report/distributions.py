"""Label distributions: true and predicted ones of some instances, whether the expectation holds, and the encoder's view of instances."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..evaluation import each_degree
from ..metrics import expectation
from ..predictions import TrueDegrees
from .reading import Runs
from .training_sizes import training_sizes

INSTANCES = 60  # whose distributions are drawn
NUMBERS = 200_000  # labels and degrees of them in a page, over all runs
LEAST = 0.0005  # a smaller degree is not drawn
BINS = 10
POINTS = 20_000  # of the maps of features, over all runs


def distributions(runs: Runs) -> dict[str, Any] | None:
    """What the page shows of label distributions; None where no run predicts any.

    Returns:
        ``positions``: (L, d), where the report's labels lie, or None; ``measure`` that orders the instances; ``rows``: each
        ``[id, true distribution, true position, error, [distribution and value, or None, a run]]``, from the smallest error to the
        largest, a distribution being columns and their degrees; ``expectation``, ``features`` and ``sizes``: see the functions of
        these names.
    """
    predicting = [number for number, run in enumerate(runs.runs) if run.prediction.degrees is not None]
    if not predicting:
        return None
    widest = max(predicting, key=lambda number: len(runs.columns[number]))  # its truth names most labels
    known = runs.runs[widest].truth
    assert known is not None, "reading refuses a run without true label sets"
    order, columns = runs.order[widest], runs.columns[widest]
    truth = TrueDegrees(known.degrees[order], runs.labels.positions, None if known.values is None else known.values[order])
    measure, errors = _errors(runs, predicting)
    return {
        "positions": truth.axis,
        "measure": measure,
        "rows": [[*_row(runs, truth, columns, row), errors[row]] for row in _evenly(errors, _most(runs)).tolist()],
        "expectation": expectation_reliability(runs, truth),
        "features": features(runs, truth, columns),
        "sizes": training_sizes([run.finished for run in runs.runs], runs.split, measure),
    }


def _errors(runs: Runs, predicting: list[int]) -> tuple[str, Float[np.ndarray, " N"]]:
    """The measure by which instances are ordered, and its mean over the runs; NaN where no run has it."""
    found = []
    for number in predicting:
        run = runs.runs[number]
        truth = run.truth
        found.append({} if truth is None else each_degree(run.prediction, truth))
    measure = "mean_absolute_error" if any("mean_absolute_error" in one for one in found) else "kullback_leibler"
    each = np.array([one[measure][runs.order[number]] for number, one in zip(predicting, found, strict=True) if measure in one])
    counts = (~np.isnan(each)).sum(axis=0)
    return measure, np.where(counts > 0, np.nansum(each, axis=0) / np.maximum(counts, 1), np.nan)


def _most(runs: Runs) -> int:
    return max(1, min(INSTANCES, NUMBERS // (2 * len(runs.labels) * (len(runs.runs) + 1))))


def _evenly(errors: Float[np.ndarray, " N"], most: int) -> np.ndarray:
    """Rows evenly spaced from the smallest error to the largest.

    >>> _evenly(np.array([3.0, np.nan, 1.0, 2.0]), most=2).tolist()
    [2, 0]
    """
    known = np.flatnonzero(~np.isnan(errors))
    ranked = known[np.argsort(errors[known], kind="stable")]
    return ranked[np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round().astype(np.int64)]


def _row(runs: Runs, truth: TrueDegrees, columns: np.ndarray, row: int) -> list[Any]:
    true = _drawn(truth.degrees[[row]].toarray()[0], columns)
    predicted = []
    for run, own, order in zip(runs.runs, runs.columns, runs.order, strict=True):
        degrees, values = run.prediction.degrees, run.prediction.values
        value = None if values is None else values[order[row]]
        predicted.append(None if degrees is None else [*_drawn(degrees[order[row]], own), value])
    return [runs.ids[row], true, _position(truth, row), predicted]


def _position(truth: TrueDegrees, row: int) -> Float[np.ndarray, " d"] | None:
    """Where an instance truly lies; None where nobody knows."""
    return None if truth.values is None or np.isnan(truth.values[row]).any() else truth.values[row]


def _drawn(degrees: Float[np.ndarray, " L"], columns: np.ndarray) -> list[np.ndarray]:
    """The columns of the report that carry mass, and how much."""
    kept = np.flatnonzero(degrees >= LEAST)
    return [columns[kept], degrees[kept].astype(np.float64)]


def expectation_reliability(runs: Runs, truth: TrueDegrees) -> list[list[dict[str, Any]] | None] | None:
    """Whether an expectation of 34 means 34: in ten bins of predicted expectation, equally wide and the same for every run.

    Args:
        runs: N instances.
        truth: where they lie, in the runs' order.

    Returns:
        A run, None for one without distributions, else one entry an axis: ``bins``, ``[from, to, instances, mean expectation, mean true
        position]`` for each that is not empty, and ``error``, the mean distance of the last two, weighted by instances. None without an
        axis.
    """
    if truth.values is None:
        return None
    read: list[np.ndarray | None] = []
    for run, order in zip(runs.runs, runs.order, strict=True):
        axis, degrees = run.finished.labels.positions, run.prediction.degrees
        read.append(None if axis is None or degrees is None else expectation(degrees, axis)[order])
    together = np.concatenate([one for one in read if one is not None])
    edges = np.linspace(together.min(axis=0), together.max(axis=0), BINS + 1)
    axes = range(truth.values.shape[1])
    return [None if one is None else [_binned(one[:, a], truth.values[:, a], edges[:, a]) for a in axes] for one in read]


def _binned(predicted: Float[np.ndarray, " N"], true: Float[np.ndarray, " N"], edges: Float[np.ndarray, " B"]) -> dict[str, Any]:
    known = ~np.isnan(true)
    predicted, true = predicted[known], true[known]
    place = np.clip(np.searchsorted(edges, predicted, side="right") - 1, 0, BINS - 1)
    bins = []
    for number in np.unique(place).tolist():
        inside = place == number
        bins.append([edges[number], edges[number + 1], int(inside.sum()), predicted[inside].mean(), true[inside].mean()])
    gap = sum(count * abs(promised - real) for _, _, count, promised, real in bins)
    return {"bins": bins, "error": gap / max(len(true), 1)}


def features(runs: Runs, truth: TrueDegrees, columns: np.ndarray) -> dict[str, Any] | None:
    """The maps that runs kept of their encoders' pooled vectors.

    Returns:
        ``runs``: one entry a run, None for one that kept none, else ``explained`` and ``points``, ``[instance, x, y]`` scaled so that
        the largest coordinate is 1; ``instances``: ``[id, true position, column of the largest true degree]``. None where no run kept any.
    """
    kept = [run.finished.feature_map if runs.split == "test" else {} for run in runs.runs]
    if not any(kept):
        return None
    place = {name: row for row, name in enumerate(runs.ids)}
    names = [name for name in dict.fromkeys(name for one in kept for name in one.get("points", ())) if name in place]
    names = names[: POINTS // len(runs.runs)]
    rows = [place[name] for name in names]
    modes = sparse.csr_matrix(truth.degrees)[rows]
    labelled = np.diff(modes.indptr) > 0
    largest = columns[np.asarray(modes.argmax(axis=1)).ravel()]
    instances = [
        [name, _position(truth, row), int(label) if has else None]
        for name, row, label, has in zip(names, rows, largest, labelled, strict=True)
    ]
    return {"instances": instances, "runs": [_map(one, names) for one in kept]}


def _map(kept: dict[str, Any], names: list[str]) -> dict[str, Any] | None:
    if not kept:
        return None
    found = [(number, kept["points"][name]) for number, name in enumerate(names) if name in kept["points"]]
    largest = max((abs(value) for _, point in found for value in point), default=0) or 1
    return {"explained": kept["explained"], "points": [[number, x / largest, y / largest] for number, (x, y) in found]}
