"""Epochs in which every label set comes equally often."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int
from scipy import sparse

from ...errors import DataError
from ...interfaces import Sampling
from ...labels import binarise, row_keys
from .groups import draw_from_groups


class LabelPowersetSampling(Sampling):
    """Label-powerset sampling: one of the distinct label sets drawn uniformly, then a row that carries exactly this set.

    N rows an epoch; every set goes through its rows in random order before it repeats one. Rows without labels share the empty set,
    which is drawn like any other. Goes the whole way that label-powerset resampling (LP-ROS) goes a part of. [Charte et al. 2015]

    Args:
        targets: (N, L) boolean, the label sets of the training rows.

    Raises:
        DataError: if there is no row.

    >>> sampling = LabelPowersetSampling(sparse.csr_matrix([[1, 0], [1, 0], [1, 1]]))
    >>> draws = np.concatenate([sampling.rows(np.random.default_rng(epoch)) for epoch in range(300)])
    >>> bool(abs(np.mean(draws == 2) - 0.5) < 0.05)
    True
    """

    def __init__(self, targets: Bool[sparse.csr_matrix, "N L"]):
        self.size = targets.shape[0]
        if not self.size:
            raise DataError("there is not one training row to draw from; check the training split")
        keys = row_keys(binarise(targets))
        number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        sets = np.fromiter((number[key] for key in keys), dtype=np.int64, count=self.size)
        self.groups = sparse.csc_matrix((np.ones(self.size, dtype=bool), (np.arange(self.size), sets)))
        self.chances = np.ones(len(number))

    def rows(self, random: np.random.Generator) -> Int[np.ndarray, " N"]:
        """N row numbers, with repetition."""
        return draw_from_groups(self.groups, self.chances, self.size, random)
