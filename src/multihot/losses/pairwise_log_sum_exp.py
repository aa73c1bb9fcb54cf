"""Pairwise log-sum-exp: every true label above every other label, without a threshold."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.closed_form import by_closed_form
from .kernels.log_sums import absent_and_present, absent_and_present_sums, log_sum
from .kernels.targets import read_inputs


def pairwise_log_sum_exp_loss(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
) -> Float[Tensor, " B"]:
    """A smooth maximum of how far any absent label lies above any present one.

    ``log(1 + sum_{i,j} (1 - y_i) y_j e^{s_i - s_j})``, with hard targets a sum over the pairs of an absent label i and a present label
    j. It factors into two sums over labels, so that it costs O(L). A soft target makes a pair of a label with itself, too (Su 2020, eq. 8).

    Args:
        logits: (B, L), unbounded; adding a number to a row changes nothing.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.

    Returns:
        (B,), at least float32; 0 for an instance without a pair.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> pairwise_log_sum_exp_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.0486])
    """
    return log_one_plus_pairs(read_inputs("pairwise_log_sum_exp_loss", logits, targets, known))


def log_one_plus_pairs(
    inputs: tuple[Float[Tensor, "B L"], Float[Tensor, "B L"], Bool[Tensor, "B L"] | None],
    scale: float = 1.0,
    offset: float = 0.0,
    temperature: float = 1.0,
) -> Float[Tensor, " B"]:
    """``pairs_by_formula`` of what ``read_inputs`` has read, with its gradient in closed form."""
    return by_closed_form(inputs, pairs_and_gradient, pairs_by_formula, scale, offset, temperature)


def pairs_by_formula(
    logits: Tensor, targets: Tensor, known: Tensor | None, scale: float = 1.0, offset: float = 0.0, temperature: float = 1.0
) -> Float[Tensor, " B"]:
    """``log(1 + e^offset (sum_i (1 - y_i) e^{scale s_i}) (sum_j y_j e^{-scale s_j / temperature})^temperature)``."""
    absent, _ = absent_and_present(scale * logits, targets, known)
    _, present = absent_and_present(logits * (scale / temperature), targets, known)
    return F.softplus(log_sum(absent) + temperature * log_sum(present) + offset)


def pairs_and_gradient(
    logits: Tensor, targets: Tensor, known: Tensor | None, scale: float = 1.0, offset: float = 0.0, temperature: float = 1.0
) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L"]]:
    """``d/ds_i = scale sigmoid(x) (share of i among the absent - share of i among the present)``, x being the logarithm of the pairs."""
    scaled = logits if scale == 1 else scale * logits
    (absent, gradient), (present, share) = absent_and_present_sums(scaled, targets, known, temperature=temperature)
    pairs = (present * temperature).add_(absent).add_(offset)
    return F.softplus(pairs)[:, 0], gradient.sub_(share).mul_(scale * pairs.sigmoid())


class PairwiseLogSumExpLoss(Loss):
    """Pairwise log-sum-exp, for rankings and known numbers of labels; its threshold must be tuned (Su 2020, eq. 8).

    >>> import torch
    >>> PairwiseLogSumExpLoss()(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.0486])
    """

    decision_rule = "tuned"

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``pairwise_log_sum_exp_loss``."""
        return pairwise_log_sum_exp_loss(logits, targets, known)
