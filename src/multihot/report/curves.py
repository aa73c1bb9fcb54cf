"""Precision and recall at every threshold, thinned out to what a drawing shows, and the point that the run chose."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ..predictions import Prediction

POINTS = 60  # of one curve
LABEL_POINTS = 40
LABEL_CURVES = 200  # over all runs of a report


def cut_curve(
    scores: Float[np.ndarray, " E"], hits: Bool[np.ndarray, " E"], num_positives: int, points: int = POINTS
) -> dict[str, np.ndarray]:
    """Precision and recall where ``scores >= threshold`` are chosen, at thresholds just reaching a positive.

    Args:
        scores: (E,), of the entries that can be chosen.
        hits: (E,), which of them are positive.
        num_positives: all positives, including those that are not among the entries.
        points: at most so many thresholds, evenly spaced over the positives.

    Returns:
        ``threshold``, ``precision`` and ``recall``, falling thresholds.

    >>> curve = cut_curve(np.array([3.0, 2.0, 1.0]), np.array([True, False, True]), num_positives=2)
    >>> curve["threshold"].tolist(), curve["precision"].round(2).tolist(), curve["recall"].tolist()
    ([3.0, 1.0], [1.0, 0.67], [0.5, 1.0])
    """
    positives = np.sort(scores[hits])
    if not len(positives):
        return {"threshold": np.zeros(0), "precision": np.zeros(0), "recall": np.zeros(0)}
    ordered = np.sort(scores)
    at = np.linspace(0, len(positives) - 1, min(points, len(positives))).round().astype(np.int64)
    thresholds = np.unique(positives[at])[::-1]
    reached = len(positives) - positives.searchsorted(thresholds, side="left")
    chosen = len(ordered) - ordered.searchsorted(thresholds, side="left")
    return {"threshold": thresholds, "precision": reached / chosen, "recall": reached / num_positives}


def chosen_point(scores: Float[np.ndarray, " E"], hits: Bool[np.ndarray, " E"], chosen: Bool[np.ndarray, " E"], num_positives: int) -> dict:
    """Precision and recall of the label sets chosen, and the lowest score chosen where it parts them from all others.

    ``threshold`` is None where nothing was chosen or no single threshold explains the choice (one a label, top-k).
    """
    reached, size = int(hits[chosen].sum()), int(chosen.sum())
    lowest = scores[chosen].min() if size else np.inf
    parted = size > 0 and not (scores[~chosen] >= lowest).any()
    return {
        "precision": reached / size if size else 0.0,
        "recall": reached / num_positives if num_positives else 0.0,
        "threshold": float(lowest) if parted else None,
    }


def curves_of(prediction: Prediction, targets: sparse.csr_matrix, labels: Int[np.ndarray, " n"]) -> dict[str, Any]:
    """The curve over all entries, and those of some labels.

    Args:
        prediction: N instances, L labels.
        targets: (N, L) boolean.
        labels: columns whose own curves are wanted.

    Returns:
        ``all``: a curve with its ``chosen`` point; ``labels``: column -> the same.
    """
    scores, hits, chosen = _entries(prediction, targets)
    counts = np.asarray(targets.sum(axis=0)).ravel()
    found: dict[str, Any] = {"all": _one(scores.data, hits, chosen, int(counts.sum()), POINTS), "labels": {}}
    for label in labels.tolist():
        if counts[label]:
            inside = slice(scores.indptr[label], scores.indptr[label + 1])
            found["labels"][label] = _one(scores.data[inside], hits[inside], chosen[inside], int(counts[label]), LABEL_POINTS)
    return found


def _entries(prediction: Prediction, targets: sparse.csr_matrix) -> tuple[sparse.csc_matrix, np.ndarray, np.ndarray]:
    """Every finite score with whether it is true and whether it was chosen, label after label."""
    if sparse.issparse(prediction.scores):
        scores = sparse.csc_matrix(prediction.scores)
        scores.sort_indices()
    else:
        rows, width = prediction.scores.shape
        everywhere = np.tile(np.arange(rows, dtype=np.int32), width)
        scores = sparse.csc_matrix((prediction.scores.T.ravel(), everywhere, np.arange(width + 1) * rows), shape=(rows, width))
    label = np.repeat(np.arange(scores.shape[1]), np.diff(scores.indptr))
    finite = np.isfinite(scores.data)
    ends = np.concatenate([[0], np.cumsum(np.bincount(label[finite], minlength=scores.shape[1]))])
    kept = sparse.csc_matrix((scores.data[finite], scores.indices[finite], ends), shape=scores.shape)
    return kept, _looked_up(targets, kept), _looked_up(sparse.csr_matrix(prediction.chosen), kept)


def _looked_up(matrix: sparse.csr_matrix, places: sparse.csc_matrix) -> np.ndarray:
    """The boolean matrix's values where ``places`` stores something, in its order; by one label after another, since all may be many."""
    by_label = sparse.csc_matrix(matrix, dtype=bool)
    found = np.zeros(len(places.data), dtype=bool)
    marked = np.zeros(matrix.shape[0], dtype=bool)
    for label in range(matrix.shape[1]):
        rows = by_label.indices[by_label.indptr[label] : by_label.indptr[label + 1]]
        inside = slice(places.indptr[label], places.indptr[label + 1])
        marked[rows] = True
        found[inside] = marked[places.indices[inside]]
        marked[rows] = False
    return found


def _one(scores: np.ndarray, hits: np.ndarray, chosen: np.ndarray, num_positives: int, points: int) -> dict[str, Any]:
    return cut_curve(scores, hits, num_positives, points) | {"chosen": chosen_point(scores, hits, chosen, num_positives)}
