"""Maximum likelihood of label sequences in an order fixed beforehand: seq2seq."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..hierarchy import ROOT, ancestors_of, parents_of
from ..interfaces import Model, Objective
from ..labels import LabelSpace, LabelStatistics
from ..sequences import order_labels
from ..types import Batch, Encoding
from .walk import log_likelihood, log_probabilities, walk

ORDERS = ("frequent_first", "rare_first", "random", "tree")


class LabelOrder:
    """Turns label sets into sequences.

    Args:
        order: ``"frequent_first"``, ``"rare_first"``, ``"random"`` (anew in every batch) or ``"tree"`` (parents before their children,
            the more frequent first among equals).
        statistics: label counts of the training split.
        label_space: the labels' names, for ``"tree"``.
        parents: child -> parent by name, for ``"tree"``.

    Raises:
        ValueError: for another order, or ``"tree"`` without parents.
    """

    def __init__(
        self, order: str, statistics: LabelStatistics, label_space: LabelSpace | None = None, parents: Mapping[str, str] | None = None
    ):
        if order not in ORDERS:
            raise ValueError(f"the 'order' parameter must be one of {', '.join(ORDERS)}, got {order!r}")
        self.order = order
        first = statistics.frequency_order[::-1] if order == "rare_first" else statistics.frequency_order
        if order == "tree":
            if parents is None or label_space is None:
                raise ValueError("the 'order' parameter 'tree' needs 'parents', a mapping of each label to the label above it")
            depth = (ancestors_of(parents_of(label_space, parents)) != ROOT).sum(1)
            first = first[np.argsort(depth[first], kind="stable")]
        self.priority = -torch.from_numpy(np.argsort(first)).float()  # minus each label's place

    def __call__(self, targets: Float[Tensor, "B L"]) -> Int[Tensor, "B T"]:
        """Targets (B, L) -> sequences (B, T) that end with stop."""
        if self.order == "random":
            return order_labels(targets, torch.rand(targets.shape, device=targets.device))
        return order_labels(targets, self.priority.to(targets.device))


class LikelihoodObjective(Objective):
    """Maximum likelihood with teacher forcing: each label is learned after the true ones before it (Tsai 2019, sections 2.2.3, 4.6-4.9).

    ``-sum_t log p(y_t | y_<t, x)``, averaged over instances.

    Args:
        statistics: label statistics of the training split; they give the order.
        label_space: the labels' names, for the order ``"tree"``.
        order: ``"frequent_first"``, ``"rare_first"``, ``"random"`` or ``"tree"``.
        parents: child -> parent by name, for the order ``"tree"``.
        masked: leave labels that were emitted before out of the distribution.

    >>> statistics = LabelStatistics.from_targets([[1, 0], [1, 1]])
    >>> LikelihoodObjective(statistics).needs
    frozenset({'decoder'})
    """

    aliases = ("seq2seq",)
    needs = frozenset({"decoder"})

    def __init__(
        self,
        statistics: LabelStatistics,
        label_space: LabelSpace | None = None,
        order: str = "frequent_first",
        parents: Mapping[str, str] | None = None,
        masked: bool = True,
    ):
        super().__init__()
        self.order = LabelOrder(order, statistics, label_space, parents)
        self.masked = masked

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        targets, closed = batch.targets * batch.known, ~batch.known
        sequences = self.order(targets)
        walked = walk(model.decoder, encoding, closed, sequences.shape[1], lambda _, step, rows: sequences[rows, step])
        return -log_likelihood(log_probabilities(walked.logits, sequences, closed, self.masked), sequences).mean()
