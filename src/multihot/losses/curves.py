"""Curves: what one label costs, given how far its logit points the wrong way; every element-wise loss is made of two of them.

A curve knows its cost twice: as plain differentiable operations, and together with its derivative in as few passes as possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


class Curve(Protocol):
    """The cost of a label that is absent as a function of its logit x; of one that is present, as a function of -x."""

    def cost(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Differentiable as often as one likes."""

    def cost_and_derivative(self, x: Float[Tensor, "*any"]) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
        """Cost and d cost / d x, two new tensors."""


WITHOUT_DOUBT = 80.0  # a logit whose probability is 1 in double precision, and whose exponential single precision holds


@dataclass(frozen=True)
class FocusedCurve:
    """Cross entropy weighted by a power of the probability of being wrong: ``height * q^gamma * -log(1 - q)``.

    ``q = max(sigmoid(slope * x + offset) - clip, 0)``; the zero of ``x`` is where a label is neither right nor wrong.

    Args:
        gamma: at least 0; 0 is plain cross entropy.
        clip: in [0, 1): probability below which being wrong costs nothing.
        slope: factor of the logit.
        offset: added to the logit, a margin for example.
        height: factor of the cost.
        detach_focus: let no gradient flow through ``q^gamma``.

    >>> FocusedCurve(gamma=2.0).cost(torch.zeros(1))
    tensor([0.1733])
    """

    gamma: float = 0.0
    clip: float = 0.0
    slope: float = 1.0
    offset: float = 0.0
    height: float = 1.0
    detach_focus: bool = False

    def cost(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Cost of the same shape as x, by differentiable operations."""
        x = self.slope * x + self.offset
        if self.clip:
            wrong = (x.sigmoid() - self.clip).clamp(min=torch.finfo(x.dtype).tiny)
            cost, focus = -torch.log1p(-wrong), wrong.pow(self.gamma)
        else:
            cost, focus = -F.logsigmoid(-x), torch.exp(self.gamma * F.logsigmoid(x))  # a power would have no gradient where it underflows
        if not self.gamma:
            return self.height * cost
        return self.height * cost * (focus.detach() if self.detach_focus else focus)

    def cost_and_derivative(self, x: Float[Tensor, "*any"]) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
        """Cost and derivative, each of the same shape as x."""
        if self.slope != 1:
            x = x * self.slope
        if self.offset:
            x = x + self.offset
        cost, derivative = self._clipped(x) if self.clip else self._unclipped(x)
        if self.height != 1:
            cost.mul_(self.height)
        factor = self.height * self.slope
        return cost, derivative.mul_(factor) if factor != 1 else derivative

    def _unclipped(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``q^g (q + g (1 - q) cost)`` is the derivative."""
        odds = x.clamp(max=WITHOUT_DOUBT).exp_()
        cost = torch.maximum(odds.log1p(), x)  # log(1 + e^x), with one exponential for the cost and the probability
        right = (odds + 1).reciprocal_()
        wrong = odds.mul_(right)
        if not self.gamma:
            return cost, wrong
        focus = _power(wrong, self.gamma)
        derivative = wrong if self.detach_focus else torch.addcmul(wrong, right, cost, value=self.gamma, out=right)
        return cost.mul_(focus), derivative.mul_(focus)

    def _clipped(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``p (1 - p) q^(g - 1) (g cost + q / (1 - q))`` is the derivative, and 0 below the clip."""
        probability = x.sigmoid()
        vanishes = self.gamma > 1  # below the clip, without being told
        wrong = (probability - self.clip).clamp_(min=0 if vanishes else torch.finfo(x.dtype).tiny)
        cost = torch.log1p(-wrong).neg_()
        derivative = wrong / torch.rsub(wrong, 1)
        if self.gamma and not self.detach_focus:
            derivative.add_(cost, alpha=self.gamma)
        lower = _power(wrong, self.gamma - 1)
        if not vanishes:
            derivative.mul_(probability > self.clip)
        derivative.mul_(lower).mul_(torch.addcmul(probability, probability, probability, value=-1))
        return cost.mul_(lower.mul_(wrong)), derivative


def _power(base: Tensor, exponent: float) -> Tensor:
    return base.square().square_() if exponent == 4 else base.pow(exponent)  # 1, 2 and 3 are multiplications within PyTorch


@dataclass(frozen=True)
class HillCurve:
    """A hill instead of a wall: ``(lambda - p) p^2``, so that a confident label without a target is forgiven.

    Args:
        lam: above 1.

    >>> HillCurve(lam=1.5).cost(torch.zeros(1))
    tensor([0.2500])
    """

    lam: float

    def cost(self, x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """Cost of the same shape as x, by differentiable operations."""
        probability = x.sigmoid()
        return (self.lam - probability) * probability.square()

    def cost_and_derivative(self, x: Float[Tensor, "*any"]) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
        """Cost and ``p^2 (1 - p) (2 lambda - 3 p)``, each of the same shape as x."""
        probability = x.sigmoid()
        square = probability.square()
        derivative = (1 - probability).mul_(square).mul_(2 * self.lam - 3 * probability)
        return probability.neg_().add_(self.lam).mul_(square), derivative
