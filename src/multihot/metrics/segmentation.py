"""How well maps of labels agree: every measure follows from one table of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from ..errors import DataError


def pixel_table(masks: Any, predicted: Any, num_labels: int, unknown: int = 255) -> Int[np.ndarray, "L L"]:
    """How many pixels of each true class (row) were given each label (column); tables of several pictures may be added.

    Args:
        masks: whole numbers of any shape, each a class or ``unknown``.
        predicted: of the same shape, each a class.
        num_labels: L.
        unknown: marks pixels that nobody labelled; they do not count.

    Returns:
        (L, L).

    Raises:
        DataError: if the shapes differ.

    >>> pixel_table([[0, 1], [1, 255]], [[0, 1], [0, 1]], 2).tolist()
    [[1, 0], [1, 1]]
    """
    true, found = np.asarray(masks), np.asarray(predicted)
    if true.shape != found.shape:
        raise DataError(f"masks have shape {true.shape}, but what was predicted {found.shape}; compare maps of one size")
    known = true != unknown
    pairs = true[known].astype(np.int64) * num_labels + found[known].astype(np.int64)
    return np.bincount(pairs, minlength=num_labels**2).reshape(num_labels, num_labels)


def intersection_over_union(table: Int[np.ndarray, "L L"]) -> Float[np.ndarray, " L"]:
    """For each label the pixels that are and were given it, over those that are or were: ``n_kk / (t_k + p_k - n_kk)``; NaN where none.

    >>> intersection_over_union(np.array([[1, 0], [1, 1]])).tolist()
    [0.5, 0.5]
    """
    hits = np.diag(table).astype(np.float64)
    union = table.sum(0) + table.sum(1) - hits
    return np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)


def mean_iou(table: Int[np.ndarray, "L L"]) -> float:
    """The mean of ``intersection_over_union`` over the labels that occur, in the masks or among the predictions."""
    each = intersection_over_union(table)
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def pixel_accuracy(table: Int[np.ndarray, "L L"]) -> float:
    """The share of known pixels whose label is right.

    >>> round(pixel_accuracy(np.array([[1, 0], [1, 1]])), 4)
    0.6667
    """
    return float(np.trace(table) / table.sum()) if table.sum() else float("nan")
