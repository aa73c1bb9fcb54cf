"""The label sets that decisions over whole sets choose among: those of the training split, and what scores say of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..labels import LabelStatistics, row_keys
from .fixed import stored_where

CHUNK = 2**24  # numbers in the largest table that is held at once
FIT_ROWS = 20_000  # rows that fitting looks at; of more, so many are drawn


class Candidates:
    """The U distinct label sets of the training split.

    Args:
        statistics: of the training split.

    >>> candidates = Candidates(LabelStatistics.from_targets([[1, 1, 0], [1, 1, 0], [0, 0, 1]]))
    >>> candidates.sums(np.array([[2.0, -1.0, -3.0]])).tolist(), candidates.log_frequency.round(2).tolist()
    ([[1.0, -3.0]], [-0.41, -1.1])
    """

    def __init__(self, statistics: LabelStatistics):
        self.members = sparse.csr_matrix(statistics.sets, dtype=np.float64)  # (U, L)
        self.holders = sparse.csr_matrix(self.members.T)  # (L, U): the index, label -> label sets that hold it
        self.sizes = statistics.set_sizes
        self.counts = statistics.multiplicity
        self.log_frequency = np.log(self.counts / max(statistics.num_examples, 1))

    def find(self, targets: sparse.csr_matrix) -> Int[np.ndarray, " n"]:
        """Which of the label sets each row of (n, L) boolean targets carries; -1 for a new one."""
        place = {key: number for number, key in enumerate(row_keys(sparse.csr_matrix(self.members, dtype=bool)))}
        return np.fromiter((place.get(key, -1) for key in row_keys(targets)), dtype=np.int64, count=targets.shape[0])

    def counted(self, targets: sparse.csr_matrix) -> Int[np.ndarray, " n"] | None:
        """The label set that each row was counted for, where the label sets were counted on these rows; None where not.

        That they were, as a classical method's scores out of fold are of its training rows, is taken to be so where not one of the rows
        has a label set that training lacks. Whatever is fitted on such rows judges each by all others.
        """
        carried = self.find(targets)
        return carried if (carried >= 0).all() else None

    def without(self, carried: Int[np.ndarray, " n"], weight: float) -> tuple[Float[np.ndarray, " n"], float]:
        """How ``w log f(S)`` changes for a row that is not counted: of its own label set, and of every one.

        Args:
            carried: the label set that each row carries.
            weight: w, at least 0.

        Returns:
            (``w log((c - 1) / c)`` of rows whose set c rows carry, -inf where it is the only one; ``w log(N / (N - 1))``).
        """
        counts, rows = self.counts[carried], max(self.counts.sum(), 2)
        less = np.where(counts > 1, weight * np.log(np.maximum(counts - 1, 1) / counts), -np.inf)
        return less, weight * float(np.log(rows / (rows - 1)))

    def sums(self, part: Any) -> Any:
        """The sum of the scores of every label set: (n, U), or sparse with those whose labels are all stored."""
        if not sparse.issparse(part):
            return np.ascontiguousarray((self.members @ part.T).T)
        counted = sparse.csr_matrix((part.data + 1j, part.indices, part.indptr), shape=part.shape)  # the number of labels beside the sum
        found = sparse.csr_matrix(counted @ self.holders)
        found.sort_indices()
        return stored_where(found, np.rint(found.data.imag) == self.sizes[found.indices], found.data.real)


def in_chunks(matrix: Any, step: int) -> Iterator[tuple[slice, Any]]:
    """So many rows at a time, in double precision; a sparse matrix without its -inf."""
    for start in range(0, matrix.shape[0], max(step, 1)):
        part = matrix[start : start + max(step, 1)].astype(np.float64)
        yield slice(start, start + part.shape[0]), stored_where(part, part.data > -np.inf, part.data) if sparse.issparse(part) else part


def rows_to_learn_from(rows: int, known: Any) -> Int[np.ndarray, " n"]:
    """The rows whose label sets are known, not too many of them."""
    usable = np.arange(rows) if known is None else np.flatnonzero(np.asarray(known).all(axis=1))
    return usable if len(usable) <= FIT_ROWS else np.sort(np.random.default_rng(0).choice(usable, FIT_ROWS, replace=False))


def as_given(parts: list[sparse.csr_matrix], matrix: Any) -> Any:
    """The label sets chosen for the parts of a matrix of scores, in one matrix, sparse if the scores are."""
    chosen = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix(matrix.shape, dtype=bool)
    return chosen if sparse.issparse(matrix) else chosen.toarray()


def count_hits(hits: Float[np.ndarray, " n"], sizes: Int[np.ndarray, " n"], wanted: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n 5"]:
    """For each row: labels hit, labels chosen, labels true, F1, and whether the label set is right."""
    both = sizes + wanted
    f1 = np.divide(2 * hits, both, out=np.zeros(len(hits)), where=both > 0)
    return np.stack([hits, sizes, wanted, f1, (hits == sizes) & (hits == wanted)], axis=1)
