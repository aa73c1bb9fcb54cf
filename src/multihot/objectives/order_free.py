"""Maximum likelihood in the order that the model itself prefers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..interfaces import Model, Objective
from ..sequences import PRESENT
from ..types import Batch, Encoding
from .scheduled_sampling import check_share, feed
from .walk import log_likelihood, log_probabilities, walk


class OrderFreeObjective(Objective):
    """At each step the target is the true label, not emitted yet, to which the model itself gives most probability.

    ``-sum_t log p(z_t | z_<t, x)``, ``z_t = argmax_{a in y*, a not in z_<t} p(a | z_<t, x)``, and stop when no true label is left.
    After Chen et al. 2018, "Order-Free RNN with Visual Attention for Multi-Label Classification" (Tsai 2019, section 4.5.2).

    Args:
        lowest: probability of feeding the target rather than a label that the model draws, at the end of training; 1 always feeds the
            target, 0.7 is the scheduled sampling of the thesis.

    Raises:
        ValueError: for a probability outside [0, 1].

    >>> OrderFreeObjective().needs
    frozenset({'decoder'})
    """

    needs = frozenset({"decoder"})

    def __init__(self, lowest: float = 1.0):
        super().__init__()
        self.lowest = check_share("lowest", lowest)

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        closed = ~batch.known
        missing = (batch.targets >= PRESENT) & batch.known
        stop, sequences = closed.shape[1], []

        def choose(logits: Tensor, step: int, rows: Tensor) -> Tensor:
            left = missing[rows]
            # a true label may have been fed already, drawn by the model: its logit is -inf, and yet it is a target still
            ranked = torch.where(left, logits[:, :-1].clamp(min=torch.finfo(logits.dtype).min), -torch.inf)
            target = torch.where(left.any(-1), ranked.argmax(-1), stop)
            missing[rows] = left & ~F.one_hot(target, stop + 1)[:, :-1].bool()
            sequences.append(torch.full_like(missing[:, 0], stop, dtype=torch.long).index_copy(0, rows, target))
            return feed(target, logits, 1 - (1 - self.lowest) * self.progress)

        walked = walk(model.decoder, encoding, closed, int(missing.sum(-1).max()) + 1, choose)
        targets = torch.stack(sequences, 1)
        return -log_likelihood(log_probabilities(walked.logits, targets, closed), targets).mean()
