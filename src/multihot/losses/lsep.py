"""LSEP: the log-sum-exp of pairwise differences, over all pairs or over some of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.log_sums import log_sum
from .kernels.settings import check_count
from .kernels.targets import check_hard, read_inputs
from .pairwise_log_sum_exp import log_one_plus_pairs


def lsep_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    max_pairs: int | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " B"]:
    """``log(1 + sum_{i absent, j present} e^{s_i - s_j})`` over all pairs, or over some that are drawn at random.

    Over all pairs it is ``pairwise_log_sum_exp_loss`` and costs O(L), so there is nothing to save by drawing; ``max_pairs`` is what
    Li et al. 2017, "Improving Pairwise Ranking for Multi-label Image Classification", do (with 1000). An instance with more pairs than
    that gets so many of them, drawn with replacement.

    Args:
        logits: (B, L), unbounded; adding a number to a row changes nothing.
        targets: (B, L), 0 or 1; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        max_pairs: at least 1; None takes all pairs.
        generator: source of the drawing; None is PyTorch's global one.

    Returns:
        (B,), at least float32; 0 for an instance without a pair.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.
        DataError: on the CPU, for a soft target.

    >>> import torch
    >>> lsep_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.0486])
    """
    inputs = logits, targets, known = read_inputs("lsep_loss", logits, targets, known)
    check_hard("lsep_loss", targets)
    over_all = log_one_plus_pairs(inputs)
    if max_pairs is None:
        return over_all
    present = targets > 0.5
    absent = ~present if known is None else known & ~present
    difference = _drawn(logits, absent, max_pairs, generator) - _drawn(logits, present, max_pairs, generator)
    over_some = F.softplus(log_sum(difference))
    return torch.where(present.sum(-1) * absent.sum(-1) > max_pairs, over_some, over_all)


def _drawn(
    logits: Float[Tensor, "B L"], labels: Bool[Tensor, "B L"], times: int, generator: torch.Generator | None
) -> Float[Tensor, "B T"]:
    """Logits of labels drawn with replacement; of any labels in a row that has none of those."""
    weights = (labels | ~labels.any(-1, keepdim=True)).to(torch.float32)
    return logits.gather(1, torch.multinomial(weights, times, replacement=True, generator=generator))


class LSEPLoss(Loss):
    """Log-sum-exp of pairwise differences (Li et al. 2017); its threshold must be tuned.

    Args:
        max_pairs: how many pairs of an instance are drawn, from PyTorch's global generator; None takes all.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> LSEPLoss()(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.0486])
    """

    decision_rule = "tuned"

    def __init__(self, max_pairs: int | None = None):
        super().__init__()
        self.max_pairs = max_pairs if max_pairs is None else check_count("max_pairs", max_pairs)

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``lsep_loss``."""
        return lsep_loss(logits, targets, known, self.max_pairs)
