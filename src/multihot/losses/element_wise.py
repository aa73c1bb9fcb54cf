"""Element-wise losses: every label judged on its own, by one curve where it is present and another where it is absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .curves import Curve
from .targets import by_instance

BLOCK = 131_072  # entries: what is computed in one go, so that what lies between logits and gradient stays in the processor's cache
DENSE_FROM = 0.4  # share of present labels up to which only those are looked at twice

Weigh = Callable[[Tensor], Tensor]  # targets (b, L) -> weights that spread to (b, L)


def element_wise_loss(
    inputs: tuple[Float[Tensor, "B L"], Float[Tensor, "B L"], Bool[Tensor, "B L"] | None],
    present: Curve,
    absent: Curve,
    weigh: Weigh | None = None,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """``w (y present(-s) + (1 - y) absent(s))`` over the known labels of an instance.

    Args:
        inputs: logits, targets and known as ``read_inputs`` gives them.
        present: cost of a label that is present, of its logit with the sign turned.
        absent: cost of a label that is absent, of its logit.
        weigh: weights of the entries, from the targets of some instances; None weighs all alike.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), 0 for an instance without a known label.

    >>> from .curves import FocusedCurve
    >>> curve = FocusedCurve()
    >>> element_wise_loss((torch.zeros(1, 2), torch.ones(1, 2), None), present=curve, absent=curve)
    tensor([0.6931])
    """
    logits, targets, known = inputs
    parts = (present, absent, weigh, reduction)
    if targets.requires_grad or torch.compiler.is_compiling():  # a compiler fuses the formula by itself
        return _by_formula(logits, targets, known, *parts)
    return _ClosedForm.apply(logits, targets, known, parts)


def _by_formula(
    logits: Tensor, targets: Tensor, known: Tensor | None, present: Curve, absent: Curve, weigh: Weigh | None, reduction: str
) -> Float[Tensor, " B"]:
    entries = targets * present.cost(-logits) + (1 - targets) * absent.cost(logits)
    return by_instance(entries if weigh is None else entries * weigh(targets), known, reduction)


class _ClosedForm(torch.autograd.Function):
    """Loss and gradient together, some instances at a time: no more memory than the gradient itself."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, targets: Tensor, known: Tensor | None, parts: tuple[Curve, Curve, Weigh | None, str]
    ) -> Float[Tensor, " B"]:
        rows, labels = logits.shape
        step = max(BLOCK // max(labels, 1), 1) if logits.device.type == "cpu" else rows
        if rows <= step:
            losses, gradient = _losses_and_gradient(logits, targets, known, *parts)
        else:
            losses, gradient = logits.new_empty(rows), torch.empty_like(logits)
            for start in range(0, rows, step):
                some = slice(start, start + step)
                known_of_some = None if known is None else known[some]
                losses[some], gradient[some] = _losses_and_gradient(logits[some], targets[some], known_of_some, *parts)
        ctx.save_for_backward(logits, targets, known, gradient)
        ctx.parts = parts
        return losses

    @staticmethod
    def backward(ctx: Any, upstream: Float[Tensor, " B"]) -> tuple[Tensor | None, None, None, None]:
        logits, targets, known, gradient = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return upstream[:, None] * gradient, None, None, None
        loss = _by_formula(logits, targets, known, *ctx.parts)  # somebody differentiates the gradient
        return *torch.autograd.grad(loss, logits, upstream, create_graph=True), None, None, None


def _losses_and_gradient(
    logits: Tensor, targets: Tensor, known: Tensor | None, present: Curve, absent: Curve, weigh: Weigh | None, reduction: str
) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L"]]:
    values, slopes = _values_and_slopes(logits, targets, present, absent)
    if weigh is not None:
        weights = weigh(targets)
        values, slopes = values.mul_(weights), slopes.mul_(weights)
    losses = by_instance(values, known, reduction)
    if known is not None:
        slopes.mul_(known)
    if reduction == "mean":
        slopes.div_(max(logits.shape[-1], 1) if known is None else known.sum(-1, keepdim=True).clamp_(min=1))
    return losses, slopes


def _values_and_slopes(logits: Tensor, targets: Tensor, present: Curve, absent: Curve) -> tuple[Tensor, Tensor]:
    """Cost of every entry and its derivative in the logit."""
    values, slopes = absent.cost_and_derivative(logits)
    if logits.device.type == "cpu":
        where = (targets > 0).view(-1).nonzero()[:, 0]
        if len(where) < DENSE_FROM * targets.numel():  # label sets are small: look again only where something is present
            shares = targets.reshape(-1).index_select(0, where)
            cost, derivative = present.cost_and_derivative(-logits.reshape(-1).index_select(0, where))
            for entries, other in ((values.view(-1), cost), (slopes.view(-1), derivative.neg_())):
                entries.scatter_(0, where, entries.index_select(0, where).lerp_(other, shares))
            return values, slopes
    cost, derivative = present.cost_and_derivative(-logits)
    return values.lerp_(cost, targets), slopes.lerp_(derivative.neg_(), targets)
