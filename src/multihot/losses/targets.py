"""Targets before they reach a loss: are they numbers that a loss can mean?"""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from ..errors import DataError


def check_targets(targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None = None) -> None:
    """Refuse targets outside [0, 1]; NaN stands for an unknown entry and is allowed.

    Losses do not call this: looking at values would make an accelerator wait. Call it once where targets are made, on the CPU.

    Args:
        targets: (B, L), meant to lie in [0, 1].
        known: (B, L); entries that are False are not looked at.

    Raises:
        DataError: naming the first row and column whose value is outside [0, 1].

    >>> import torch
    >>> check_targets(torch.tensor([[0.0, 1.0], [0.3, float("nan")]]))
    >>> check_targets(torch.tensor([[0.0, 2.0]]))
    Traceback (most recent call last):
    multihot.errors.DataError: targets: row 0, label 1 is 2.0; give values in [0, 1], and NaN or known=False where nobody annotated
    """
    outside = (targets < 0) | (targets > 1)  # False for NaN
    if known is not None:
        outside &= known
    if bool(outside.any()):
        row, label = outside.nonzero()[0].tolist()
        raise DataError(
            f"targets: row {row}, label {label} is {targets[row, label].item()}; "
            "give values in [0, 1], and NaN or known=False where nobody annotated"
        )
