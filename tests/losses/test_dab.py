"""DAB against loops in both readings, its schedule and its ablations."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from counted_contract import CountedLossContract, OfAnyWidth, long_tail, statistics_with
from loss_contract import random_case

from multihot.errors import ConfigurationError
from multihot.labels import LabelStatistics
from multihot.losses import DABLoss, asymmetric_loss, binary_cross_entropy_loss, dab_loss


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _shat(targets: list[float], counts: list[int]) -> list[float]:
    counts = [max(n, 1) for n in counts]
    of_instance = sum(y / n for y, n in zip(targets, counts, strict=True))
    return [0.1 + _sigmoid(5 * (1 / n / of_instance - 0.3)) if of_instance else 1.0 for n in counts]


def _at(progress: float, **settings: Any) -> OfAnyWidth:
    def make(statistics: LabelStatistics) -> DABLoss:
        loss = DABLoss(statistics, **settings)
        loss.set_progress(progress)
        return loss

    return OfAnyWidth(make)


class TestIntended(CountedLossContract):
    loss = _at(0.6)
    phi = 1 - 0.6**2
    gamma_pos, gamma_neg, slope = 0.0, 2.0, 1.0

    def counted_reference(self, logits: list[float], targets: list[float], counts: list[int]) -> float:
        total = 0.0
        for s, y, shat in zip(logits, targets, _shat(targets, counts), strict=True):
            p, phat = _sigmoid(s), _sigmoid(self.slope * s)
            entry = -y * (1 - p) ** self.gamma_pos * math.log(p) - (1 - y) * phat**self.gamma_neg * math.log(1 - phat)
            total += (1 - self.phi) * shat * entry + self.phi * entry
        return total / len(logits)


class TestOtherSettings(TestIntended):
    loss = _at(0.2, resampling="resampled", gamma_pos=1.0, gamma_neg=3.0, slope=1.5)
    phi = 0.0
    gamma_pos, gamma_neg, slope = 1.0, 3.0, 1.5


class TestAsPrinted(CountedLossContract):
    loss = _at(0.6, as_printed=True, gamma_pos=1.0)

    def counted_reference(self, logits: list[float], targets: list[float], counts: list[int]) -> float:
        total = 0.0
        for s, y, shat in zip(logits, targets, _shat(targets, counts), strict=True):
            p = _sigmoid(s)
            phat = _sigmoid(p)
            total -= shat * y * (1 - phat) * math.log(p) + shat * (1 - y) * (1 - phat) ** 2 * math.log(1 - phat)
        return total / len(logits)

    def test_right_logits_cost_less_than_wrong_ones(self) -> None:
        """Not where a label is absent: its printed weight falls quicker than its cost rises."""
        right, wrong = self.loss(torch.full((1, 7), 8.0), torch.ones(1, 7)), self.loss(torch.full((1, 7), -8.0), torch.ones(1, 7))
        assert right < 0.01 < 1 < wrong
        assert self.loss(torch.full((1, 7), 8.0), torch.zeros(1, 7)) < self.loss(torch.full((1, 7), -8.0), torch.zeros(1, 7))


def test_training_begins_with_equal_weights_and_ends_resampled() -> None:
    logits, targets, known = random_case()
    statistics = statistics_with(long_tail(7))
    plain, dynamic, resampled = (DABLoss(statistics, resampling=name) for name in ("plain", "dynamic", "resampled"))
    torch.testing.assert_close(dynamic(logits, targets, known), plain(logits, targets, known))
    dynamic.set_progress(0.5)
    between = 0.75 * plain(logits, targets, known) + 0.25 * resampled(logits, targets, known)  # phi = 1 - 0.5^2
    torch.testing.assert_close(dynamic(logits, targets, known), between)
    dynamic.set_progress(1.0)
    torch.testing.assert_close(dynamic(logits, targets, known), resampled(logits, targets, known))


def test_without_resampling_it_is_the_asymmetric_loss_without_clip() -> None:
    logits, targets, known = random_case()
    value = DABLoss(statistics_with(long_tail(7)), resampling="plain")(logits, targets, known)
    torch.testing.assert_close(value, asymmetric_loss(logits, targets, known, gamma_pos=0.0, gamma_neg=2.0, clip=0.0))


def test_without_both_parts_it_is_binary_cross_entropy() -> None:
    logits, targets, known = random_case()
    loss = DABLoss(statistics_with(long_tail(7)), resampling="plain", asymmetric=False, slope=3.0)
    torch.testing.assert_close(loss(logits, targets, known), binary_cross_entropy_loss(logits, targets, known))


def test_the_rare_of_two_present_labels_weighs_more() -> None:
    logits = torch.zeros(1, 2, requires_grad=True)
    dab_loss(logits, torch.ones(1, 2), counts=np.array([900, 3]), progress=1.0).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 1] < 2 * logits.grad[0, 0] < 0


@pytest.mark.parametrize(
    "setting", [{"beta": -1.0}, {"mu": -1.0}, {"gamma_pos": -1.0}, {"gamma_neg": -1.0}, {"slope": 0.0}, {"resampling": "static"}]
)
def test_settings_out_of_range_are_named(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"the '{next(iter(setting))}' parameter must"):
        DABLoss(statistics_with(long_tail(3)), **setting)


@pytest.mark.parametrize("setting", [{"resampling": "plain"}, {"asymmetric": False}])
def test_the_printed_equation_has_no_ablations(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="as_printed is one equation without parts to leave out"):
        DABLoss(statistics_with(long_tail(3)), as_printed=True, **setting)
