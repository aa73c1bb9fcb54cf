"""Multi-label softmax cross entropy (ZLPR): every true label above zero, every other label below."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss, check_logits


def zlpr_loss(logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None) -> Float[Tensor, " B"]:
    """Softmax cross entropy carried over to label sets: true labels rank above zero, and zero above all others.

    ``log(1 + sum_i (1 - y_i) e^{s_i}) + log(1 + sum_i y_i e^{-s_i})``; with hard targets the first sum runs over the labels that
    are absent, the second over those that are present. [S 11], soft targets after Su et al. 2022, "ZLPR: A Novel Loss for
    Multi-label Classification".

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft.
        known: (B, L); entries that are False carry neither loss nor gradient, whatever their target. None: all are known.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together.

    >>> zlpr_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.4402])
    """
    check_logits("zlpr_loss", logits, targets, known)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    targets = targets.to(logits.dtype)
    if known is not None:
        targets = targets.masked_fill(~known, float("nan"))
    absent = torch.where(targets < 1, logits + torch.log1p(-targets), -torch.inf)
    present = torch.where(targets > 0, -logits + torch.log(targets), -torch.inf)
    return _log_one_plus_sum(absent) + _log_one_plus_sum(present)


def _log_one_plus_sum(exponents: Float[Tensor, "B L"]) -> Float[Tensor, " B"]:
    return torch.logsumexp(F.pad(exponents, (0, 1)), dim=-1)


class ZLPRLoss(Loss):
    """Multi-label softmax cross entropy (ZLPR); a label is chosen where its logit exceeds zero. [S 11]

    >>> ZLPRLoss()(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.4402])
    """

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``zlpr_loss``."""
        return zlpr_loss(logits, targets, known)
