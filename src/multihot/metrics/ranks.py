"""The one computation behind all ranking measures: where the positives stand among the sorted scores of their group.

A group is a row (ranking measures), a label (average precision, AUROC) or everything (micro averages). Ties are never broken: for
every positive, the entries of its group that score at least as much and those that score more are counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse


@dataclass(frozen=True)
class SortedGroups:
    """The scores of G groups, ascending within each.

    Args:
        values: all scores, one group behind another.
        starts: (G,), where each group begins in ``values``.
        stops: (G,), where it ends.
        sizes: (G,), its entries, including those without a stored score, which rank below all others like a score of -inf.
    """

    values: Float[np.ndarray, " E"]
    starts: Int[np.ndarray, " G"]
    stops: Int[np.ndarray, " G"]
    sizes: Int[np.ndarray, " G"]

    @classmethod
    def from_dense(cls, scores: Float[np.ndarray, "G M"]) -> SortedGroups:
        """One group a row; NaN entries do not belong to it."""
        ordered = np.sort(scores, axis=1)  # NaN sort to the end
        sizes = scores.shape[1] - np.isnan(scores).sum(axis=1)
        starts = np.arange(scores.shape[0]) * scores.shape[1]
        return cls(ordered.ravel(), starts, starts + sizes, sizes)

    @classmethod
    def from_sparse(cls, scores: sparse.csr_matrix | sparse.csc_matrix, sizes: Int[np.ndarray, " G"]) -> SortedGroups:
        """One group a row of a CSR matrix, or a column of a CSC matrix."""
        group = np.repeat(np.arange(len(sizes)), np.diff(scores.indptr))
        ends = scores.indptr.astype(np.int64)
        return cls(scores.data[np.lexsort((scores.data, group))], ends[:-1], ends[1:], sizes)


@dataclass(frozen=True)
class PositiveRanks:
    """For each of P positives, how many entries of its group, and how many positives of its group, score as much or more.

    Args:
        group: (P,), the group that the positive belongs to.
        scores: (P,), its score.
        at_least: (P,), entries of the group that score at least as much: the worst rank that ties leave it.
        above: (P,), entries that score more; the best rank is one below.
        positives_at_least: (P,), as ``at_least`` among the positives only.
        positives_above: (P,), as ``above`` among the positives only.
    """

    group: Int[np.ndarray, " P"]
    scores: Float[np.ndarray, " P"]
    at_least: Int[np.ndarray, " P"]
    above: Int[np.ndarray, " P"]
    positives_at_least: Int[np.ndarray, " P"]
    positives_above: Int[np.ndarray, " P"]

    @property
    def precision(self) -> Float[np.ndarray, " P"]:
        """Precision of the cut just below each positive; its mean over a group's positives is the average precision."""
        return self.positives_at_least / np.maximum(self.at_least, 1)

    @property
    def negatives_at_least(self) -> Int[np.ndarray, " P"]:
        return self.at_least - self.positives_at_least

    @property
    def negatives_above(self) -> Int[np.ndarray, " P"]:
        return self.above - self.positives_above


def rank_positives(groups: SortedGroups, ends: Int[np.ndarray, " G+1"], scores: Float[np.ndarray, " P"]) -> PositiveRanks:
    """Rank the positives of every group among all its entries.

    Args:
        groups: the sorted scores.
        ends: (G + 1,), the positives of group g are ``scores[ends[g]:ends[g + 1]]``.
        scores: (P,), the positives' scores, group after group.

    Returns:
        The counts, in the order of ``scores``.
    """
    counts = np.empty((4, len(scores)), dtype=np.int64)
    for g in np.flatnonzero(np.diff(ends)):
        mine = slice(ends[g], ends[g + 1])
        every = groups.values[groups.starts[g] : groups.stops[g]]
        positives = np.sort(scores[mine])
        counts[:2, mine] = _count_from(every, scores[mine])
        counts[2:, mine] = _count_from(positives, scores[mine])
    group = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    at_least = np.where(np.isneginf(scores), groups.sizes[group], counts[0])
    return PositiveRanks(group, scores, at_least, counts[1], counts[2], counts[3])


def _count_from(ordered: np.ndarray, needles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return ordered.size - ordered.searchsorted(needles, side="left"), ordered.size - ordered.searchsorted(needles, side="right")


def scores_of(scores: Any, positives: sparse.csr_matrix) -> Float[np.ndarray, " P"]:
    """The scores at the positives, row after row, dense or sparse; -inf where a sparse matrix stores none."""
    rows = np.repeat(np.arange(positives.shape[0]), np.diff(positives.indptr))
    if not sparse.issparse(scores):
        return scores[rows, positives.indices]
    # a stored 0 and an entry that is not stored look alike, so places (from 1 on) are looked up instead of values
    places = sparse.csr_matrix((np.arange(1, scores.nnz + 1), scores.indices, scores.indptr), shape=scores.shape)
    found = np.asarray(places[rows, positives.indices]).ravel().astype(np.int64) if len(rows) else np.zeros(0, dtype=np.int64)
    return np.concatenate([[-np.inf], scores.data]).astype(scores.dtype)[found]
