"""Curves: what one label costs, given how far its logit points the wrong way; every element-wise loss is made of two of them.

A curve knows its cost twice: as plain differentiable operations, and together with its derivative in as few passes as possible.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def cost_and_derivative(
        self, x: Float[Tensor, "*any"], room: Room | None = None
    ) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
        """Cost and d cost / d x, the first two tensors of the room, or of a new one."""


ROOM = 4  # tensors that a curve computes in: cost, derivative and two spare ones
Room = Sequence[Float[Tensor, "*any"]]


def make_room(x: Float[Tensor, "*any"]) -> Room:
    """Tensors like x to compute in, without values."""
    return [torch.empty_like(x) for _ in range(ROOM)]


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

    def cost_and_derivative(
        self, x: Float[Tensor, "*any"], room: Room | None = None
    ) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
        """Cost and derivative, each of the same shape as x."""
        room = make_room(x) if room is None else room
        if self.slope != 1:
            x = torch.mul(x, self.slope, out=room[1])
        if self.offset:
            x = torch.add(x, self.offset, out=room[1])
        cost, derivative = self._clipped(x, *room) if self.clip else self._unclipped(x, *room)
        if self.height != 1:
            cost.mul_(self.height)
        factor = self.height * self.slope
        return cost, derivative.mul_(factor) if factor != 1 else derivative

    def _unclipped(self, x: Tensor, cost: Tensor, derivative: Tensor, wrong: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        """``q^g (q + g (1 - q) cost)`` is the derivative; x may lie in its place."""
        odds = torch.clamp(x, max=WITHOUT_DOUBT, out=wrong).exp_()
        torch.maximum(torch.log1p(odds, out=cost), x, out=cost)  # log(1 + e^x), with one exponential for the cost and the probability
        right = torch.add(odds, 1, out=derivative).reciprocal_()
        if not self.gamma:
            return cost, right.mul_(odds)
        wrong = odds.mul_(right)
        if self.detach_focus:
            derivative.copy_(wrong)
        else:
            torch.addcmul(wrong, right, cost, value=self.gamma, out=derivative)
        focus = _power_(wrong, self.gamma)
        return cost.mul_(focus), derivative.mul_(focus)

    def _clipped(self, x: Tensor, cost: Tensor, derivative: Tensor, probability: Tensor, wrong: Tensor) -> tuple[Tensor, Tensor]:
        """``p (1 - p) q^(g - 1) (g cost + q / (1 - q))`` is the derivative, and 0 below the clip; x may lie in its place."""
        torch.sigmoid(x, out=probability)
        vanishes = self.gamma > 1  # below the clip, without being told
        torch.sub(probability, self.clip, out=wrong).clamp_(min=0 if vanishes else torch.finfo(x.dtype).tiny)
        torch.sub(x.new_ones(()), wrong, out=derivative).reciprocal_()
        torch.log(derivative, out=cost)
        derivative.mul_(wrong)
        if self.gamma and not self.detach_focus:
            derivative.add_(cost, alpha=self.gamma)
        if not vanishes:
            derivative.mul_(probability > self.clip)
        torch.ops.aten.sigmoid_backward.grad_input(derivative, probability, grad_input=derivative)  # times p (1 - p)
        lower = _power_(probability.copy_(wrong), self.gamma - 1)
        return cost.mul_(lower).mul_(wrong), derivative.mul_(lower)


def _power_(base: Tensor, exponent: float) -> Tensor:
    """In place; 1, 2 and 3 are multiplications within PyTorch."""
    return base.square_().square_() if exponent == 4 else base.pow_(exponent)


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

    def cost_and_derivative(
        self, x: Float[Tensor, "*any"], room: Room | None = None
    ) -> tuple[Float[Tensor, "*any"], Float[Tensor, "*any"]]:
        """Cost and ``p (1 - p) (2 lambda p - 3 p^2)``, each of the same shape as x."""
        cost, derivative, probability, square = make_room(x) if room is None else room
        torch.sigmoid(x, out=probability)
        torch.square(probability, out=square)
        torch.mul(probability, 2 * self.lam, out=derivative).sub_(square, alpha=3)
        torch.ops.aten.sigmoid_backward.grad_input(derivative, probability, grad_input=derivative)  # times p (1 - p)
        return torch.mul(square, self.lam, out=cost).addcmul_(probability, square, value=-1), derivative
