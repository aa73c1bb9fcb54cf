"""Self-paced loss correction (SPLC): what the model is sure of becomes a target."""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.curves import FocusedCurve
from .kernels.element_wise import element_wise_loss
from .kernels.settings import check_at_least, check_within
from .kernels.targets import check_reduction, read_inputs


def splc_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    tau: float = 0.6,
    margin: float = 1.0,
    gamma: float = 2.0,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Focal loss with a margin, in which an absent label of probability above tau counts as present.

    ``-y' (1 - p_m)^gamma log p_m - (1 - y') p^gamma log(1 - p)`` with ``p_m = sigmoid(s - margin)`` and ``y' = 1`` where ``p > tau``,
    else ``y``. [Zhang et al. 2021, "Simple and Robust Loss Design for Multi-Label Learning with Missing Labels"; the authors' code
    leaves the margin off where it corrects a target, their equation does not]

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry, which stays unknown.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        tau: in [0, 1], probability above which an absent label counts as present; 1 corrects nothing.
        margin: logits by which present labels must do better.
        gamma: at least 0, focusing.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> splc_loss(torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 1.0]]))
    tensor([0.1733])
    """
    inputs = read_inputs("splc_loss", logits, targets, known)
    adjust = None if tau >= 1 else partial(_corrected, sure=math.log(tau / (1 - tau)) if tau > 0 else -math.inf)
    return element_wise_loss(inputs, FocusedCurve(gamma, offset=margin), FocusedCurve(gamma), adjust=adjust, reduction=reduction)


def _corrected(logits: Tensor, targets: Tensor, out: Tensor | None, sure: float) -> tuple[Tensor, Tensor]:
    """Targets that are 1 where the logit is above ``sure``."""
    above = torch.gt(logits.detach(), sure, out=torch.empty_like(targets) if out is None else out)
    return logits, torch.maximum(targets, above, out=out)


class SPLCLoss(Loss):
    """Self-paced loss correction (SPLC) for missing labels [Zhang et al. 2021]; a threshold must be tuned.

    Args:
        tau: in [0, 1], probability above which an absent label counts as present.
        margin: logits by which present labels must do better.
        gamma: at least 0, focusing.
        from_progress: in [0, 1], share of the training after which targets are corrected; the authors' code corrects from the second
            epoch on. Before ``set_progress`` is called, no training is done.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> loss = SPLCLoss(from_progress=0.1)
    >>> loss.set_progress(0.5)
    >>> loss(torch.tensor([[1.0, 1.0]]), torch.tensor([[0.0, 1.0]]))
    tensor([0.1733])
    """

    decision_rule = "tuned"

    def __init__(self, tau: float = 0.6, margin: float = 1.0, gamma: float = 2.0, from_progress: float = 0.1, reduction: str = "mean"):
        super().__init__()
        self.tau = check_within("tau", tau)
        self.margin = check_at_least("margin", margin, 0)
        self.gamma = check_at_least("gamma", gamma, 0)
        self.from_progress = check_within("from_progress", from_progress)
        self.reduction = check_reduction(reduction)
        self.progress = 0.0

    def set_progress(self, fraction: float) -> None:
        """The share of training done, in [0, 1]."""
        self.progress = fraction

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``splc_loss``."""
        tau = self.tau if self.progress >= self.from_progress else 1.0
        return splc_loss(logits, targets, known, tau, self.margin, self.gamma, self.reduction)
