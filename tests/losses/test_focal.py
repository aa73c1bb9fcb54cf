"""Focal loss against a loop, its limit and torchvision's definition."""

import math

import pytest
import torch
from loss_contract import LossContract, random_case

from multihot.errors import ConfigurationError
from multihot.losses import FocalLoss, binary_cross_entropy_loss, focal_loss


def _focal(s: float, y: float, gamma: float, alpha: float | None) -> float:
    p = 1 / (1 + math.exp(-s))
    present, absent = (1, 1) if alpha is None else (alpha, 1 - alpha)
    return -y * present * (1 - p) ** gamma * math.log(p) - (1 - y) * absent * p**gamma * math.log(1 - p)


class TestFocal(LossContract):
    loss = FocalLoss()

    def reference(self, logits: list[float], targets: list[float]) -> float:
        return sum(_focal(s, y, 2, None) for s, y in zip(logits, targets, strict=True)) / len(logits)


class TestWithAlphaAndSum(LossContract):
    loss = FocalLoss(gamma=1.5, alpha=0.25, reduction="sum")

    def reference(self, logits: list[float], targets: list[float]) -> float:
        return sum(_focal(s, y, 1.5, 0.25) for s, y in zip(logits, targets, strict=True))


def test_without_focusing_it_is_binary_cross_entropy() -> None:
    logits, targets, known = random_case(soft=True)
    torch.testing.assert_close(focal_loss(logits, targets, known, gamma=0.0), binary_cross_entropy_loss(logits, targets, known))


def test_only_equal_sides_have_their_threshold_at_zero() -> None:
    assert [FocalLoss(alpha=alpha).decision_rule for alpha in (None, 0.5, 0.25)] == ["zero", "zero", "tuned"]


@pytest.mark.parametrize(("setting", "value"), [("gamma", -1.0), ("gamma", math.inf), ("alpha", 1.5), ("reduction", "none")])
def test_settings_out_of_range_are_named(setting: str, value: object) -> None:
    with pytest.raises((ConfigurationError, ValueError), match=f"the '{setting}' parameter must .*got {value!r}"):
        FocalLoss(**{setting: value})
