"""Multi-label softmax cross entropy (ZLPR): every true label above zero, every other label below."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .log_sums import absent_and_present, log_sum, log_weighted_sum
from .targets import read_inputs


def zlpr_loss(logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None) -> Float[Tensor, " B"]:
    """Softmax cross entropy carried over to label sets: true labels rank above zero, and zero above all others.

    ``log(1 + sum_i (1 - y_i) e^{s_i}) + log(1 + sum_i y_i e^{-s_i})``; with hard targets the first sum runs over the labels that
    are absent, the second over those that are present. [S 11], soft targets after Su et al. 2022, "ZLPR: A Novel Loss for
    Multi-label Classification".

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> zlpr_loss(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.4402])
    """
    return zlpr_of(*read_inputs("zlpr_loss", logits, targets, known))


def zlpr_of(logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None) -> Float[Tensor, " B"]:
    """``zlpr_loss`` of what ``read_inputs`` has read."""
    if targets.requires_grad or torch.compiler.is_compiling():  # a compiler fuses the formula by itself
        return _by_formula(logits, targets, known)
    return _ClosedForm.apply(logits, targets, known)


def _by_formula(logits: Tensor, targets: Tensor, known: Tensor | None) -> Float[Tensor, " B"]:
    absent, present = absent_and_present(logits, targets, known)
    return log_sum(absent, floor=0.0) + log_sum(present, floor=0.0)


class _ClosedForm(torch.autograd.Function):
    """Loss and gradient in one go, in place: several times quicker than letting autograd keep every step.

    ``d/ds_i = (1 - y_i) e^{s_i} / (1 + sum_j (1 - y_j) e^{s_j}) - y_i e^{-s_i} / (1 + sum_j y_j e^{-s_j})``
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, known: Tensor | None) -> Float[Tensor, " B"]:
        weights = 1 - targets if known is None else (1 - targets).mul_(known)
        absent, gradient = log_weighted_sum(logits, weights, floor=0.0)
        present, share = log_weighted_sum(-logits, targets, floor=0.0)
        ctx.save_for_backward(logits, targets, known, gradient.sub_(share))
        return absent + present

    @staticmethod
    def backward(ctx: Any, upstream: Float[Tensor, " B"]) -> tuple[Tensor | None, None, None]:
        logits, targets, known, gradient = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return upstream[:, None] * gradient, None, None
        loss = _by_formula(logits, targets, known)  # somebody differentiates the gradient
        return *torch.autograd.grad(loss, logits, upstream, create_graph=True), None, None


class ZLPRLoss(Loss):
    """Multi-label softmax cross entropy (ZLPR); a label is chosen where its logit exceeds zero. [S 11]

    >>> import torch
    >>> ZLPRLoss()(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.4402])
    """

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``zlpr_loss``."""
        return zlpr_loss(logits, targets, known)
