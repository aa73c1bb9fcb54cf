"""Multi-label softmax cross entropy (ZLPR): every true label above zero, every other label below."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.closed_form import by_closed_form
from .kernels.log_sums import absent_and_present, absent_and_present_sums, log_sum
from .kernels.targets import read_inputs


def zlpr_loss(logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None) -> Float[Tensor, " B"]:
    """Softmax cross entropy carried over to label sets: true labels rank above zero, and zero above all others.

    ``log(1 + sum_i (1 - y_i) e^{s_i}) + log(1 + sum_i y_i e^{-s_i})``; with hard targets the first sum runs over the labels that
    are absent, the second over those that are present (Su 2020, eq. 11), soft targets after Su et al. 2022, "ZLPR: A Novel Loss for
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
    return by_closed_form(read_inputs("zlpr_loss", logits, targets, known), zlpr_and_gradient, zlpr_by_formula)


def zlpr_by_formula(logits: Tensor, targets: Tensor, known: Tensor | None) -> Float[Tensor, " B"]:
    """``zlpr_loss`` of what ``read_inputs`` has read, by differentiable operations."""
    absent, present = absent_and_present(logits, targets, known)
    return log_sum(absent, floor=0.0) + log_sum(present, floor=0.0)


def zlpr_and_gradient(logits: Tensor, targets: Tensor, known: Tensor | None) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L"]]:
    """``d/ds_i = (1 - y_i) e^{s_i} / (1 + sum_j (1 - y_j) e^{s_j}) - y_i e^{-s_i} / (1 + sum_j y_j e^{-s_j})``."""
    (absent, gradient), (present, share) = absent_and_present_sums(logits, targets, known, floor=0.0)
    return (absent + present)[:, 0], gradient.sub_(share)


class ZLPRLoss(Loss):
    """Multi-label softmax cross entropy (ZLPR); a label is chosen where its logit exceeds zero (Su 2020, eq. 11).

    >>> import torch
    >>> ZLPRLoss()(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.4402])
    """

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``zlpr_loss``."""
        return zlpr_loss(logits, targets, known)
