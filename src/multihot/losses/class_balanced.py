"""Class-balanced loss and re-weighting: a rare label's entries weigh more."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigurationError
from ..interfaces import Loss
from ..labels import LabelStatistics
from .kernels.curves import FocusedCurve
from .kernels.element_wise import element_wise_loss
from .kernels.settings import check_at_least, check_within, counts_of, read_counts
from .kernels.targets import check_reduction, read_inputs

WEIGHTINGS = ("effective_number", "inverse_square_root")


def class_balanced_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    *,
    counts: Float[Tensor, " L"] | Float[np.ndarray, " L"],
    beta: float = 0.9999,
    weighting: str = "effective_number",
    gamma: float = 0.0,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Focal loss whose entries weigh the more, the rarer their label is, whether it is present or absent.

    ``-w_i (1 - p_t)^gamma log p_t``; ``w_i ~ (1 - beta) / (1 - beta^n_i)``, the inverse of the effective number of examples [Cui et al.
    2019, "Class-Balanced Loss Based on Effective Number of Samples"], or ``w_i ~ n_i^(-1/2)``, the smooth re-weighting (RW) of Zhu and
    Xiong 2022, section 4.2. The weights are scaled such that the known entries of the batch weigh 1 on average; where all are known, those
    of the labels do.

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        counts: (L,), training instances that carry each label; 0 counts as 1.
        beta: in [0, 1); 0 weighs all labels alike, towards 1 the weight becomes ``1 / n_i``. Only for ``"effective_number"``.
        weighting: ``"effective_number"`` or ``"inverse_square_root"``.
        gamma: at least 0, focusing.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> class_balanced_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), counts=torch.tensor([1.0, 4.0]))
    tensor([0.6931])
    """
    logits, targets, known = read_inputs("class_balanced_loss", logits, targets, known)
    weights = class_weights(read_counts("class_balanced_loss", counts, logits), weighting, beta)
    if known is None:
        weights = weights / weights.mean()
    else:
        weights = weights * known.sum().clamp(min=1) / (weights * known).sum().clamp(min=torch.finfo(weights.dtype).tiny)
    curve = FocusedCurve(gamma)
    return element_wise_loss((logits, targets, known), curve, curve, weigh=lambda *_: weights, reduction=reduction)


def class_weights(counts: Float[Tensor, " L"], weighting: str, beta: float) -> Float[Tensor, " L"]:
    """What each label weighs, up to a factor.

    >>> class_weights(torch.tensor([1.0, 4.0]), "inverse_square_root", beta=0.0)
    tensor([1.0000, 0.5000])
    """
    if weighting == "inverse_square_root":
        return counts.rsqrt()
    if not beta:
        return torch.ones_like(counts)
    return (1 - beta) / -torch.expm1(counts * np.log(beta))  # 1 - beta^n itself cancels where n (1 - beta) is small


class ClassBalancedLoss(Loss):
    """Class-balanced loss, and the smooth re-weighting (RW) of Zhu and Xiong 2022 (section 4.2) as ``weighting="inverse_square_root"``.

    A label's weight is the same where it is present and where it is absent, so that a label is chosen where its logit exceeds zero.

    Args:
        statistics: of the training split.
        beta: in [0, 1); only for ``"effective_number"``.
        weighting: ``"effective_number"`` or ``"inverse_square_root"``.
        gamma: at least 0, focusing; 0 is cross entropy.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: without statistics, or for a value outside its range.

    >>> loss = ClassBalancedLoss(LabelStatistics.from_targets([[1, 0], [1, 1]]), weighting="inverse_square_root")
    >>> loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor([0.6931])
    """

    aliases: ClassVar[tuple[str, ...]] = ("cb",)
    counts: Tensor

    def __init__(
        self,
        statistics: LabelStatistics | None = None,
        beta: float = 0.9999,
        weighting: str = "effective_number",
        gamma: float = 0.0,
        reduction: str = "mean",
    ):
        super().__init__()
        if weighting not in WEIGHTINGS:
            raise ConfigurationError(f"the 'weighting' parameter must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}")
        self.register_buffer("counts", counts_of("ClassBalancedLoss", statistics), persistent=False)
        self.beta = check_within("beta", beta, open_end=True)
        self.weighting = weighting
        self.gamma = check_at_least("gamma", gamma, 0)
        self.reduction = check_reduction(reduction)

    @classmethod
    def scores_are(cls, **arguments: Any) -> str:
        return "zero" if arguments.get("gamma") else "log_odds"  # a label's weight is the same on both sides

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``class_balanced_loss``."""
        settings: dict[str, Any] = {"beta": self.beta, "weighting": self.weighting, "gamma": self.gamma, "reduction": self.reduction}
        return class_balanced_loss(logits, targets, known, counts=self.counts, **settings)
