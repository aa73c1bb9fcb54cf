"""DAB (distribution and asymmetric balance): training moves from the data as they are to rebalanced data, hard labels first."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import ConfigurationError
from ..interfaces import Loss
from ..labels import LabelStatistics
from .kernels.curves import FocusedCurve
from .kernels.element_wise import element_wise_loss
from .kernels.rebalance import smoothed_rebalancing
from .kernels.settings import check_above, check_at_least, counts_of, read_counts
from .kernels.targets import by_instance, check_reduction, read_inputs

RESAMPLINGS = ("dynamic", "plain", "resampled")


def dab_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    *,
    counts: Float[Tensor, " L"] | Float[np.ndarray, " L"],
    progress: float = 0.0,
    beta: float = 0.1,
    mu: float = 5.0,
    eps: float = 0.3,
    gamma_pos: float = 0.0,
    gamma_neg: float = 2.0,
    slope: float = 1.0,
    as_printed: bool = False,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Asymmetrically focused cross entropy whose weights move, as training goes on, from equal to rebalanced.

    ``-w (y (1 - p)^gamma_pos log p + (1 - y) phat^gamma_neg log(1 - phat))`` with ``p = sigmoid(s)``, ``phat = sigmoid(slope s)``
    (Zhu and Xiong 2022, eqs. 12-14), ``w = phi + (1 - phi) shat`` and ``phi = 1 - progress^2`` (eqs. 9-10),
    ``shat = beta + sigmoid(mu (r - eps))`` and ``r_ik = (1 / n_i) / sum_j y_kj / n_j`` (eqs. 3-6); an instance without
    a present label has ``shat = 1``.

    ``as_printed`` is equation 16 of Zhu and Xiong 2022 to the letter, in which phi cancels out and hard absent labels weigh less, not more:
    ``-shat (y (1 - phat)^gamma_pos log p + (1 - y) (1 - phat)^gamma_neg log(1 - phat))`` with ``phat = sigmoid(slope p)`` (eq. 14).

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        counts: (L,), training instances that carry each label; 0 counts as 1.
        progress: in [0, 1], share of the training that is done; the paper's epoch over epochs.
        beta: at least 0, least weight; the paper names no value, 0.1 is that of the distribution-balanced loss.
        mu: at least 0, steepness of the weights; 5 is the paper's best.
        eps: ratio at which weights rise; the paper names no value, 0.3 is that of the distribution-balanced loss.
        gamma_pos: at least 0, focusing of present labels; 0 is the paper's best.
        gamma_neg: at least 0, focusing of absent labels.
        slope: above 0, M of the softened probability; the paper's 1.
        as_printed: take the printed equation literally.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> dab_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]), counts=torch.tensor([9.0, 1.0]))
    tensor([0.4332])
    """
    logits, targets, known = read_inputs("dab_loss", logits, targets, known)
    counts = read_counts("dab_loss", counts, logits)
    if as_printed:
        entries = _as_printed(logits, targets, gamma_pos, gamma_neg, slope)
        return by_instance(entries * smoothed_rebalancing(counts, beta, mu, eps)(targets, None), known, reduction)
    share = progress**2  # 1 - phi
    weigh = smoothed_rebalancing(counts, beta, mu, eps, share) if share else None
    present, absent = FocusedCurve(gamma_pos), FocusedCurve(gamma_neg, slope=slope)
    return element_wise_loss((logits, targets, known), present, absent, weigh, reduction=reduction)


def _as_printed(logits: Tensor, targets: Tensor, gamma_pos: float, gamma_neg: float, slope: float) -> Float[Tensor, "B L"]:
    softened = slope * logits.sigmoid()
    right = torch.sigmoid(-softened)  # 1 - phat, at least sigmoid(-slope)
    present = -right.pow(gamma_pos) * F.logsigmoid(logits)
    return targets * present - (1 - targets) * right.pow(gamma_neg) * F.logsigmoid(-softened)


class DABLoss(Loss):
    """Distribution and asymmetric balance (DAB) for long tails; it favours present labels, so a threshold must be tuned.

    Source: Zhu and Xiong 2022, eqs. 3-16.

    The switches of the paper's ablations: ``resampling="plain"`` leaves the weights equal, ``"resampled"`` rebalances from the first
    step on, ``"dynamic"`` moves from one to the other; ``asymmetric=False`` leaves cross entropy with those weights. The paper's epoch
    is the exact share of training done, told by ``set_progress``; before it is told, no training is done.

    Args:
        statistics: of the training split.
        beta: at least 0, least weight.
        mu: at least 0, steepness of the weights.
        eps: ratio at which weights rise.
        gamma_pos: at least 0, focusing of present labels.
        gamma_neg: at least 0, focusing of absent labels.
        slope: above 0, M of the softened probability.
        resampling: ``"dynamic"``, ``"plain"`` or ``"resampled"``.
        asymmetric: False takes both focusing weights and the slope away.
        as_printed: take equation 16 literally, in which training has no share in the weights: ``"dynamic"`` is
            ``"resampled"``.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: without statistics, or for a value outside its range.

    >>> loss = DABLoss(LabelStatistics.from_targets([[1, 0], [1, 1]]))
    >>> loss.set_progress(0.5)
    >>> loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor([0.4415])
    """

    decision_rule = "tuned"
    counts: Tensor

    def __init__(
        self,
        statistics: LabelStatistics | None = None,
        beta: float = 0.1,
        mu: float = 5.0,
        eps: float = 0.3,
        gamma_pos: float = 0.0,
        gamma_neg: float = 2.0,
        slope: float = 1.0,
        resampling: str = "dynamic",
        asymmetric: bool = True,
        as_printed: bool = False,
        reduction: str = "mean",
    ):
        super().__init__()
        if resampling not in RESAMPLINGS:
            raise ConfigurationError(f"the 'resampling' parameter must be one of {', '.join(RESAMPLINGS)}, got {resampling!r}")
        if as_printed and (resampling == "plain" or not asymmetric):
            raise ConfigurationError(
                f"as_printed is one equation without parts to leave out, got resampling={resampling!r}, asymmetric={asymmetric}; "
                "leave as_printed out for the ablations"
            )
        self.register_buffer("counts", counts_of("DABLoss", statistics), persistent=False)
        self.resampling = resampling
        self.progress = 0.0
        self.settings: dict[str, Any] = {
            "beta": check_at_least("beta", beta, 0),
            "mu": check_at_least("mu", mu, 0),
            "eps": eps,
            "gamma_pos": check_at_least("gamma_pos", gamma_pos, 0) if asymmetric else 0.0,
            "gamma_neg": check_at_least("gamma_neg", gamma_neg, 0) if asymmetric else 0.0,
            "slope": check_above("slope", slope, 0) if asymmetric else 1.0,
            "as_printed": as_printed,
            "reduction": check_reduction(reduction),
        }

    def set_progress(self, fraction: float) -> None:
        """The share of training done, in [0, 1]."""
        self.progress = fraction

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``dab_loss``."""
        progress = {"dynamic": self.progress, "plain": 0.0, "resampled": 1.0}[self.resampling]
        return dab_loss(logits, targets, known, counts=self.counts, progress=progress, **self.settings)
