"""Label-wise attention: every label looks at the states on its own."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..interfaces import Scorer
from ..types import Encoding


class LabelAttentionScorer(Scorer):
    """One attention over the states for each label, and one linear reading of what it finds.

    ``a_l = softmax_j(q_l' h_j)``, ``s_l = w_l' sum_j a_lj h_j + b_l``; after Mullenbach et al. 2018, "Explainable Prediction of
    Medical Codes from Clinical Text" (CAML). The reading is done state by state, ``s_l = sum_j a_lj (w_l' h_j) + b_l``, so that the
    (B, L, D) label representations are never held.

    Args:
        num_labels: number of labels L.
        width: size D of the encoder's states.
        dropout: share of state values dropped in training, in [0, 1).
        labels_at_once: labels that are scored together; more labels are taken in turns and, in training, computed again on the way
            back, so that memory holds (B, S, labels_at_once) numbers instead of (B, S, L).
        extra_logits: columns behind the L labels that the loss asks for.

    Raises:
        ValueError: if ``labels_at_once`` is not positive.

    >>> scorer = LabelAttentionScorer(num_labels=4, width=8).eval()
    >>> scorer(Encoding(torch.rand(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.rand(2, 8))).shape
    torch.Size([2, 4])
    """

    def __init__(self, num_labels: int, width: int, dropout: float = 0.2, labels_at_once: int = 1024, extra_logits: int = 0):
        super().__init__()
        if labels_at_once < 1:
            raise ValueError(f"the 'labels_at_once' parameter must be at least 1, got {labels_at_once!r}")
        self.labels_at_once = labels_at_once
        self.dropout = nn.Dropout(dropout)
        self.queries = nn.Parameter(torch.empty(num_labels + extra_logits, width))
        self.readings = nn.Parameter(torch.empty(num_labels + extra_logits, width))
        self.bias = nn.Parameter(torch.zeros(num_labels + extra_logits))
        for weight in (self.queries, self.readings):
            nn.init.uniform_(weight, -1 / math.sqrt(width), 1 / math.sqrt(width))

    def forward(self, encoding: Encoding) -> Float[Tensor, "B L"]:
        """Encoding -> logits (B, L + extra_logits)."""
        states = self.dropout(encoding.states)
        parts = list(zip(self.queries.split(self.labels_at_once), self.readings.split(self.labels_at_once), strict=True))
        if len(parts) > 1 and torch.is_grad_enabled():
            logits = [checkpoint(_attend, states, encoding.mask, *part, use_reentrant=False) for part in parts]
        else:
            logits = [_attend(states, encoding.mask, *part) for part in parts]
        return torch.cat(logits, dim=-1) + self.bias


def _attend(
    states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"], queries: Float[Tensor, "l D"], readings: Float[Tensor, "l D"]
) -> Float[Tensor, "B l"]:
    energies = (states @ queries.t()).masked_fill(~mask[..., None], -torch.inf)  # (B, S, l)
    return (torch.softmax(energies, dim=1) * (states @ readings.t())).sum(1)
