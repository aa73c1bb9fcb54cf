"""Distribution-balanced loss (DBL): rebalanced weights, biased logits, and tolerance for absent labels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from ..labels import LabelStatistics
from .kernels.curves import FocusedCurve
from .kernels.element_wise import element_wise_loss
from .kernels.rebalance import smoothed_rebalancing
from .kernels.settings import check_above, check_at_least, counts_of, read_counts
from .kernels.targets import check_reduction, read_inputs


def distribution_balanced_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    *,
    counts: Float[Tensor, " L"] | Float[np.ndarray, " L"],
    num_examples: int,
    alpha: float = 0.1,
    beta: float = 10.0,
    mu: float = 0.3,
    kappa: float = 0.05,
    scale: float = 5.0,
    gamma: float = 2.0,
    factor: float = 2.0,
    official_code: bool = False,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Focal loss on logits that know how rare their labels are, with rebalanced weights and tolerance for absent labels.

    ``factor * rhat (y f(-z) + (1 - y) f(scale z) / scale)`` with ``f(x) = sigmoid(x)^gamma log(1 + e^x)``,
    ``z_i = s_i - kappa log(N / n_i - 1)`` and ``rhat = alpha + sigmoid(beta (r - mu))``, where
    ``r_ik = (1 / n_i) / sum_j y_kj / n_j``; an instance without a present label has ``rhat = 1``. [Wu et al. 2020,
    "Distribution-Balanced Loss for Multi-Label Classification in Long-Tailed Datasets"; cited by B]

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        counts: (L,), training instances that carry each label; 0 counts as 1, all of them as all but one.
        num_examples: N, training instances.
        alpha: at least 0, least weight.
        beta: at least 0, steepness of the weights; the paper's 10.
        mu: ratio at which weights rise; the paper's 0.3 for VOC-MLT, 0.2 for COCO-MLT.
        kappa: at least 0, strength of the bias.
        scale: above 0, lambda of the tolerance; the paper's 5 for VOC-MLT, 2 for COCO-MLT.
        gamma: at least 0, focusing.
        factor: above 0, of the whole loss.
        official_code: divide the bias by ``scale``, as the published code does, against its equation 9.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> counts = torch.tensor([2.0, 2.0])
    >>> distribution_balanced_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]), counts=counts, num_examples=4)
    tensor([0.0020])
    """
    logits, targets, known = read_inputs("distribution_balanced_loss", logits, targets, known)
    counts = read_counts("distribution_balanced_loss", counts, logits)
    bias = -kappa * torch.log((num_examples - counts).clamp(min=1) / counts)
    if official_code:
        bias = bias / scale
    present = FocusedCurve(gamma, height=factor)
    absent = FocusedCurve(gamma, slope=scale, height=factor / scale)
    weigh = smoothed_rebalancing(counts, alpha, beta, mu)
    return element_wise_loss(
        (logits, targets, known), present, absent, weigh, lambda s, y, out: (torch.add(s, bias, out=out), y), reduction
    )


class DistributionBalancedLoss(Loss):
    """Distribution-balanced loss (DBL) [Wu et al. 2020; cited by B]; biased and tolerant, so a threshold must be tuned.

    Args:
        statistics: of the training split.
        alpha: at least 0, least weight.
        beta: at least 0, steepness of the weights.
        mu: ratio at which weights rise; the paper's 0.3 for VOC-MLT, 0.2 for COCO-MLT.
        kappa: at least 0, strength of the bias.
        scale: above 0, lambda of the tolerance; the paper's 5 for VOC-MLT, 2 for COCO-MLT.
        gamma: at least 0, focusing.
        factor: above 0, of the whole loss.
        official_code: divide the bias by ``scale``, as the published code does, against its equation 9.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: without statistics, or for a value outside its range.

    >>> loss = DistributionBalancedLoss(LabelStatistics.from_targets([[1, 0], [0, 1], [1, 0], [0, 1]]))
    >>> loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.0020])
    """

    aliases: ClassVar[tuple[str, ...]] = ("dbl",)
    decision_rule = "tuned"
    counts: Tensor

    def __init__(
        self,
        statistics: LabelStatistics | None = None,
        alpha: float = 0.1,
        beta: float = 10.0,
        mu: float = 0.3,
        kappa: float = 0.05,
        scale: float = 5.0,
        gamma: float = 2.0,
        factor: float = 2.0,
        official_code: bool = False,
        reduction: str = "mean",
    ):
        super().__init__()
        self.register_buffer("counts", counts_of("DistributionBalancedLoss", statistics), persistent=False)
        self.settings: dict[str, Any] = {
            "num_examples": statistics.num_examples if statistics else 0,
            "alpha": check_at_least("alpha", alpha, 0),
            "beta": check_at_least("beta", beta, 0),
            "mu": mu,
            "kappa": check_at_least("kappa", kappa, 0),
            "scale": check_above("scale", scale, 0),
            "gamma": check_at_least("gamma", gamma, 0),
            "factor": check_above("factor", factor, 0),
            "official_code": official_code,
            "reduction": check_reduction(reduction),
        }

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``distribution_balanced_loss``."""
        return distribution_balanced_loss(logits, targets, known, counts=self.counts, **self.settings)
