"""The contract for losses that know how often the training split showed each label: the naive loop gets those counts, too."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import pytest
import torch
from loss_contract import LossContract
from scipy import sparse
from torch import Tensor

from multihot.errors import ConfigurationError, DataError
from multihot.interfaces import Loss
from multihot.labels import LabelStatistics

NUM_EXAMPLES = 1000


def statistics_with(counts: np.ndarray) -> LabelStatistics:
    """Statistics of one-label sets with these counts, filled up with empty sets."""
    sets = sparse.csr_matrix(np.vstack([np.eye(len(counts), dtype=bool), np.zeros((1, len(counts)), dtype=bool)]))
    return LabelStatistics(sets, np.append(counts, NUM_EXAMPLES - counts.sum()))


def long_tail(labels: int) -> np.ndarray:
    """Counts that fall from 300 to 0."""
    return np.floor(300 * 0.6 ** np.arange(labels)).astype(np.int64)


class OfAnyWidth(Loss):
    """Makes the loss anew for the width of each call."""

    def __init__(self, make: Callable[[LabelStatistics], Loss], order: Tensor | None = None):
        super().__init__()
        self.make, self.order = make, order
        self.decision_rule = make(statistics_with(long_tail(1))).decision_rule

    def forward(self, logits: Tensor, targets: Tensor, known: Tensor | None = None) -> Tensor:
        counts = long_tail(targets.shape[-1])
        return self.make(statistics_with(counts if self.order is None else counts[self.order.numpy()]))(logits, targets, known)


class CountedLossContract(LossContract):
    """``loss`` is an ``OfAnyWidth``; ``counted_reference`` is the loss of one instance."""

    loss: OfAnyWidth

    @abstractmethod
    def counted_reference(self, logits: list[float], targets: list[float], counts: list[int]) -> float:
        """The loss of one instance of which every label is known."""

    def reference(self, logits: list[float], targets: list[float]) -> float:
        return self.counted_reference(logits, targets, long_tail(len(logits)).tolist())

    def by_reference(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        counts = torch.from_numpy(long_tail(targets.shape[1]))
        rows = zip(logits, targets, known, strict=True)
        values = [self.counted_reference(s[k].tolist(), y[k].tolist(), counts[k].tolist()) if k.any() else 0.0 for s, y, k in rows]
        return torch.tensor(values, dtype=torch.float64)

    def test_the_order_of_labels_and_instances_does_not_matter(self) -> None:
        logits, targets, known = self.case()
        columns, rows = torch.randperm(7), torch.randperm(6)
        reordered = OfAnyWidth(self.loss.make, columns)
        shuffled = reordered(logits[rows][:, columns], targets[rows][:, columns], known[rows][:, columns])
        torch.testing.assert_close(shuffled, self.loss(logits, targets, known)[rows])

    def test_it_asks_for_statistics(self) -> None:
        with pytest.raises(ConfigurationError, match="Loss needs `statistics`, the label counts of the training split"):
            type(self.loss.make(statistics_with(long_tail(3))))()

    def test_statistics_of_other_labels_are_refused(self) -> None:
        logits, targets, _ = self.case()
        with pytest.raises(DataError, match=r"_loss: counts have shape \(3,\), but logits \(6, 7\)"):
            self.loss.make(statistics_with(long_tail(3)))(logits, targets)

    def test_labels_that_training_never_or_always_showed_stay_finite(self) -> None:
        statistics = LabelStatistics.from_targets([[1, 0, 0], [1, 1, 0]])
        loss, logits = self.loss.make(statistics), torch.zeros(3, 3, requires_grad=True)
        loss.set_progress(1.0)
        value = loss(logits, torch.eye(3))
        value.sum().backward()
        assert value.isfinite().all()
        assert logits.grad is not None
        assert logits.grad.isfinite().all()
