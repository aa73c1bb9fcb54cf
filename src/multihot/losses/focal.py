"""Focal loss: cross entropy that fades for labels that are right already."""

from __future__ import annotations

from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.curves import FocusedCurve
from .kernels.element_wise import element_wise_loss
from .kernels.settings import check_at_least, check_within
from .kernels.targets import check_reduction, read_inputs


def focal_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    gamma: float = 2.0,
    alpha: float | None = None,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Cross entropy that fades for labels that are right already.

    ``-alpha_t (1 - p_t)^gamma log p_t``, with ``p_t = p`` and ``alpha_t = alpha`` where the label is present, ``1 - p`` and ``1 - alpha``
    where it is absent; a soft target mixes both (Zhu and Xiong 2022, eq. 11).

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        gamma: at least 0; 0 is binary cross entropy.
        alpha: in [0, 1], share of the present labels; None weighs both sides 1.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> focal_loss(torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.0875])
    """
    inputs = read_inputs("focal_loss", logits, targets, known)
    heights = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    present, absent = (FocusedCurve(gamma, height=height) for height in heights)
    return element_wise_loss(inputs, present, absent, reduction=reduction)


class FocalLoss(Loss):
    """Focal loss; a label is chosen where its logit exceeds zero (Zhu and Xiong 2022, eq. 11).

    With ``alpha`` other than 0.5 the zero of the logits is no longer where the probability is one half, so the threshold is to be tuned.

    Args:
        gamma: at least 0; 0 is binary cross entropy.
        alpha: in [0, 1], share of the present labels; None weighs both sides 1.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> FocalLoss(gamma=0.0)(torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.4100])
    """

    def __init__(self, gamma: float = 2.0, alpha: float | None = None, reduction: str = "mean"):
        super().__init__()
        self.gamma = check_at_least("gamma", gamma, 0)
        self.alpha = alpha if alpha is None else check_within("alpha", alpha)
        self.reduction = check_reduction(reduction)
        self.decision_rule = "zero" if alpha in (None, 0.5) else "tuned"

    @classmethod
    def scores_are(cls, **arguments: Any) -> str:
        is_cross_entropy = arguments.get("gamma") == 0 and arguments.get("alpha") in (None, 0.5)
        return "log_odds" if is_cross_entropy else "zero"

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``focal_loss``."""
        return focal_loss(logits, targets, known, self.gamma, self.alpha, self.reduction)
