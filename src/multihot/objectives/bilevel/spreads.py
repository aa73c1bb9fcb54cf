"""Spreads that are learned: one for all, one a label, or one an instance."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

FORMS = ("constant", "per_label", "per_instance")
LEAST = 1e-3  # below any step between labels, so that it is as good as none, while logarithms stay finite


class Spread(nn.Module):
    """A standard deviation above 0, ``sigma = softplus(r)``, where r is a number, one a label, or a small network's answer.

    Args:
        form: ``"constant"``; ``"per_label"``, of the label that stands for the instance; or ``"per_instance"``, which
            ``r = w' tanh(V pooled)`` predicts from the encoder's vector.
        num_labels: L.
        width: size of the encoder's pooled vector.
        start: sigma at the beginning, everywhere, above 0, in the unit of the axis.
        hidden_size: of the network.

    Raises:
        ValueError: for an unknown form or a start that is not above 0.

    >>> spread = Spread("constant", num_labels=3, width=4, start=2.0)
    >>> spread(torch.eye(3)[:2], torch.rand(2, 4)).tolist()
    [2.0, 2.0]
    """

    def __init__(self, form: str, num_labels: int, width: int, start: float, hidden_size: int = 16):
        super().__init__()
        if form not in FORMS:
            raise ValueError(f"the 'form' parameter must be one of {', '.join(FORMS)}, got {form!r}")
        if not start > LEAST or not math.isfinite(start):
            raise ValueError(f"the 'start' parameter must be above {LEAST} and finite, got {start!r}")
        self.form = form
        self.raw = nn.Parameter(torch.full((num_labels if form == "per_label" else 1,), start + math.log(-math.expm1(-start))))
        self.network = None
        if form == "per_instance":
            self.network = nn.Sequential(nn.Linear(width, hidden_size), nn.Tanh(), nn.Linear(hidden_size, 1, bias=False))
            nn.init.zeros_(self.network[-1].weight)  # type: ignore[arg-type]  # every instance starts from the same spread

    def forward(self, targets: Float[Tensor, "B L"], pooled: Float[Tensor, "B D"]) -> Float[Tensor, " B"]:
        """One spread an instance. targets: rows sum to 1; pooled: no gradient flows into it."""
        if self.network is not None:
            raw = self.raw + self.network(pooled.detach().to(self.raw.dtype)).squeeze(-1)
        elif self.form == "per_label":
            raw = targets.to(self.raw.dtype) @ self.raw
        else:
            raw = self.raw.expand(len(targets))
        return F.softplus(raw).maximum(self.raw.new_tensor(LEAST))
