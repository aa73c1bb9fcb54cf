"""Binary cross entropy: every label judged on its own."""

from __future__ import annotations

from typing import Any, ClassVar

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.targets import by_instance, check_reduction, read_inputs


def binary_cross_entropy_loss(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None = None,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """Mean cross entropy between each label's probability and its target.

    ``-(y log p + (1 - y) log(1 - p))`` with ``p = sigmoid(s)``, averaged over the known labels of the instance (Tsai 2019, eq. 2.10).

    Args:
        logits: (B, L), unbounded.
        targets: (B, L) in [0, 1], hard or soft; NaN is an unknown entry.
        known: (B, L); entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.

    >>> import torch
    >>> binary_cross_entropy_loss(torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.4100])
    """
    logits, targets, known = read_inputs("binary_cross_entropy_loss", logits, targets, known)
    return by_instance(F.binary_cross_entropy_with_logits(logits, targets, reduction="none"), known, reduction)


class BinaryCrossEntropyLoss(Loss):
    """Binary cross entropy, the loss of binary relevance; a label is chosen where its probability exceeds one half (Tsai 2019, eq. 2.10).

    Args:
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Raises:
        ValueError: for any other reduction.

    >>> import torch
    >>> BinaryCrossEntropyLoss()(torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.4100])
    """

    aliases: ClassVar[tuple[str, ...]] = ("bce",)

    def __init__(self, reduction: str = "mean"):
        super().__init__()
        self.reduction = check_reduction(reduction)

    @classmethod
    def scores_are(cls, **arguments: Any) -> str:
        return "log_odds"

    def forward(
        self, logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None
    ) -> Float[Tensor, " B"]:
        """(B, L) logits and targets -> one loss an instance (B,); see ``binary_cross_entropy_loss``."""
        return binary_cross_entropy_loss(logits, targets, known, self.reduction)
