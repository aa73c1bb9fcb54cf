"""Policy gradient: sample label sets, and make those that earn more likelier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ..interfaces import Model, Objective
from ..labels import LabelSpace, LabelStatistics
from ..sequences import PRESENT, label_sets
from ..types import Batch, Encoding
from .likelihood import LikelihoodObjective
from .optimal_completion import check_steps
from .scheduled_sampling import check_share
from .walk import log_likelihood, log_probabilities, sample, walk


def set_difference_reward(chosen: Bool[Tensor, "B L"], present: Bool[Tensor, "B L"]) -> Float[Tensor, " B"]:
    """``-|y* \\\\ yhat| - |yhat \\\\ y*|``: minus the number of labels that are missing or wrong (Tsai 2019, eq. 4.12)."""
    return -(chosen ^ present).sum(-1).float()


def f1_reward(chosen: Bool[Tensor, "B L"], present: Bool[Tensor, "B L"]) -> Float[Tensor, " B"]:
    """``2 |y* and yhat| / (|y*| + |yhat|)``; 1 where both are empty."""
    both, total = (chosen & present).sum(-1), chosen.sum(-1) + present.sum(-1)
    return torch.where(total > 0, 2 * both / total.clamp(min=1), 1.0)


REWARDS = {"set_difference": set_difference_reward, "f1": f1_reward}


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """A module as it predicts, without dropout; afterwards each of its parts trains or rests as before, whatever happened."""
    before = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in before:
            part.training = training


class PolicyGradientObjective(Objective):
    """REINFORCE with the model's own arg max as baseline, after a warm start by maximum likelihood (Tsai 2019, section 2.2.5).

    ``-(R(yhat) - R(greedy)) sum_t log p(yhat_t | yhat_<t, x)``, ``yhat ~ p``; the baseline is self-critical (Rennie et al. 2017): what
    the model would predict now, without dropout. With the F1 reward this is Seq2set as published with one decoder
    (Yang et al. 2019, "A Deep Reinforced Sequence-to-Set Model for Multi-Label Classification"); ``PairDecoder`` has the one with two.

    Args:
        statistics: label statistics of the training split.
        label_space: passed on to the warm start.
        reward: ``"f1"`` or ``"set_difference"``.
        warm_start: share of the training that is maximum likelihood, in [0, 1].
        likelihood: weight of the likelihood that stays beside the policy gradient afterwards, at least 0; it keeps rare labels alive.
        max_steps: the most emissions; by default one more than the largest label set of the training split has labels.

    Raises:
        ValueError: for an unknown reward or a number out of range.

    >>> PolicyGradientObjective(LabelStatistics.from_targets([[1, 0], [1, 1]]), reward="set_difference").needs
    frozenset({'decoder'})
    """

    needs = frozenset({"decoder"})

    def __init__(
        self,
        statistics: LabelStatistics,
        label_space: LabelSpace | None = None,
        reward: str = "f1",
        warm_start: float = 0.5,
        likelihood: float = 0.1,
        max_steps: int | None = None,
    ):
        super().__init__()
        if reward not in REWARDS:
            raise ValueError(f"the 'reward' parameter must be one of {', '.join(REWARDS)}, got {reward!r}")
        if not likelihood >= 0:
            raise ValueError(f"the 'likelihood' parameter must be at least 0, got {likelihood!r}")
        self.reward = REWARDS[reward]
        self.warm_start = check_share("warm_start", warm_start)
        self.likelihood = likelihood
        self.max_steps = check_steps(max_steps, statistics)
        self.supervised = LikelihoodObjective(statistics, label_space)

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        if self.progress < self.warm_start:
            return self.supervised(model, batch, turn, encoding)
        present, closed = (batch.targets >= PRESENT) & batch.known, ~batch.known
        walked = walk(model.decoder, encoding, closed, self.max_steps, lambda logits, *_: sample(logits))
        with torch.no_grad(), at_rest(model):
            greedy = walk(model.decoder, model.encode(batch), closed, self.max_steps, lambda logits, *_: logits.argmax(-1))
        sampled, baseline = (self.reward(label_sets(one.emitted, closed.shape[1]), present) for one in (walked, greedy))
        log_p = log_likelihood(log_probabilities(walked.logits, walked.emitted, closed), walked.emitted)
        self.report(reward=sampled.mean(), baseline=baseline.mean())
        reinforced = -((sampled - baseline) * log_p).mean()
        return reinforced + self.likelihood * self.supervised(model, batch, turn, encoding) if self.likelihood else reinforced
