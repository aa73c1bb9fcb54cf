"""Logarithms of weighted sums of exponentials: what set-wise losses are made of, safe where nothing has a weight."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

NOTHING = -1e30  # the logarithm of an empty sum: a number, because the gradient at -inf would be NaN
NARROW = 60.0  # size of exponents of which single precision holds a sum over millions

Sum = tuple[Float[Tensor, "B 1"], Float[Tensor, "B L"]]  # its logarithm, and the share of each term in it


def absent_and_present_sums(
    logits: Float[Tensor, "B L"],
    targets: Float[Tensor, "B L"],
    known: Bool[Tensor, "B L"] | None,
    floor: float = NOTHING,
    temperature: float = 1.0,
) -> tuple[Sum, Sum]:
    """``log(e^floor + sum_i (1 - y_i) e^{s_i})`` and ``log(e^floor + sum_j y_j e^{-s_j / temperature})`` over the known labels.

    Args:
        logits: (B, L), of any size; where all are small, no maximum is taken off and both sums share their exponentials.
        targets: (B, L) in [0, 1].
        known: (B, L), or None where all are known.
        floor: what the logarithms cannot fall below; 0 gives ``log(1 + sum)``.
        temperature: above 0.

    Returns:
        For each of the sums its logarithm (B, 1), which may be -inf where nothing has a weight, and the shares of its terms (B, L).

    >>> (absent, _), (present, _) = absent_and_present_sums(torch.tensor([[0.0, 1e4]]), torch.tensor([[1.0, 0.0]]), None, floor=0.0)
    >>> absent, present
    (tensor([[10000.]]), tensor([[0.6931]]))
    """
    absences = 1 - targets if known is None else (1 - targets).mul_(known)
    if not are_narrow(logits, temperature):
        return _by_largest(logits, absences, floor), _by_largest(logits * (-1 / temperature), targets, floor)
    absent, present = absent_and_present_terms(logits, targets, absences, temperature)
    return _shares(absent, floor), _shares(present, floor)


def are_narrow(logits: Float[Tensor, "B L"], temperature: float = 1.0) -> bool:
    """Whether the exponentials of logits can be added up as they are; on an accelerator, which would have to wait, nobody asks."""
    if logits.device.type != "cpu" or not logits.numel():
        return False
    low, high = logits.detach().aminmax()
    return max(-low.item(), high.item()) <= NARROW * min(temperature, 1.0)


def absent_and_present_terms(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], absences: Float[Tensor, "B L"], temperature: float
) -> tuple[Float[Tensor, "B L"], Float[Tensor, "B L"]]:
    """``absence_i e^{s_i}``, in the place of the absences, and ``y_j e^{-s_j / temperature}`` of narrow logits."""
    powers = logits.exp()
    absent = absences.mul_(powers)
    if temperature == 1:
        return absent, torch.div(targets, powers, out=powers)
    return absent, torch.mul(logits, -1 / temperature, out=powers).exp_().mul_(targets)


def _shares(terms: Tensor, floor: float) -> Sum:
    total = terms.sum(-1, keepdim=True)
    if floor > NOTHING:
        total.add_(math.exp(floor))
    return total.log(), terms.div_(total.clamp(min=torch.finfo(total.dtype).tiny))


def _by_largest(exponents: Tensor, weights: Tensor, floor: float) -> Sum:
    largest = torch.where(weights > 0, exponents, floor).amax(-1, keepdim=True).clamp_(min=floor)
    terms = (exponents - largest).clamp_(max=0).exp_().mul_(weights)  # clamped: what has no weight may exceed the largest
    total = terms.sum(-1, keepdim=True).add_((floor - largest).exp_())
    return largest + total.log(), terms.div_(total)


def absent_and_present(
    logits: Float[Tensor, "B L"], targets: Float[Tensor, "B L"], known: Bool[Tensor, "B L"] | None
) -> tuple[Float[Tensor, "B L"], Float[Tensor, "B L"]]:
    """``s_i + log(1 - y_i)`` and ``-s_i + log y_i``, -inf where a label has no part in the sum; differentiable as often as one likes."""
    absent = torch.where(targets < 1, logits + torch.log1p(-targets), -torch.inf)
    if known is not None:
        absent = absent.masked_fill(~known, -torch.inf)  # its target is 0, so that it is not present either
    present = torch.where(targets > 0, -logits + torch.log(targets), -torch.inf)
    return absent, present


def log_sum(exponents: Float[Tensor, "B L"], floor: float = NOTHING) -> Float[Tensor, " B"]:
    """``log(e^floor + sum_i e^{x_i})`` by differentiable operations; x_i may be -inf."""
    return torch.logsumexp(torch.cat([exponents, torch.full_like(exponents[:, :1], floor)], -1), -1)
