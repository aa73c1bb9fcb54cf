"""Rows of a table, dense or sparse."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..interfaces import Encoder
from ..types import Encoding


class TabularEncoder(Encoder):
    """A multi-layer perceptron over a table row; the row is its only state.

    A sparse row (``indices``, ``values``) gives exactly what the same row gives as dense ``features``; its first layer then costs as
    much as the row has values, not as the table has columns.

    Args:
        num_features: columns of the table.
        hidden_size: size of every layer, and the size D of a state.
        layers: number of layers, at least 1.
        dropout: share of values dropped after each layer in training, in [0, 1).

    Raises:
        ValueError: if there is no layer.

    >>> encoder = TabularEncoder(num_features=3, hidden_size=4).eval()
    >>> dense = encoder({"features": torch.tensor([[0.0, 2.0, 5.0]])})
    >>> sparse = encoder({"indices": torch.tensor([[1, 2, 0]]), "values": torch.tensor([[2.0, 5.0, 0.0]])})
    >>> dense.states.shape, bool(torch.allclose(dense.pooled, sparse.pooled))
    (torch.Size([1, 1, 4]), True)
    """

    reads: ClassVar[str] = "table"

    def __init__(self, num_features: int, hidden_size: int = 512, layers: int = 2, dropout: float = 0.3):
        super().__init__()
        if layers < 1:
            raise ValueError(f"the 'layers' parameter must be at least 1, got {layers!r}")
        self.width = hidden_size
        self.first = nn.Linear(num_features, hidden_size)
        self.rest = nn.ModuleList(nn.Linear(hidden_size, hidden_size) for _ in range(layers - 1))
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """features (B, F), or indices (B, S) and values (B, S) -> states (B, 1, D), mask (B, 1), pooled (B, D)."""
        if "features" in inputs:
            hidden = self.first(inputs["features"])
        else:
            hidden = self._weighted_sum(inputs["indices"], inputs["values"]) + self.first.bias
        hidden = self.dropout(F.leaky_relu(hidden))
        for layer in self.rest:
            hidden = self.dropout(F.leaky_relu(layer(hidden)))
        return Encoding(hidden[:, None], torch.ones(len(hidden), 1, dtype=torch.bool, device=hidden.device), hidden)

    def _weighted_sum(self, indices: Tensor, values: Tensor) -> Tensor:
        columns = self.first.weight.t()  # (F, D)
        return F.embedding_bag(indices, columns, mode="sum", per_sample_weights=values.to(columns.dtype))
