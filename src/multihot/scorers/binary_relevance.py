"""Binary relevance: every label gets its own logit from the pooled vector and from what attention finds in the states."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..attention import AdditiveAttention
from ..interfaces import Scorer
from ..labels import LabelStatistics
from ..types import Encoding


class BinaryRelevanceScorer(Scorer):
    """Deep layers on the pooled vector, attention over the states from them, and one logit a label from both.

    ``z = MLP(pooled)``, ``e_j = v' tanh(W z + U h_j)``, ``c = sum_j softmax(e)_j h_j``, ``s = W_br [z; c]`` (Tsai 2019, eqs. 4.10, 4.11).

    Args:
        num_labels: number of labels L.
        width: size D of the encoder's states.
        hidden_size: size of every layer.
        layers: number of leaky-ReLU layers, at least 1.
        dropout: share of values dropped after each layer in training, in [0, 1).
        attention: look at the states too; without it the logits come from the pooled vector alone.
        attention_size: size of the space in which query and states are compared; it, not ``hidden_size``, sets the cost of attention.
        prior_bias: start from the logits ``log(n_i / (N - n_i))`` that label frequencies give, instead of 0.
        statistics: label statistics of the training split, for ``prior_bias``.
        extra_logits: columns behind the L labels that the loss asks for.

    Raises:
        ValueError: if there is no layer, or no statistics for ``prior_bias``.

    >>> scorer = BinaryRelevanceScorer(num_labels=4, width=8, hidden_size=16).eval()
    >>> scorer(Encoding(torch.rand(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.rand(2, 8))).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        num_labels: int,
        width: int,
        hidden_size: int = 512,
        layers: int = 3,
        dropout: float = 0.2,
        attention: bool = True,
        attention_size: int = 128,
        prior_bias: bool = False,
        statistics: LabelStatistics | None = None,
        extra_logits: int = 0,
    ):
        super().__init__()
        if layers < 1:
            raise ValueError(f"the 'layers' parameter must be at least 1, got {layers!r}")
        sizes = [width] + [hidden_size] * layers
        self.layers = nn.ModuleList(nn.Linear(sizes[i], sizes[i + 1]) for i in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.attention = AdditiveAttention(hidden_size, width, attention_size) if attention else None
        self.output = nn.Linear(hidden_size + (width if attention else 0), num_labels + extra_logits)
        if prior_bias:
            self._start_from_prior(statistics)

    def forward(self, encoding: Encoding) -> Float[Tensor, "B L"]:
        """Encoding -> logits (B, L + extra_logits)."""
        hidden = encoding.pooled
        for layer in self.layers:
            hidden = self.dropout(F.leaky_relu(layer(hidden)))
        if self.attention is not None:
            keys = self.attention.keys(encoding.states)
            context, _ = self.attention(hidden, keys, encoding.states, encoding.mask)
            hidden = torch.cat([hidden, context], dim=-1)
        return self.output(hidden)

    def _start_from_prior(self, statistics: LabelStatistics | None) -> None:
        if statistics is None:
            raise ValueError("prior_bias needs the label statistics of the training split; give 'statistics' or set prior_bias to false")
        with torch.no_grad():
            self.output.bias.zero_()
            self.output.bias[: statistics.num_labels] = torch.from_numpy(statistics.log_odds)
