"""One linear layer: the output layer of every network that was trained to classify."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from ..interfaces import Scorer
from ..types import Encoding


class LinearScorer(Scorer):
    """``s = W x + b`` of the pooled vector x: an encoder's own output layer, as picture and audio networks have it.

    Source: Tsai and Lee 2019, section 4.1; Tsai 2019, section 4.6.2.

    Args:
        num_labels: number of labels L.
        width: size D of the pooled vector.
        extra_logits: columns behind the L labels that the loss asks for.

    >>> import torch
    >>> scorer = LinearScorer(num_labels=4, width=8)
    >>> scorer(Encoding(torch.rand(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.rand(2, 8))).shape
    torch.Size([2, 4])
    """

    def __init__(self, num_labels: int, width: int, extra_logits: int = 0):
        super().__init__()
        self.output = nn.Linear(width, num_labels + extra_logits)

    def forward(self, encoding: Encoding) -> Float[Tensor, "B L"]:
        """Encoding -> logits (B, L + extra_logits)."""
        return self.output(encoding.pooled)
