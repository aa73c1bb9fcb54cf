"""Asymmetric loss (ASL): absent labels fade faster than present ones, and easy absent ones cost nothing."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.curves import FocusedCurve
from .kernels.element_wise import element_wise_loss
from .kernels.settings import check_at_least, check_within
from .kernels.targets import check_reduction, read_inputs


def asymmetric_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    gamma_pos: float = 0.0,
    gamma_neg: float = 4.0,
    clip: float = 0.05,
    detach_focus: bool = False,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Cross entropy whose absent labels fade faster than its present ones, and cost nothing below a probability.

    ``-y (1 - p)^gamma_pos log p - (1 - y) p_m^gamma_neg log(1 - p_m)`` with ``p_m = max(p - clip, 0)``. [Ridnik et al. 2021,
    "Asymmetric Loss For Multi-Label Classification"; cited by B]

    The authors' code adds up over labels and over the batch, which gives values above 100: ``reduction="sum"`` is its sum over labels;
    the default is the mean, as for every element-wise loss here.

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        gamma_pos: at least 0, focusing of present labels.
        gamma_neg: at least 0, focusing of absent labels.
        clip: in [0, 1), probability below which an absent label costs nothing.
        detach_focus: let no gradient flow through the focusing weights, an option of the authors' code.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> asymmetric_loss(torch.tensor([[0.0, -3.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.3466])
    """
    inputs = read_inputs("asymmetric_loss", logits, targets, known)
    present = FocusedCurve(gamma_pos, detach_focus=detach_focus)
    absent = FocusedCurve(gamma_neg, clip=clip, detach_focus=detach_focus)
    return element_wise_loss(inputs, present, absent, reduction=reduction)


class AsymmetricLoss(Loss):
    """Asymmetric loss (ASL) [Ridnik et al. 2021; cited by B]; it favours present labels, so a threshold must be tuned.

    Args:
        gamma_pos: at least 0, focusing of present labels.
        gamma_neg: at least 0, focusing of absent labels.
        clip: in [0, 1), probability below which an absent label costs nothing.
        detach_focus: let no gradient flow through the focusing weights.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> AsymmetricLoss()(torch.tensor([[0.0, -3.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.3466])
    """

    aliases: ClassVar[tuple[str, ...]] = ("asl",)
    decision_rule = "tuned"

    def __init__(
        self,
        gamma_pos: float = 0.0,
        gamma_neg: float = 4.0,
        clip: float = 0.05,
        detach_focus: bool = False,
        reduction: str = "mean",
    ):
        super().__init__()
        self.gamma_pos = check_at_least("gamma_pos", gamma_pos, 0)
        self.gamma_neg = check_at_least("gamma_neg", gamma_neg, 0)
        self.clip = check_within("clip", clip, open_end=True)
        self.detach_focus = detach_focus
        self.reduction = check_reduction(reduction)

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``asymmetric_loss``."""
        return asymmetric_loss(logits, targets, known, self.gamma_pos, self.gamma_neg, self.clip, self.detach_focus, self.reduction)
