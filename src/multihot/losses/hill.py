"""Hill loss: a confident label without a target may be one that nobody annotated."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.curves import FocusedCurve, HillCurve
from .kernels.element_wise import element_wise_loss
from .kernels.settings import check_at_least
from .kernels.targets import check_reduction, read_inputs


def hill_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    hill: float = 1.5,
    margin: float = 1.0,
    gamma: float = 2.0,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Focal loss with a margin for present labels, and for absent ones a cost whose gradient vanishes where the model is sure.

    ``-y (1 - p_m)^gamma log p_m + (1 - y) (hill - p) p^2`` with ``p_m = sigmoid(s - margin)``. [Zhang et al. 2021, "Simple and Robust
    Loss Design for Multi-Label Learning with Missing Labels"; lambda there is ``hill`` here]

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        hill: at least 1, lambda; 1.5 turns the gradient down from the probability 1 on, less turns it down earlier.
        margin: logits by which present labels must do better.
        gamma: at least 0, focusing of present labels.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> hill_loss(torch.tensor([[0.0]]), torch.tensor([[0.0]]))
    tensor([0.2500])
    """
    inputs = read_inputs("hill_loss", logits, targets, known)
    return element_wise_loss(inputs, FocusedCurve(gamma, offset=margin), HillCurve(hill), reduction=reduction)


class HillLoss(Loss):
    """Hill loss for missing labels [Zhang et al. 2021]; margin and hill move its zero, so a threshold must be tuned.

    Args:
        hill: at least 1, lambda of the paper.
        margin: logits by which present labels must do better.
        gamma: at least 0, focusing of present labels.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> HillLoss()(torch.tensor([[0.0]]), torch.tensor([[0.0]]))
    tensor([0.2500])
    """

    decision_rule = "tuned"

    def __init__(self, hill: float = 1.5, margin: float = 1.0, gamma: float = 2.0, reduction: str = "mean"):
        super().__init__()
        self.hill = check_at_least("hill", hill, 1)
        self.margin = check_at_least("margin", margin, 0)
        self.gamma = check_at_least("gamma", gamma, 0)
        self.reduction = check_reduction(reduction)

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``hill_loss``."""
        return hill_loss(logits, targets, known, self.hill, self.margin, self.gamma, self.reduction)
