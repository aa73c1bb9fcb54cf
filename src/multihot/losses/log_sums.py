"""Logarithms of weighted sums of exponentials: what set-wise losses are made of, safe where nothing has a weight."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

NOTHING = -1e30  # the logarithm of an empty sum: a number, because the gradient at -inf would be NaN


def log_weighted_sum(
    exponents: Float[Tensor, "B L"], weights: Float[Tensor, "B L"], floor: float = NOTHING, dim: int = -1
) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L"]]:
    """``log(e^floor + sum_i w_i e^{x_i})`` and its derivative in x, computed in place with few passes.

    Args:
        exponents: (B, L), of any size.
        weights: (B, L) in [0, 1].
        floor: what the sum cannot fall below; 0 gives ``log(1 + sum)``.
        dim: axis to sum over, -1 for labels.

    Returns:
        (B,), or (L,) with ``dim=0``, and (B, L); the floor and zeros where nothing has a weight.

    >>> import torch
    >>> log_weighted_sum(torch.tensor([[1e4, 0.0]]), torch.tensor([[0.0, 1.0]]), floor=0.0)
    (tensor([0.6931]), tensor([[0.0000, 0.5000]]))
    """
    largest = torch.where(weights > 0, exponents, floor).amax(dim, keepdim=True).clamp_(min=floor)
    terms = (exponents - largest).clamp_(max=0).exp_().mul_(weights)  # clamped: what has no weight may exceed the largest
    total = terms.sum(dim, keepdim=True).add_((floor - largest).exp_())
    return (largest + total.log()).squeeze(dim), terms.div_(total)


def absent_and_present(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None
) -> tuple[Float[Tensor, "B L"], Float[Tensor, "B L"]]:
    """``s_i + log(1 - y_i)`` and ``-s_i + log y_i``, -inf where a label has no part in the sum; differentiable as often as one likes."""
    absent = torch.where(targets < 1, logits + torch.log1p(-targets), -torch.inf)
    if known is not None:
        absent = absent.masked_fill(~known, -torch.inf)  # its target is 0, so that it is not present either
    present = torch.where(targets > 0, -logits + torch.log(targets), -torch.inf)
    return absent, present


def log_sum(exponents: Float[Tensor, "B L"], floor: float = NOTHING, dim: int = -1) -> Float[Tensor, " B"]:
    """``log(e^floor + sum_i e^{x_i})`` by differentiable operations; x_i may be -inf."""
    return torch.logsumexp(torch.cat([exponents, torch.full_like(exponents.narrow(dim, 0, 1), floor)], dim), dim)
