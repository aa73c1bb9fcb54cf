"""Distribution-balanced loss against a loop and its limits."""

import math

import numpy as np
import pytest
import torch
from counted_contract import NUM_EXAMPLES, CountedLossContract, OfAnyWidth, long_tail, statistics_with
from loss_contract import random_case

from multihot.errors import ConfigurationError
from multihot.losses import DistributionBalancedLoss, binary_cross_entropy_loss, distribution_balanced_loss


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


class TestEquation(CountedLossContract):
    loss = OfAnyWidth(DistributionBalancedLoss)
    bias_divided_by = 1.0

    def counted_reference(self, logits: list[float], targets: list[float], counts: list[int]) -> float:
        counts = [max(n, 1) for n in counts]
        repeat = sum(y / n for y, n in zip(targets, counts, strict=True))
        total = 0.0
        for s, y, n in zip(logits, targets, counts, strict=True):
            weight = 0.1 + _sigmoid(10 * (1 / n / repeat - 0.3)) if repeat else 1.0
            z = s - 0.05 * math.log(NUM_EXAMPLES / n - 1) / self.bias_divided_by
            right, wrong = _sigmoid(z), _sigmoid(5 * z)
            total -= weight * 2 * y * (1 - right) ** 2 * math.log(right)
            total += weight * 2 * (1 - y) * wrong**2 * math.log(1 + math.exp(5 * z)) / 5
        return total / len(logits)


class TestOfficialCode(TestEquation):
    loss = OfAnyWidth(lambda statistics: DistributionBalancedLoss(statistics, official_code=True))
    bias_divided_by = 5.0


def test_without_its_parts_it_is_binary_cross_entropy() -> None:
    logits, targets, known = random_case()
    off = {"alpha": 0.5, "beta": 0.0, "kappa": 0.0, "scale": 1.0, "gamma": 0.0, "factor": 1.0}
    value = distribution_balanced_loss(logits, targets, known, counts=long_tail(7), num_examples=1000, **off)
    torch.testing.assert_close(value, binary_cross_entropy_loss(logits, targets, known))


def test_a_rare_label_is_biased_down_so_that_training_lifts_its_logit() -> None:
    logits = torch.zeros(1, 2, requires_grad=True)
    loss = distribution_balanced_loss(logits, torch.ones(1, 2), counts=np.array([500, 2]), num_examples=1000, beta=0.0, kappa=1.0)
    loss.sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 1] < logits.grad[0, 0] < 0


@pytest.mark.parametrize("setting", [{"alpha": -1.0}, {"beta": -1.0}, {"kappa": -0.1}, {"scale": 0.0}, {"gamma": -1.0}, {"factor": 0.0}])
def test_settings_out_of_range_are_named(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"the '{next(iter(setting))}' parameter must"):
        DistributionBalancedLoss(statistics_with(long_tail(3)), **setting)
