"""Losses that know their gradient: both are computed together, some instances at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

BLOCK = 131_072  # entries: what lies between logits and gradient stays in the processor's cache, and takes no memory to speak of

Formula = Callable[..., Tensor]  # logits (b, E), targets (b, L), known (b, L) or None, settings -> losses (b,)
ClosedForm = Callable[..., tuple[Tensor, Tensor]]  # the same -> losses (b,) and their gradient (b, E)


def by_closed_form(
    inputs: tuple[Float[Tensor, "B E"], Float[Tensor, "B L"], Bool[Tensor, "B L"] | None],
    closed_form: ClosedForm,
    formula: Formula,
    *settings: Any,
) -> Float[Tensor, " B"]:
    """A loss with its gradient in the logits, several times quicker and smaller than what autograd makes of the formula.

    Args:
        inputs: logits, targets and known as ``read_inputs`` gives them.
        closed_form: losses of some instances and d loss / d logits, two new tensors, of a batch or a part of it.
        formula: the same losses by differentiable operations, for learned targets, for a gradient that is differentiated again, and
            for a compiler, which fuses them by itself.
        settings: what both take behind the inputs.

    Returns:
        (B,).

    >>> def formula(logits, targets, known):
    ...     return (logits - targets).square().sum(-1)
    >>> def closed_form(logits, targets, known):
    ...     return formula(logits, targets, known), 2 * (logits - targets)
    >>> logits = torch.tensor([[3.0]], requires_grad=True)
    >>> by_closed_form((logits, torch.ones(1, 1), None), closed_form, formula).backward()
    >>> logits.grad
    tensor([[4.]])
    """
    if inputs[1].requires_grad or torch.compiler.is_compiling():
        return formula(*inputs, *settings)
    return _LossAndGradient.apply(*inputs, closed_form, formula, settings)


def blocks(logits: Float[Tensor, "B L"]) -> list[slice]:
    """Rows that are worth computing in one go: all of them on an accelerator, about ``BLOCK`` entries on the CPU."""
    rows, labels = logits.shape
    step = max(BLOCK // max(labels, 1), 1) if logits.device.type == "cpu" else max(rows, 1)
    return [slice(start, start + step) for start in range(0, rows, step)]


class _LossAndGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logits: Tensor,
        targets: Tensor,
        known: Tensor | None,
        closed_form: ClosedForm,
        formula: Formula,
        settings: tuple[Any, ...],
    ) -> Float[Tensor, " B"]:
        parts = blocks(logits)
        if len(parts) <= 1:
            losses, gradient = closed_form(logits, targets, known, *settings)
        else:
            losses, gradient = logits.new_empty(len(logits)), torch.empty_like(logits)
            for some in parts:
                known_of_some = None if known is None else known[some]
                losses[some], gradient[some] = closed_form(logits[some], targets[some], known_of_some, *settings)
        ctx.save_for_backward(logits, targets, known, gradient)
        ctx.formula, ctx.settings = formula, settings
        return losses

    @staticmethod
    def backward(ctx: Any, upstream: Float[Tensor, " B"]) -> tuple[Tensor | None, ...]:
        logits, targets, known, gradient = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return upstream[:, None] * gradient, *[None] * 5
        loss = ctx.formula(logits, targets, known, *ctx.settings)  # somebody differentiates the gradient
        return *torch.autograd.grad(loss, logits, upstream, create_graph=True), *[None] * 5
