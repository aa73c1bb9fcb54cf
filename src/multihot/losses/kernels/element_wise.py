"""Element-wise losses: every label judged on its own, by one curve where it is present and another where it is absent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .closed_form import by_closed_form
from .curves import ROOM, Curve, Room
from .targets import by_instance

DENSE_FROM = 0.5  # share of present labels up to which only those are looked at twice

Adjust = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]  # logits and targets (b, L) -> those to judge by
Weigh = Callable[[Tensor, Tensor | None], Tensor]  # targets (b, L) -> weights that spread to (b, L)


def element_wise_loss(
    inputs: tuple[Float[Tensor, "B L"], Float[Tensor, "B L"], Bool[Tensor, "B L"] | None],
    present: Curve,
    absent: Curve,
    weigh: Weigh | None = None,
    adjust: Adjust | None = None,
    reduction: str = "mean",
) -> Float[Tensor, " B"]:
    """``w (y present(-s) + (1 - y) absent(s))`` over the known labels of an instance.

    Args:
        inputs: logits, targets and known as ``read_inputs`` gives them.
        present: cost of a label that is present, of its logit with the sign turned.
        absent: cost of a label that is absent, of its logit.
        weigh: weights of the entries, from the targets of some instances; None weighs all alike. Like ``adjust``, it is also given a
            tensor (b, L) in which it may put what it makes, or None where that has to be new.
        adjust: what happens to logits and targets first. Logits may be shifted, targets may be set to other numbers: only by such is a
            closed form's derivative in the logits left as it is.
        reduction: ``"mean"`` or ``"sum"`` over the known labels of an instance.

    Returns:
        (B,), 0 for an instance without a known label.

    >>> from .curves import FocusedCurve
    >>> curve = FocusedCurve()
    >>> element_wise_loss((torch.zeros(1, 2), torch.ones(1, 2), None), present=curve, absent=curve)
    tensor([0.6931])
    """
    return by_closed_form(inputs, partial(_and_gradient, _Rooms()), _by_formula, present, absent, weigh, adjust, reduction)


class _Rooms:
    """What a loss computes in, the same for every block: memory that is given back in between comes again as pages to be cleared."""

    def __init__(self) -> None:
        self.held: list[Tensor] = []

    def of(self, logits: Tensor) -> Room:
        if not self.held or len(self.held[0]) < len(logits):
            self.held = [torch.empty_like(logits, memory_format=torch.contiguous_format) for _ in range(ROOM + 1)]
        return self.held if len(self.held[0]) == len(logits) else [tensor[: len(logits)] for tensor in self.held]


def _by_formula(
    logits: Tensor,
    targets: Tensor,
    known: Tensor | None,
    present: Curve,
    absent: Curve,
    weigh: Weigh | None,
    adjust: Adjust | None,
    reduction: str,
) -> Float[Tensor, " B"]:
    if adjust is not None:
        logits, targets = adjust(logits, targets, None)
    entries = targets * present.cost(-logits) + (1 - targets) * absent.cost(logits)
    return by_instance(entries if weigh is None else entries * weigh(targets, None), known, reduction)


def _and_gradient(
    rooms: _Rooms,
    logits: Tensor,
    targets: Tensor,
    known: Tensor | None,
    present: Curve,
    absent: Curve,
    weigh: Weigh | None,
    adjust: Adjust | None,
    reduction: str,
) -> tuple[Float[Tensor, " B"], Float[Tensor, "B L"]]:
    *room, adjusted = rooms.of(logits)
    if adjust is not None:
        logits, targets = adjust(logits, targets, adjusted)
    values, slopes = _values_and_slopes(logits, targets, present, absent, room)
    if weigh is not None:
        weights = weigh(targets, room[2])
        values, slopes = values.mul_(weights), slopes.mul_(weights)
    losses = by_instance(values, known, reduction)
    if known is not None:
        slopes.mul_(known)
    if reduction == "mean":
        slopes.div_(max(logits.shape[-1], 1) if known is None else known.sum(-1, keepdim=True).clamp_(min=1))
    return losses, slopes


def _values_and_slopes(logits: Tensor, targets: Tensor, present: Curve, absent: Curve, room: Room) -> tuple[Tensor, Tensor]:
    """Cost of every entry and its derivative in the logit."""
    logits = logits.contiguous()
    values, slopes = absent.cost_and_derivative(logits, room)
    if logits.device.type == "cpu":
        where = torch.from_numpy(np.flatnonzero(targets.bool().numpy()))  # several times quicker than PyTorch's own
        if len(where) < DENSE_FROM * targets.numel():  # label sets are small: look again only where something is present
            shares = targets.reshape(-1).index_select(0, where)
            cost, derivative = present.cost_and_derivative(-logits.view(-1).index_select(0, where))
            for entries, other in ((values.view(-1), cost), (slopes.view(-1), derivative.neg_())):
                entries.scatter_(0, where, entries.index_select(0, where).lerp_(other, shares))
            return values, slopes
    cost, derivative = present.cost_and_derivative(-logits)
    return values.lerp_(cost, targets), slopes.lerp_(derivative.neg_(), targets)
