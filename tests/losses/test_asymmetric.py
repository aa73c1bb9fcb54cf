"""Asymmetric loss against a loop and its limits."""

import math

import pytest
import torch
from loss_contract import LossContract, random_case

from multihot.errors import ConfigurationError
from multihot.losses import AsymmetricLoss, asymmetric_loss, binary_cross_entropy_loss, focal_loss


def _asymmetric(s: float, y: float, gamma_pos: float, gamma_neg: float, clip: float) -> float:
    p = 1 / (1 + math.exp(-s))
    shifted = max(p - clip, 0)
    return -y * (1 - p) ** gamma_pos * math.log(p) - (1 - y) * shifted**gamma_neg * math.log(1 - shifted)


class TestDefaults(LossContract):
    loss = AsymmetricLoss()

    def reference(self, logits: list[float], targets: list[float]) -> float:
        return sum(_asymmetric(s, y, 0, 4, 0.05) for s, y in zip(logits, targets, strict=True)) / len(logits)


class TestOtherSettings(LossContract):
    loss = AsymmetricLoss(gamma_pos=1.0, gamma_neg=3.0, clip=0.0, reduction="sum")

    def reference(self, logits: list[float], targets: list[float]) -> float:
        return sum(_asymmetric(s, y, 1, 3, 0) for s, y in zip(logits, targets, strict=True))


def test_without_focusing_and_clip_it_is_binary_cross_entropy() -> None:
    logits, targets, known = random_case(soft=True)
    value = asymmetric_loss(logits, targets, known, gamma_pos=0.0, gamma_neg=0.0, clip=0.0)
    torch.testing.assert_close(value, binary_cross_entropy_loss(logits, targets, known))


def test_with_equal_focusing_and_no_clip_it_is_focal() -> None:
    logits, targets, known = random_case(soft=True)
    value = asymmetric_loss(logits, targets, known, gamma_pos=2.0, gamma_neg=2.0, clip=0.0)
    torch.testing.assert_close(value, focal_loss(logits, targets, known))


def test_below_the_clip_an_absent_label_costs_nothing() -> None:
    logits = torch.tensor([[-3.0, -5.0]], requires_grad=True)  # probabilities 0.047 and 0.007
    loss = asymmetric_loss(logits, torch.zeros(1, 2), gamma_neg=0.0)
    loss.sum().backward()
    assert loss.item() == pytest.approx(0, abs=1e-30)
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_a_detached_focus_weighs_the_gradient_of_cross_entropy() -> None:
    logits, targets, _ = random_case()
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(asymmetric_loss(logits, targets, gamma_pos=1.0, clip=0.0, detach_focus=True).sum(), logits)
    p = logits.detach().sigmoid()
    expected = torch.where(targets > 0, -(1 - p) * (1 - p), p**4 * p) / 7
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("setting", [{"gamma_pos": -1.0}, {"gamma_neg": -0.1}, {"clip": 1.0}, {"clip": -0.1}])
def test_settings_out_of_range_are_named(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"the '{next(iter(setting))}' parameter must"):
        AsymmetricLoss(**setting)
