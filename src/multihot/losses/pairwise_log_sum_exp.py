"""Pairwise log-sum-exp: every true label above every other label, without a threshold."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .log_sums import absent_and_present, log_sum, log_weighted_sum
from .targets import read_inputs


def pairwise_log_sum_exp_loss(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
) -> Float[Tensor, " B"]:
    """A smooth maximum of how far any absent label lies above any present one.

    ``log(1 + sum_{i,j} (1 - y_i) y_j e^{s_i - s_j})``, with hard targets a sum over the pairs of an absent label i and a present label
    j. It factors into two sums over labels, so that it costs O(L). A soft target makes a pair of a label with itself, too. [S 8]

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
    return log_one_plus_pairs(*read_inputs("pairwise_log_sum_exp_loss", logits, targets, known))


def log_one_plus_pairs(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None,
    offset: float = 0.0,
    temperature: float = 1.0,
    dim: int = -1,
) -> Float[Tensor, " B"]:
    """``log(1 + e^offset (sum_i (1 - y_i) e^{s_i}) (sum_j y_j e^{-s_j / temperature})^temperature)`` of what ``read_inputs`` has read.

    Pairs are made along ``dim``: -1 pairs the labels of an instance, 0 the instances of a label, which gives (L,).
    """
    if targets.requires_grad or torch.compiler.is_compiling():  # a compiler fuses the formula by itself
        return _by_formula(logits, targets, known, offset, temperature, dim)
    return _ClosedForm.apply(logits, targets, known, offset, temperature, dim)


def _by_formula(logits: Tensor, targets: Tensor, known: Tensor | None, offset: float, temperature: float, dim: int) -> Tensor:
    absent, _ = absent_and_present(logits, targets, known)
    _, present = absent_and_present(logits / temperature, targets, known)
    return F.softplus(log_sum(absent, dim=dim) + temperature * log_sum(present, dim=dim) + offset)


class _ClosedForm(torch.autograd.Function):
    """``d/ds_i = sigmoid(x) (share of i among the absent - share of i among the present)``, with x the logarithm of the sum of pairs."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, known: Tensor | None, offset: float, temperature: float, dim: int
    ) -> Float[Tensor, " B"]:
        weights = 1 - targets if known is None else (1 - targets).mul_(known)
        absent, gradient = log_weighted_sum(logits, weights, dim=dim)
        present, share = log_weighted_sum(logits * (-1 / temperature), targets, dim=dim)
        pairs = (present * temperature).add_(absent).add_(offset)
        gradient.sub_(share).mul_(pairs.sigmoid().unsqueeze(dim))
        ctx.save_for_backward(logits, targets, known, gradient)
        ctx.settings = offset, temperature, dim
        return F.softplus(pairs)

    @staticmethod
    def backward(ctx: Any, upstream: Float[Tensor, " B"]) -> tuple[Tensor | None, ...]:
        logits, targets, known, gradient = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return upstream.unsqueeze(ctx.settings[-1]) * gradient, *[None] * 5
        loss = _by_formula(logits, targets, known, *ctx.settings)  # somebody differentiates the gradient
        return *torch.autograd.grad(loss, logits, upstream, create_graph=True), *[None] * 5


class PairwiseLogSumExpLoss(Loss):
    """Pairwise log-sum-exp, for rankings and known numbers of labels; its threshold must be tuned. [S 8]

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
