"""Maximum likelihood that is fed its own labels now and then."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..interfaces import Model, Objective
from ..labels import LabelSpace, LabelStatistics
from ..types import Batch, Encoding
from .likelihood import LabelOrder
from .walk import log_likelihood, log_probabilities, sample, walk


class ScheduledSamplingObjective(Objective):
    """Maximum likelihood whose decoder is fed a label of its own instead of the true one, more and more often.

    Source: Tsai 2019, sections 4.5.2, 4.5.4.

    ``-sum_t log p(y_t | fed_<t, x)``; ``fed_t = y_t`` with probability ``1 - (1 - lowest) progress``, else a label that the model draws.
    What is masked in the loss are the true labels before ``y_t``, so that a target that was drawn too early can still be learned.

    Args:
        statistics: label statistics of the training split; they give the order.
        label_space: the labels' names, for the order ``"tree"``.
        order: as for ``LikelihoodObjective``.
        parents: child -> parent by name, for the order ``"tree"``.
        lowest: probability of feeding the true label at the end of training, in [0, 1].

    Raises:
        ValueError: for a probability outside [0, 1].

    >>> objective = ScheduledSamplingObjective(LabelStatistics.from_targets([[1, 0], [1, 1]]))
    >>> objective.set_progress(0.5)
    >>> round(objective.share_of_truth, 2)
    0.85
    """

    needs = frozenset({"decoder"})

    def __init__(
        self,
        statistics: LabelStatistics,
        label_space: LabelSpace | None = None,
        order: str = "frequent_first",
        parents: Mapping[str, str] | None = None,
        lowest: float = 0.7,
    ):
        super().__init__()
        self.order = LabelOrder(order, statistics, label_space, parents)
        self.lowest = check_share("lowest", lowest)

    @property
    def share_of_truth(self) -> float:
        """Probability of feeding the true label now."""
        return 1 - (1 - self.lowest) * self.progress

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        targets, closed = batch.targets * batch.known, ~batch.known
        sequences = self.order(targets)

        def choose(logits: Tensor, step: int, rows: Tensor) -> Tensor:
            return feed(sequences[rows, step], logits, self.share_of_truth)

        walked = walk(model.decoder, encoding, closed, sequences.shape[1], choose)
        return -log_likelihood(log_probabilities(walked.logits, sequences, closed), sequences).mean()


def feed(truth: Int[Tensor, " B"], logits: Float[Tensor, "B L+1"], share_of_truth: float) -> Int[Tensor, " B"]:
    """The true symbols, some replaced by labels that the model draws; a sequence ends where the truth ends, and nowhere else."""
    stop = logits.shape[1] - 1
    labels = logits.clone()
    labels[:, stop] = -torch.inf
    keep = (torch.rand(truth.shape, device=truth.device) < share_of_truth) | (truth == stop) | (labels == -torch.inf).all(-1)
    return torch.where(keep, truth, sample(labels.masked_fill(keep[:, None], 0.0)))


def check_share(name: str, value: float) -> float:
    """The value, if it is a probability."""
    if not 0 <= value <= 1:
        raise ValueError(f"the '{name}' parameter must be in [0, 1], got {value!r}")
    return value
