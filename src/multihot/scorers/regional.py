"""Regions of a picture, each read label after label: dependencies where they live."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..interfaces import Scorer
from ..types import Encoding


class RegionalScorer(Scorer):
    """An LSTM reads every state on its own and thinks some steps on; a label's logit is its highest over all states and steps.

    ``u_1 = W_x h_j``, ``u_k = E sigmoid(s_j,k-1)`` for k > 1, ``d_k = LSTM(d_k-1, u_k)``, ``s_jk = W_s d_k + b``, ``s = max_jk s_jk``:
    what was likely in a region says what else is to be expected there. In the manner of Zhang et al. 2018, "Multi-Label Image
    Classification with Regional Latent Semantic Dependencies" (RLSD), with the positions of the encoder for regions where the source
    learns to propose them.

    Args:
        num_labels: number of labels L.
        width: size D of the encoder's states.
        hidden_size: size of the LSTM's state.
        steps: steps that a region is thought about, at least 1; 1 is binary relevance by regions.
        dropout: share of state values dropped in training, in [0, 1).
        extra_logits: columns behind the L labels that the loss asks for.

    Raises:
        ValueError: if there is no step.

    >>> scorer = RegionalScorer(num_labels=4, width=8, hidden_size=16).eval()
    >>> scorer(Encoding(torch.rand(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.rand(2, 8))).shape
    torch.Size([2, 4])
    """

    def __init__(self, num_labels: int, width: int, hidden_size: int = 512, steps: int = 3, dropout: float = 0.2, extra_logits: int = 0):
        super().__init__()
        if steps < 1:
            raise ValueError(f"the 'steps' parameter must be at least 1, got {steps!r}")
        self.steps = steps
        self.dropout = nn.Dropout(dropout)
        self.look = nn.Linear(width, hidden_size)
        self.expect = nn.Linear(num_labels + extra_logits, hidden_size) if steps > 1 else None
        self.cell = nn.LSTMCell(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, num_labels + extra_logits)

    def forward(self, encoding: Encoding) -> Float[Tensor, "B L"]:
        """Encoding -> logits (B, L + extra_logits)."""
        regions = self.dropout(encoding.states[encoding.mask])  # (R, D), the real ones of all instances
        state, given = None, self.look(regions)
        highest: Tensor | None = None
        for _ in range(self.steps):
            state = self.cell(given, state)
            logits = self.output(self.dropout(state[0]))
            highest = logits if highest is None else torch.maximum(highest, logits)
            given = self.expect(torch.sigmoid(logits)) if self.expect is not None else given
        assert highest is not None, "there is at least one step"
        everywhere = highest.new_full((*encoding.mask.shape, highest.shape[-1]), -torch.inf)
        return everywhere.masked_scatter(encoding.mask[..., None], highest).amax(1)
