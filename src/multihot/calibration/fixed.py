"""Decisions that learn nothing: a threshold given beforehand, a loss's own rule, the k best labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse

from ..errors import ConfigurationError
from ..interfaces import Decision, Loss
from .entries import read_scores


def at_least(scores: Any, threshold: Any) -> Any:
    """Where scores reach the threshold (a number, or (L,) for one a label); dense boolean for dense scores, CSR for sparse ones.

    An entry that a sparse matrix does not store, and a score of -inf, is never chosen.
    """
    matrix = read_scores(scores)
    per_label = np.broadcast_to(np.asarray(threshold, dtype=np.float64), matrix.shape[1:])
    if not sparse.issparse(matrix):
        return (matrix >= per_label) & (matrix > -np.inf)
    return stored_where(matrix, (matrix.data >= per_label[matrix.indices]) & (matrix.data > -np.inf))


def stored_where(matrix: sparse.csr_matrix, stay: np.ndarray, values: np.ndarray | None = None) -> sparse.csr_matrix:
    """A matrix that holds the marked ones of another matrix's stored entries: true, or the values given for all of them."""
    ends = np.concatenate([[0], np.cumsum(stay)])[matrix.indptr]
    data = np.ones(int(stay.sum()), dtype=bool) if values is None else values[stay]
    return sparse.csr_matrix((data, matrix.indices[stay], ends), shape=matrix.shape)


def stored_places(matrix: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """The row of every stored entry, and its place among those of its row: 0 is the best, of equals the earlier column."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    best_first = np.lexsort((matrix.indices, -matrix.data, rows))
    place = np.empty(len(rows), dtype=np.int64)
    place[best_first] = np.arange(len(rows)) - matrix.indptr[rows]  # rows stay together when sorted
    return rows, place


class FixedDecision(Decision):
    """Choose every label whose score reaches one threshold: ``scores >= threshold``.

    Args:
        threshold: on the scale below; the default 0 is the logit of probability 0.5.
        scale: ``"score"``, the scores' own, or ``"probability"``: a probability p in (0, 1) stands for the logit ``ln(p / (1 - p))``.

    Raises:
        ConfigurationError: for a scale or a threshold that does not exist.

    >>> FixedDecision(threshold=0.5, scale="probability")([[-1.0, 0.0, 2.0]]).tolist()
    [[False, True, True]]
    """

    def __init__(self, threshold: float = 0.0, scale: str = "score"):
        if scale not in ("score", "probability"):
            raise ConfigurationError(f"decision 'fixed': scale must be 'score' or 'probability', got {scale!r}")
        if scale == "probability" and not 0 < threshold < 1:
            raise ConfigurationError(
                f"decision 'fixed': a probability threshold lies between 0 and 1, got {threshold}; or use scale: score"
            )
        if not math.isfinite(threshold):
            raise ConfigurationError(f"decision 'fixed': threshold must be a finite number, got {threshold}")
        self.threshold = threshold
        self.scale = scale

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        if arguments.get("scale") == "probability":
            return "log_odds"
        return "order" if arguments.get("threshold", 0.0) < 0 else "zero"  # some scores are never above 0

    @property
    def rule(self) -> str:
        return f"Every label whose {self.scale} is at least {self.threshold:g} is chosen, a threshold given beforehand."

    def cuts(self, scores: Any) -> Any:
        return math.log(self.threshold / (1 - self.threshold)) if self.scale == "probability" else self.threshold

    def __call__(self, scores: Any) -> Any:
        return at_least(scores, self.cuts(scores))


class TopKDecision(Decision):
    """Choose the k labels with the highest scores; of equal scores, the one in the earlier column.

    Args:
        k: labels an instance, at least 1; an instance gets fewer where fewer have a score above -inf.

    Raises:
        ConfigurationError: if k is below 1.

    >>> TopKDecision(k=2)([[0.1, 0.7, 0.7, 0.9]]).tolist()
    [[False, True, False, True]]
    """

    def __init__(self, k: int = 1):
        if isinstance(k, bool) or int(k) != k or k < 1:
            raise ConfigurationError(f"decision 'top_k': k must be a whole number from 1 on, got {k!r}")
        self.k = int(k)

    @property
    def rule(self) -> str:
        return f"The {self.k} labels with the highest scores are chosen; there is no threshold."

    def __call__(self, scores: Any) -> Any:
        matrix = read_scores(scores)
        if not sparse.issparse(matrix):
            return self._dense(matrix)
        return stored_where(matrix, (stored_places(matrix)[1] < self.k) & (matrix.data > -np.inf))

    def _dense(self, scores: np.ndarray) -> np.ndarray:
        if self.k >= scores.shape[1]:
            return scores > -np.inf
        last = np.partition(scores, -self.k, axis=1)[:, [-self.k]]
        above, tied = scores > last, scores == last
        room = self.k - above.sum(axis=1, keepdims=True)
        return (above | (tied & (np.cumsum(tied, axis=1) <= room))) & (scores > -np.inf)


class OwnRuleDecision(Decision):
    """The loss's own rule: choose every label whose score is above 0, or the best ones of an instance; see ``Loss``.

    Args:
        loss: whose rule; None chooses every label whose score is above 0.

    >>> OwnRuleDecision()([[-1.0, 0.0, 2.0]]).tolist()
    [[False, False, True]]
    """

    def __init__(self, loss: Loss | None = None):
        self.floor = -np.inf if loss is not None and loss.decision_rule == "top_k" else 0.0
        self.best = TopKDecision(loss.most) if loss is not None and loss.most is not None else None

    @property
    def rule(self) -> str:
        return "The loss's own rule chooses; no threshold was tuned."

    def __call__(self, scores: Any) -> Any:
        matrix = read_scores(scores)
        above = stored_where(matrix, matrix.data > self.floor) if sparse.issparse(matrix) else matrix > self.floor
        if self.best is None:
            return above
        best = self.best(matrix)
        return above.multiply(best).tocsr() if sparse.issparse(matrix) else above & best
