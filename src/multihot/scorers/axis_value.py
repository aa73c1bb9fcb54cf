"""Regression: one number an instance, read as a distribution over the labels beside it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import ConfigurationError
from ..interfaces import Scorer
from ..labels import LabelSpace, LabelStatistics
from ..types import Encoding


class AxisValueScorer(Scorer):
    """One value on the axis of the labels; all mass lies on the two labels beside it, so that their expectation is the value.

    ``v = m + s (w' MLP(x) + b)`` of the pooled vector x, m and s mean and standard deviation of the labels' positions in training. Between
    neighbouring labels ``a_i <= v <= a_j`` the logits are ``log (a_j - v)/(a_j - a_i)`` and ``log (v - a_i)/(a_j - a_i)``.

    Args:
        label_space: the labels, whose names are numbers.
        width: size D of the pooled vector.
        hidden_size: size of every hidden layer.
        layers: number of leaky-ReLU layers, at least 0.
        dropout: share of values dropped after each layer in training, in [0, 1).
        statistics: label statistics of the training split, for m and s; None counts every label once.

    Raises:
        ValueError: for a negative number of layers.
        ConfigurationError: if the label names are no numbers.

    >>> scorer = AxisValueScorer(LabelSpace(["10", "20", "40"]), width=8).eval()
    >>> encoding = Encoding(torch.rand(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.rand(2, 8))
    >>> degrees = scorer(encoding).softmax(-1)
    >>> torch.allclose(degrees @ torch.tensor([10.0, 20.0, 40.0]), scorer.value(encoding).clamp(10, 40))
    True
    """

    axis: Tensor  # positions in ascending order
    columns: Tensor  # of these positions
    mean: Tensor
    spread: Tensor

    def __init__(
        self,
        label_space: LabelSpace,
        width: int,
        hidden_size: int = 512,
        layers: int = 1,
        dropout: float = 0.2,
        statistics: LabelStatistics | None = None,
    ):
        super().__init__()
        if layers < 0:
            raise ValueError(f"the 'layers' parameter must be at least 0, got {layers!r}")
        axis = _axis_of(label_space)
        sizes = [width] + [hidden_size] * layers
        self.layers = nn.ModuleList(nn.Linear(sizes[i], sizes[i + 1]) for i in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(sizes[-1], 1)
        counts = np.ones(len(axis)) if statistics is None or not statistics.counts.any() else statistics.counts
        mean = np.average(axis, weights=counts)
        spread = np.sqrt(np.average((axis - mean) ** 2, weights=counts)) or 1.0
        for name, values in (("axis", np.sort(axis)), ("columns", np.argsort(axis)), ("mean", mean), ("spread", spread)):
            tensor = torch.as_tensor(values)
            self.register_buffer(name, tensor.float() if tensor.is_floating_point() else tensor, persistent=False)

    def value(self, encoding: Encoding) -> Float[Tensor, " B"]:
        """The number itself (B,), in the unit of the axis; may lie beyond its ends."""
        hidden = encoding.pooled
        for layer in self.layers:
            hidden = self.dropout(F.leaky_relu(layer(hidden)))
        return self.mean + self.spread * self.output(hidden)[:, 0].to(self.mean.dtype)

    def forward(self, encoding: Encoding) -> Float[Tensor, "B L"]:
        """Encoding -> logits (B, L); a value beyond the axis is moved to its end, an empty label gets the smallest finite logarithm."""
        values = self.value(encoding).clamp(self.axis[0], self.axis[-1])
        weights = values.new_zeros(len(values), len(self.axis))
        if len(self.axis) == 1:
            return weights
        right = torch.searchsorted(self.axis, values).clamp(1, len(self.axis) - 1)
        share = (values - self.axis[right - 1]) / (self.axis[right] - self.axis[right - 1])
        weights = weights.scatter(1, self.columns[right - 1, None], 1 - share[:, None]).scatter(
            1, self.columns[right, None], share[:, None]
        )
        return weights.clamp(min=torch.finfo(weights.dtype).tiny).log()


def _axis_of(label_space: LabelSpace) -> Float[np.ndarray, " L"]:
    positions = label_space.positions
    if positions is None or positions.shape[1] != 1:
        some = ", ".join(repr(name) for name in label_space.names[:3])
        raise ConfigurationError(
            f"the labels ({some}, ...) are no numbers, so there is no value to regress to; rename them, or use a softmax"
        )
    axis = positions[:, 0]
    if len(np.unique(axis)) != len(axis):
        raise ConfigurationError("two labels stand for the same number; give every label a number of its own")
    return axis
