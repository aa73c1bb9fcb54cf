"""Threshold label: true labels above a learned zero class, every other label below it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.closed_form import by_closed_form
from .kernels.targets import read_inputs
from .zlpr import zlpr_and_gradient, zlpr_by_formula


def threshold_label_loss(
    logits: Float[Tensor, "B L+1"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
) -> Float[Tensor, " B"]:
    """Softmax cross entropy for label sets with a learned threshold: true labels rank above the zero class, all others below.

    ``log(e^{s_0} + sum_i (1 - y_i) e^{s_i}) + log(e^{-s_0} + sum_i y_i e^{-s_i})``, which is ZLPR of ``s - s_0`` (Su 2020, eq. 10).

    Args:
        logits: (B, L + 1), unbounded; the last column is ``s_0``, the zero class.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> threshold_label_loss(torch.tensor([[3.0, 0.0, 1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.4402])
    """
    return by_closed_form(read_inputs("threshold_label_loss", logits, targets, known, extra=1), _and_gradient, _by_formula)


def _by_formula(logits: Tensor, targets: Tensor, known: Tensor | None) -> Float[Tensor, " B"]:
    return zlpr_by_formula(_above_zero_class(logits), targets, known)


def _and_gradient(logits: Tensor, targets: Tensor, known: Tensor | None) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L+1"]]:
    losses, gradient = zlpr_and_gradient(_above_zero_class(logits), targets, known)
    return losses, torch.cat([gradient, -gradient.sum(-1, keepdim=True)], -1)


def _above_zero_class(logits: Float[Tensor, "B L+1"]) -> Float[Tensor, "B L"]:
    return logits[..., :-1] - logits[..., -1:]


class ThresholdLabelLoss(Loss):
    """ZLPR with a learned threshold; a label is chosen where its logit exceeds that of the zero class, the last column (Su 2020, eq. 10).

    >>> import torch
    >>> loss = ThresholdLabelLoss()
    >>> loss(torch.tensor([[3.0, 0.0, 1.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.4402])
    >>> loss.scores(torch.tensor([[3.0, 0.0, 1.0]]))
    tensor([[ 2., -1.]])
    """

    decision_rule = "threshold_label"
    extra_logits = 1

    def forward(
        self, logits: Float[Tensor, "B L+1"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L + 1) logits and (B, L) targets -> one loss an instance (B,); see ``threshold_label_loss``."""
        return threshold_label_loss(logits, targets, known)

    def scores(self, logits: Float[Tensor, "B L+1"]) -> Float[Tensor, "B L"]:
        """How far each label lies above the zero class."""
        return _above_zero_class(logits)
