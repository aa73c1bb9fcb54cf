"""Pairwise ranking: every true label a margin above every other label."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.hinges import hinge_over_pairs
from .kernels.settings import check_at_least
from .kernels.targets import read_label_sets


def pairwise_ranking_loss(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None, margin: float = 1.0
) -> Float[Tensor, " B"]:
    """Mean hinge over the pairs of a present and an absent label.

    ``mean_{j present, i absent} max(0, margin - s_j + s_i)``; the pairs are counted by sorting, never listed. Its minimum bounds the
    ranking loss measure from above where the margin is 1 (Weston et al. 2011; Gong et al. 2014).

    Args:
        logits: (B, L), unbounded; adding a number to a row changes nothing.
        targets: (B, L), 0 or 1; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        margin: at least 0.

    Returns:
        (B,), at least float32; 0 for an instance without a pair.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.
        DataError: on the CPU, for a soft target.

    >>> import torch
    >>> pairwise_ranking_loss(torch.tensor([[0.5, 0.0, -2.0]]), torch.tensor([[1.0, 0.0, 0.0]]))
    tensor([0.2500])
    """
    logits, present, absent = read_label_sets("pairwise_ranking_loss", logits, targets, known)
    pairs = present.sum(-1) * absent.sum(-1)
    return hinge_over_pairs(logits, present, absent, margin, torch.ones_like) / pairs.clamp(min=1)


class PairwiseRankingLoss(Loss):
    """Mean hinge over the pairs of a present and an absent label; its threshold must be tuned.

    Args:
        margin: at least 0.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> PairwiseRankingLoss()(torch.tensor([[0.5, 0.0, -2.0]]), torch.tensor([[1.0, 0.0, 0.0]]))
    tensor([0.2500])
    """

    decision_rule = "tuned"

    def __init__(self, margin: float = 1.0):
        super().__init__()
        self.margin = check_at_least("margin", margin, 0)

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``pairwise_ranking_loss``."""
        return pairwise_ranking_loss(logits, targets, known, self.margin)
