"""Targets before they reach a loss: are they numbers that a loss can mean?"""

from __future__ import annotations

import torch
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


def split_known(
    targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None
) -> tuple[Float[Tensor, "B L"], Bool[Tensor, "B L"] | None]:
    """Targets without NaN, and which of them are known; None where all are, so that a loss can take its shorter way.

    Args:
        targets: (B, L) in [0, 1]; NaN stands for an unknown entry.
        known: (B, L) or None.

    Returns:
        targets (B, L), 0 where unknown, and known (B, L) or None.

    >>> split_known(torch.tensor([[1.0, float("nan")]]), None)
    (tensor([[1., 0.]]), tensor([[ True, False]]))
    """
    if targets.device.type == "cpu" and not torch.compiler.is_compiling():  # elsewhere a look at values would wait for the device
        if known is not None and bool(known.all()):
            known = None
        if known is None and not bool(targets.sum().isnan()):
            return targets, None
    present = ~targets.isnan() if known is None else known & ~targets.isnan()
    return targets.masked_fill(~present, 0.0), present
