"""Epochs in which rare labels come as often as frequent ones, or nearly so."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int
from scipy import sparse

from ...errors import DataError
from ...interfaces import Sampling
from ...labels import binarise
from .groups import draw_from_groups


class ClassAwareSampling(Sampling):
    """Class-aware sampling (RS): a label drawn uniformly, then a row that carries it.

    With n_l rows that carry label l, every label of n_l > 0 is drawn with the same probability, N times an epoch; each label goes
    through its rows in random order before it repeats one. Labels that occur together still come more often. A row without labels is
    never drawn. [Shen, Lin and Huang 2016]

    Args:
        targets: (N, L) boolean, the label sets of the training rows.

    Raises:
        DataError: if no row carries a label.

    >>> sampling = ClassAwareSampling(sparse.csr_matrix([[1, 0], [1, 0], [1, 0], [0, 1]]))
    >>> draws = sampling.rows(np.random.default_rng(0))
    >>> len(draws), set(draws.tolist()) <= {0, 1, 2, 3}
    (4, True)
    """

    def __init__(self, targets: Bool[sparse.csr_matrix, "N L"]):
        self.groups, self.size = _members_of_labels(targets), targets.shape[0]
        self.chances = _chances(self.groups, exponent=0.0)

    def rows(self, random: np.random.Generator) -> Int[np.ndarray, " N"]:
        """N row numbers, with repetition."""
        return draw_from_groups(self.groups, self.chances, self.size, random)


class SquareRootSampling(Sampling):
    """Square-root sampling: a label drawn with probability proportional to sqrt(n_l), then a row that carries it.

    Stands between the labels' own frequencies and class-aware sampling; otherwise like the latter, so a row without labels is never
    drawn. [Mahajan et al. 2018; Kang et al. 2020, eq. 1 with q = 1/2]

    Args:
        targets: (N, L) boolean, the label sets of the training rows.

    Raises:
        DataError: if no row carries a label.

    >>> sampling = SquareRootSampling(sparse.csr_matrix([[1, 0], [1, 0], [1, 0], [1, 0], [0, 1]]))
    >>> sampling.chances.tolist()
    [2.0, 1.0]
    """

    def __init__(self, targets: Bool[sparse.csr_matrix, "N L"]):
        self.groups, self.size = _members_of_labels(targets), targets.shape[0]
        self.chances = _chances(self.groups, exponent=0.5)

    def rows(self, random: np.random.Generator) -> Int[np.ndarray, " N"]:
        """N row numbers, with repetition."""
        return draw_from_groups(self.groups, self.chances, self.size, random)


def _members_of_labels(targets: Bool[sparse.csr_matrix, "N L"]) -> Bool[sparse.csc_matrix, "N L"]:
    members = binarise(targets).tocsc()
    if not members.nnz:
        raise DataError("not one training row carries a label, so no label can be drawn; check the column with the labels")
    return members


def _chances(members: Bool[sparse.csc_matrix, "N L"], exponent: float) -> np.ndarray:
    counts = np.diff(members.indptr)
    return np.where(counts > 0, counts.astype(np.float64) ** exponent, 0.0)
