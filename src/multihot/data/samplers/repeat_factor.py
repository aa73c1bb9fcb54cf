"""Epochs in which rows with rare labels are repeated."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ...errors import ConfigurationError
from ...interfaces import Sampling
from ...labels import binarise


class RepeatFactorSampling(Sampling):
    """Repeat-factor sampling: every row at least once an epoch, rows with rare labels more often.

    Label l, carried by the share f_l of the rows, has the factor r_l = max(1, sqrt(threshold / f_l)); a row is repeated as often as the
    rarest of its labels says, a row without labels once. Fractions are rounded at random, anew every epoch, but so that every epoch has
    the same number of rows, the rounded sum of the factors (which moves the expectation of a row by less than 1/2 divided by the sum
    of all fractions). [Gupta, Dollar and Girshick 2019]

    Args:
        targets: (N, L) boolean, the label sets of the training rows.
        threshold: the share of the rows, in (0, 1], below which a label is rare.

    Raises:
        ConfigurationError: for a threshold outside (0, 1].

    >>> sampling = RepeatFactorSampling(sparse.csr_matrix([[1, 0], [1, 0], [1, 0], [0, 1]]), threshold=1)
    >>> sampling.factors.round(3).tolist(), sampling.size
    ([1.155, 1.155, 1.155, 2.0], 5)
    """

    def __init__(self, targets: Bool[sparse.csr_matrix, "N L"], threshold: float = 0.001):
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not 0 < threshold <= 1:
            raise ConfigurationError(f"sampler 'repeat_factor': threshold must be a share of the rows in (0, 1], got {threshold!r}")
        self.threshold = threshold
        self.factors = _factors(binarise(targets), threshold)
        self.size = round(float(self.factors.sum()))

    def rows(self, random: np.random.Generator) -> Int[np.ndarray, " size"]:
        """Row numbers in ascending order, each as often as its factor, rounded up or down at random, says."""
        whole = np.floor(self.factors).astype(np.int64)
        order = random.permutation(len(whole))  # which rows are rounded up together differs from epoch to epoch
        extra = self.size - int(whole.sum())
        reached = np.cumsum((self.factors - whole)[order])
        if extra:
            marks = np.append(reached[:-1] * (extra / reached[-1]), extra)  # systematic sampling: one row for every whole step
            whole[order] += np.diff(np.floor(marks + random.random()), prepend=0.0).astype(np.int64)
        return np.repeat(np.arange(len(whole)), whole)


def _factors(targets: Bool[sparse.csr_matrix, "N L"], threshold: float) -> Float[np.ndarray, " N"]:
    """(N,) the largest factor of each row's labels, at least 1."""
    counts = np.diff(targets.tocsc().indptr)
    of_label = np.maximum(1.0, np.sqrt(threshold * targets.shape[0] / np.maximum(counts, 1)))
    factors = np.ones(targets.shape[0])
    owners = np.repeat(np.arange(targets.shape[0]), np.diff(targets.indptr))
    np.maximum.at(factors, owners, of_label[targets.indices])
    return factors
