"""The label set with the highest expected F1 of an instance, where labels are independent and scores are logits of probabilities."""

from __future__ import annotations

import math
from functools import reduce
from itertools import accumulate
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.special import expit

from ..interfaces import Decision
from .entries import read_scores
from .fixed import stored_places, stored_where

CHUNK = 2**22  # numbers in the largest table that is held at once


class ExpectedF1Decision(Decision):
    """For every instance the label set with the highest expected F1, ``E[2 |chosen and true| / (|chosen| + |true|)]``.

    The probability of a label is ``sigmoid(score)``, labels are independent given the instance, and F1 is 0 where nothing is chosen.
    The best set holds the most probable labels, so that only its size k is looked for (Lewis 1995; Ye et al. 2012).
    Scores must be logits of probabilities that hold: name a ``calibration``, or use a loss whose scores are log-odds.
    A label without a score counts as impossible.

    >>> ExpectedF1Decision()([[2.0, 0.0, -1.0], [-3.0, -4.0, -5.0]]).tolist()
    [[True, True, False], [True, False, False]]
    """

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        return "log_odds"

    @property
    def rule(self) -> str:
        return "For each instance the label set with the highest expected F1 is chosen; there is no threshold."

    def __call__(self, scores: Any) -> Any:
        matrix = read_scores(scores)
        if not sparse.issparse(matrix):
            order = np.argsort(-matrix, axis=1, kind="stable")
            sizes = best_sizes(expit(np.take_along_axis(matrix, order, axis=1).astype(np.float64)))
            chosen = np.zeros(matrix.shape, dtype=bool)
            np.put_along_axis(chosen, order, np.arange(matrix.shape[1]) < sizes[:, None], axis=1)
            return chosen
        rows, places = stored_places(matrix)
        falling = np.zeros((matrix.shape[0], int(places.max(initial=-1)) + 1))
        falling[rows, places] = expit(matrix.data.astype(np.float64))
        return stored_where(matrix, places < best_sizes(falling)[rows])


def best_sizes(falling: Float[np.ndarray, "N L"]) -> Int[np.ndarray, " N"]:
    """How many of the most probable labels to choose for each instance; 0 only where all probabilities are 0.

    Args:
        falling: (N, L) probabilities, each row in falling order.
    """
    sizes = np.zeros(len(falling), dtype=np.int64)
    reach = _reach(falling)
    order = np.argsort(reach, kind="stable")
    order = order[reach[order] > 0]
    while len(order):
        last = int(reach[order[-1]])
        step = max(1, CHUNK // max(last * last, falling.shape[1]))
        rows, order = order[-step:], order[:-step]
        sizes[rows] = 1 + expected_f1(falling[rows], last).argmax(axis=1)
    return sizes


def expected_f1(falling: Float[np.ndarray, "N L"], reach: int) -> Float[np.ndarray, "N K"]:
    """The expected F1 of choosing the k most probable labels, for k = 1 ... K.

    ``E[F1(k)] = sum_a P(A_k = a) 2 a E[1 / (k + a + B_k)]``, with A_k true labels among the first k and B_k among the others: both are
    sums of independent draws. ``E[1 / (c + B_k)]`` for all c follows from that for k + 1 (Ye et al. 2012).

    Args:
        falling: (N, L) probabilities, each row in falling order.
        reach: K, at most L.
    """
    head, others = falling[:, :reach], falling[:, reach:]
    most = min(others.shape[1], _cap(others.sum(axis=1).max(initial=0.0)))
    beyond = reduce(_with_label, others.T[:, :, None], _none_true(len(falling), most))
    after = np.stack([(beyond / (c + np.arange(most + 1))).sum(axis=1) for c in range(1, 2 * reach + 1)], axis=1)  # E[1 / (c + B_K)]
    within = list(accumulate(head.T[:, :, None], _with_label, initial=_none_true(len(falling), reach)))
    values = np.empty(head.shape)
    for k in range(reach, 0, -1):
        hits = np.arange(k + 1)
        values[:, k - 1] = 2 * (within[k][:, : k + 1] * hits * after[:, k - 1 : 2 * k]).sum(axis=1)
        last = head[:, k - 1, None]
        after = last * after[:, 1:] + (1 - last) * after[:, :-1]  # label k is among the others from here on
    return values


def _with_label(counts: Float[np.ndarray, "N M"], probability: Float[np.ndarray, "N 1"]) -> Float[np.ndarray, "N M"]:
    """``P(j labels are true)``, j = 0 ... M - 1, with one more label that may be true."""
    more = counts * (1 - probability)
    more[:, 1:] += counts[:, :-1] * probability
    return more


def _none_true(rows: int, most: int) -> Float[np.ndarray, "N M"]:
    return np.eye(1, most + 1).repeat(rows, axis=0)


def _reach(falling: Float[np.ndarray, "N L"]) -> Int[np.ndarray, " N"]:
    """The largest size that can be best. With m_k the sum of the first k probabilities and m that of all, Jensen's inequality holds

    ``2 m_k / (k + 1 + m) <= E[F1(k)] <= 2 m_k / (k + m_k)``; a size whose upper bound lies below another's lower bound is out.
    """
    sizes = np.arange(1, falling.shape[1] + 1)
    sums = falling.cumsum(axis=1)
    if not sums.size:
        return np.zeros(len(falling), dtype=np.int64)
    lower = (2 * sums / (sizes + 1 + sums[:, -1:])).max(axis=1, keepdims=True)
    possible = (2 * sums / (sizes + sums) >= lower) & (sums > 0)
    return np.where(possible.any(axis=1), falling.shape[1] - possible[:, ::-1].argmax(axis=1), 0)


def _cap(mean: float) -> int:
    """A count that a sum of independent draws with this mean exceeds with probability below 1e-12 (Bernstein's inequality)."""
    return math.ceil(mean + 8 * math.sqrt(mean) + 20)
