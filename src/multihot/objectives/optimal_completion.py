"""Optimal Completion Distillation (OCD): learn, on one's own samples, whatever leads to the best end."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ..interfaces import Model, Objective
from ..labels import LabelStatistics
from ..sequences import emitted_before, optimal_policy, optimal_q_values, up_to_stop
from ..types import Batch, Encoding
from .walk import log_probabilities, sample, walk


class OptimalCompletionObjective(Objective):
    """The model draws a label sequence of its own, and at each step learns the policy that is optimal from there on. [T 4.12-4.15]

    ``sum_t KL(pi*(. | yhat_<t) || p(. | yhat_<t, x))``, ``pi* = softmax(Q* / tau)``, ``yhat ~ p``, averaged over instances; the sum runs up
    to and including the first stop. No order of labels is imposed, and the model meets its own errors already in training.

    Args:
        statistics: label statistics of the training split; they give the default of ``max_steps``.
        tau: temperature of the optimal policy, at least 0; 0 is the limit, all missing true labels alike.
        max_steps: the most emissions; by default one more than the largest label set of the training split has labels.
        masked: leave labels that were emitted before out of the distribution that learns; they are never drawn twice either way.

    Raises:
        ValueError: for a negative temperature or fewer than one step.

    >>> OptimalCompletionObjective(LabelStatistics.from_targets([[1, 0], [1, 1]])).max_steps
    3
    """

    aliases = ("ocd",)
    needs = frozenset({"decoder"})

    def __init__(self, statistics: LabelStatistics, tau: float = 0.0, max_steps: int | None = None, masked: bool = True):
        super().__init__()
        if not tau >= 0:
            raise ValueError(f"the 'tau' parameter must be at least 0, got {tau!r}")
        self.tau = tau
        self.max_steps = check_steps(max_steps, statistics)
        self.masked = masked

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        targets, closed = batch.targets * batch.known, ~batch.known
        walked = walk(model.decoder, encoding, closed, self.max_steps, lambda logits, _: sample(logits))
        q_values = optimal_q_values(targets, walked.emitted)
        if self.masked:  # what the model cannot say, the policy does not ask for
            q_values = q_values.masked_fill(F.pad(emitted_before(walked.emitted, closed.shape[1]), (0, 1)), -torch.inf)
        policy = optimal_policy(q_values.masked_fill(F.pad(closed, (0, 1))[:, None], -torch.inf), self.tau)
        log_p = log_probabilities(walked.logits, walked.emitted, closed, self.masked)
        divergence = torch.where(policy > 0, policy * (policy.log() - log_p), 0).sum(-1)
        return torch.where(up_to_stop(walked.emitted, closed.shape[1]), divergence, 0).sum(-1).mean()


def check_steps(max_steps: int | None, statistics: LabelStatistics) -> int:
    """The number of steps, by default enough for the largest label set of the training split and its stop."""
    if max_steps is not None and max_steps < 1:
        raise ValueError(f"the 'max_steps' parameter must be at least 1, got {max_steps!r}")
    return max_steps or statistics.largest_set + 1
