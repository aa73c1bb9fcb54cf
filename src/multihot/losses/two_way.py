"""Two-way loss: true labels above the others within an instance, and carriers above the others within a label."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.closed_form import blocks
from .kernels.log_sums import absent_and_present_terms, are_narrow
from .kernels.settings import check_above
from .kernels.targets import read_inputs
from .pairwise_log_sum_exp import log_one_plus_pairs


def two_way_loss(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None, temperature: float = 4.0
) -> Float[Tensor, " B"]:
    """Pairwise log-sum-exp in two directions: over the labels of each instance, and over the instances of each label.

    ``softplus(log sum_n (1 - y_n) e^{s_n} + T log sum_p y_p e^{-s_p / T})`` over the labels of an instance, averaged over the instances
    with a label, plus the same over the instances of a label, averaged over the labels that the batch shows (Kobayashi 2023, "Two-Way
    Multi-Label Loss"). The temperature softens the choice of the hardest present label.

    The second part belongs to the batch, not to an instance: what a label costs is shared equally among the instances that know it,
    and both parts are scaled so that the mean over the batch is the loss of the paper. So the loss of an instance depends on the others.

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        temperature: above 0, of the present labels.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> two_way_loss(torch.tensor([[2.0, -1.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])).mean()
    tensor(0.3079)
    """
    logits, targets, known = read_inputs("two_way_loss", logits, targets, known)
    by_instance, by_label = _both_ways(logits, targets, known, temperature)
    with_label, shown = (targets.detach().sum(axis).count_nonzero().clamp_(min=1).to(logits.dtype) for axis in (1, 0))
    by_instance = by_instance * (len(logits) / with_label)
    if known is None:
        return by_instance + by_label.sum() / shown
    return by_instance + known.to(logits.dtype) @ (by_label * (len(logits) / (shown * known.sum(0).clamp_(min=1))))


def _both_ways(logits: Tensor, targets: Tensor, known: Tensor | None, temperature: float) -> tuple[Tensor, Tensor]:
    """The loss along each row (B,) and along each column (L,)."""
    if not (torch.compiler.is_compiling() or targets.requires_grad) and are_narrow(logits, temperature):
        return _Narrow.apply(logits, targets, known, temperature)
    return _one_after_another(logits, targets, known, temperature)


def _one_after_another(logits: Tensor, targets: Tensor, known: Tensor | None, temperature: float) -> tuple[Tensor, Tensor]:
    turned = logits.T, targets.T, None if known is None else known.T
    return log_one_plus_pairs((logits, targets, known), temperature=temperature), log_one_plus_pairs(turned, temperature=temperature)


class _Narrow(torch.autograd.Function):
    """Logits that lie close together need no maximum of their row or column taken off, so both ways share their exponentials.

    They are computed a second time on the way back, because keeping them would take twice the memory of the gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, known: Tensor | None, temperature: float
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, " L"]]:
        sums = [logits.new_empty(len(logits)) for _ in range(2)] + [logits.new_zeros(logits.shape[1]) for _ in range(2)]
        for some in blocks(logits):
            for kind, terms in enumerate(_terms(logits, targets, known, temperature, some)):
                torch.sum(terms, 1, out=sums[kind][some])
                sums[2 + kind].add_(terms.sum(0))
        losses, slopes, tiny = [], [], torch.finfo(logits.dtype).tiny
        for absent, present in (sums[:2], sums[2:]):
            pairs = absent.log().add_(present.log(), alpha=temperature)
            losses.append(F.softplus(pairs))
            share = pairs.sigmoid_()
            slopes += [share / total.clamp_(min=tiny) for total in (absent, present)]
        ctx.save_for_backward(logits, targets, known, *slopes)
        ctx.temperature = temperature
        return losses[0], losses[1]

    @staticmethod
    def backward(ctx: Any, for_rows: Float[Tensor, " B"], for_columns: Float[Tensor, " L"]) -> tuple[Tensor | None, ...]:
        logits, targets, known, *slopes = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody differentiates the gradient
            losses = _one_after_another(logits, targets, known, ctx.temperature)
            return *torch.autograd.grad(losses, logits, (for_rows, for_columns), create_graph=True), *[None] * 3
        rows, columns = [(for_rows * slope)[:, None] for slope in slopes[:2]], [for_columns * slope for slope in slopes[2:]]
        gradient = torch.empty_like(logits)
        for some in blocks(logits):
            absent, present = _terms(logits, targets, known, ctx.temperature, some)
            part = torch.add(rows[0][some], columns[0], out=gradient[some]).mul_(absent)
            part.sub_(present.mul_(torch.add(rows[1][some], columns[1], out=absent)))
        return gradient, *[None] * 3


def _terms(logits: Tensor, targets: Tensor, known: Tensor | None, temperature: float, some: slice) -> tuple[Tensor, Tensor]:
    targets = targets[some]
    absences = 1 - targets if known is None else (1 - targets).mul_(known[some])
    return absent_and_present_terms(logits[some], targets, absences, temperature)


class TwoWayLoss(Loss):
    """Two-way loss: rankings within instances and within labels (Kobayashi 2023); its threshold must be tuned.

    Args:
        temperature: above 0, of the present labels.

    Raises:
        ValueError: for a value outside its range.

    >>> import torch
    >>> TwoWayLoss()(torch.tensor([[2.0, -1.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])).mean()
    tensor(0.3079)
    """

    decision_rule = "tuned"

    def __init__(self, temperature: float = 4.0):
        super().__init__()
        self.temperature = check_above("temperature", temperature, 0)

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``two_way_loss``."""
        return two_way_loss(logits, targets, known, self.temperature)
