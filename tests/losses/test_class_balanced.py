"""Class-balanced loss and re-weighting against loops, their limits and each other."""

import math

import numpy as np
import pytest
import torch
from counted_contract import CountedLossContract, OfAnyWidth, long_tail, statistics_with
from loss_contract import random_case
from torch import Tensor

from multihot.errors import ConfigurationError
from multihot.losses import ClassBalancedLoss, binary_cross_entropy_loss, class_balanced_loss


class TestEffectiveNumber(CountedLossContract):
    loss = OfAnyWidth(lambda statistics: ClassBalancedLoss(statistics, beta=0.99))

    def weight(self, count: int) -> float:
        return (1 - 0.99) / (1 - 0.99 ** max(count, 1))

    def entry(self, s: float, y: float) -> float:
        p = 1 / (1 + math.exp(-s))
        return -y * math.log(p) - (1 - y) * math.log(1 - p)

    def counted_reference(self, logits: list[float], targets: list[float], counts: list[int]) -> float:
        return sum(self.weight(n) * self.entry(s, y) for s, y, n in zip(logits, targets, counts, strict=True)) / len(logits)

    def by_reference(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        weights = [self.weight(n) for n in long_tail(logits.shape[1]).tolist()]
        of_known = [weights[i] for row in known.tolist() for i, there in enumerate(row) if there]
        return super().by_reference(logits, targets, known) * len(of_known) / sum(of_known)


class TestReweighting(TestEffectiveNumber):
    loss = OfAnyWidth(lambda statistics: ClassBalancedLoss(statistics, weighting="inverse_square_root", gamma=2.0))

    def weight(self, count: int) -> float:
        return math.sqrt(1000 / max(count, 1))

    def entry(self, s: float, y: float) -> float:
        p = 1 / (1 + math.exp(-s))
        return -y * (1 - p) ** 2 * math.log(p) - (1 - y) * p**2 * math.log(1 - p)


def test_with_beta_zero_all_labels_weigh_the_same() -> None:
    logits, targets, known = random_case()
    value = class_balanced_loss(logits, targets, known, counts=long_tail(7), beta=0.0)
    torch.testing.assert_close(value, binary_cross_entropy_loss(logits, targets, known))


def test_towards_one_beta_weighs_by_the_inverse_count_even_in_single_precision() -> None:
    targets = torch.eye(2)
    value = class_balanced_loss(torch.zeros(2, 2), targets, counts=np.array([1, 100]), beta=1 - 1e-12)
    torch.testing.assert_close(value, torch.full((2,), math.log(2)))
    gradients = torch.autograd.functional.jacobian(
        lambda s: class_balanced_loss(s, targets, counts=np.array([1, 100]), beta=1 - 1e-12).sum(), torch.zeros(2, 2)
    )
    assert (gradients[0, 0] / gradients[1, 1]).item() == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize("setting", [{"beta": 1.0}, {"gamma": -1.0}, {"weighting": "inverse"}, {"reduction": "none"}])
def test_settings_out_of_range_are_named(setting: dict[str, object]) -> None:
    with pytest.raises((ConfigurationError, ValueError), match=f"the '{next(iter(setting))}' parameter must"):
        ClassBalancedLoss(statistics_with(long_tail(3)), **setting)
