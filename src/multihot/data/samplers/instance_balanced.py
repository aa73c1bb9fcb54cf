"""Every row once an epoch."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int
from scipy import sparse

from ...interfaces import Sampling


class InstanceBalancedSampling(Sampling):
    """Every training row once an epoch: plain training.

    Args:
        targets: (N, L) boolean, the label sets of the training rows.

    >>> sampling = InstanceBalancedSampling(sparse.csr_matrix([[True, False], [True, True]]))
    >>> sampling.rows(np.random.default_rng(0)).tolist()
    [0, 1]
    """

    def __init__(self, targets: Bool[sparse.csr_matrix, "N L"]):
        self.size = targets.shape[0]

    def rows(self, random: np.random.Generator) -> Int[np.ndarray, " N"]:
        """0 to N - 1."""
        return np.arange(self.size)
