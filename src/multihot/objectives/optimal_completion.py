"""Optimal Completion Distillation (OCD): learn, on one's own samples, whatever leads to the best end."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..hierarchy import ancestors_of, parents_of
from ..interfaces import Model, Objective
from ..labels import LabelSpace, LabelStatistics
from ..sequences import (
    below_missing,
    check_tau,
    emitted_before,
    missing_before,
    optimal_policy,
    optimal_q_values,
    up_to_stop,
)
from ..types import Batch, Encoding
from .walk import log_probabilities, sample, walk


class OptimalCompletionObjective(Objective):
    """The model draws a label sequence of its own, and at each step learns the policy that is optimal from there on.

    Source: Tsai 2019, eqs. 4.12-4.15.

    ``sum_t KL(pi*(. | yhat_<t) || p(. | yhat_<t, x))``, ``pi* = softmax(Q* / tau)``, ``yhat ~ p``, averaged over instances; the sum runs up
    to and including the first stop. No order of labels is imposed, and the model meets its own errors already in training.

    With ``parents`` it is hierarchical: ``pi*`` leaves out a missing label as long as a label above it is missing too, so that what is
    general comes first and siblings stay free. A label whose parent is not true hangs from the nearest true label above it.

    Args:
        statistics: label statistics of the training split; they give the default of ``max_steps``.
        tau: temperature of the optimal policy, at least 0; 0 is the limit, all missing true labels alike.
        max_steps: the most emissions; by default one more than the largest label set of the training split has labels.
        masked: leave labels that were emitted before out of the distribution that learns; they are never drawn twice either way.
        parents: child -> parent by name, where labels form a tree; a label that is not named is a root.
        label_space: the labels' names, for ``parents``.

    Raises:
        ValueError: for a temperature out of range, fewer than one step, or parents without a label space.
        ConfigurationError: for parents that are no labels or form a circle.

    >>> OptimalCompletionObjective(LabelStatistics.from_targets([[1, 0], [1, 1]])).max_steps
    3
    """

    aliases = ("ocd",)
    needs = frozenset({"decoder"})

    ancestors: Int[Tensor, "L D"] | None

    def __init__(
        self,
        statistics: LabelStatistics,
        tau: float = 0.0,
        max_steps: int | None = None,
        masked: bool = True,
        parents: Mapping[str, str] | None = None,
        label_space: LabelSpace | None = None,
    ):
        super().__init__()
        if parents is not None and label_space is None:
            raise ValueError("the 'parents' parameter needs 'label_space', which says what its names stand for")
        self.tau = check_tau(tau)
        self.max_steps = check_steps(max_steps, statistics)
        self.masked = masked
        tree = ancestors_of(parents_of(label_space, parents)) if parents is not None and label_space is not None else None
        self.register_buffer("ancestors", None if tree is None else torch.from_numpy(tree), persistent=False)

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        targets, closed = batch.targets * batch.known, ~batch.known
        walked = walk(model.decoder, encoding, closed, self.max_steps, lambda logits, *_: sample(logits))
        policy = self.policy(targets, walked.emitted, closed)
        log_p = log_probabilities(walked.logits, walked.emitted, closed, self.masked)
        divergence = torch.where(policy > 0, policy * (policy.log() - log_p), 0).sum(-1)
        return torch.where(up_to_stop(walked.emitted, closed.shape[1]), divergence, 0).sum(-1).mean()

    def policy(self, targets: Float[Tensor, "B L"], emitted: Int[Tensor, "B T"], closed: Bool[Tensor, "B L"]) -> Float[Tensor, "B T L+1"]:
        """``pi*`` before each emission; 0 for closed labels and for what the model cannot or, in a tree, should not say yet."""
        shut = closed[:, None].expand(-1, emitted.shape[1], -1)
        if self.masked:
            shut = shut | emitted_before(emitted, closed.shape[1])
        if self.ancestors is not None:
            missing = missing_before(targets, emitted)
            shut = shut | (missing & below_missing(missing, self.ancestors))
        return optimal_policy(optimal_q_values(targets, emitted).masked_fill(F.pad(shut, (0, 1)), -torch.inf), self.tau)


def check_steps(max_steps: int | None, statistics: LabelStatistics) -> int:
    """The number of steps, by default enough for the largest label set of the training split and its stop."""
    if max_steps is not None and max_steps < 1:
        raise ValueError(f"the 'max_steps' parameter must be at least 1, got {max_steps!r}")
    return max_steps or statistics.largest_set + 1
