"""Hill loss against a loop, and its forgiveness."""

import math

import pytest
import torch
from loss_contract import LossContract

from multihot.errors import ConfigurationError
from multihot.losses import HillLoss, hill_loss


class TestHill(LossContract):
    loss = HillLoss()

    def reference(self, logits: list[float], targets: list[float]) -> float:
        total = 0.0
        for s, y in zip(logits, targets, strict=True):
            p, shifted = 1 / (1 + math.exp(-s)), 1 / (1 + math.exp(1 - s))
            total += -y * (1 - shifted) ** 2 * math.log(shifted) + (1 - y) * (1.5 - p) * p**2
        return total / len(logits)

    def test_right_logits_cost_less_than_wrong_ones(self) -> None:
        """A label without a target never costs more than lambda - 1 = 0.5, however sure the model is of it."""
        _, targets, _ = self.case()
        right, wrong = self.loss(self.right_logits(targets), targets), self.loss(-self.right_logits(targets), targets)
        assert (right < 0.01).all()
        assert wrong[0].item() == pytest.approx(0.5, rel=1e-3)
        assert (wrong[1:] > 0.5).all()


def test_the_gradient_of_a_sure_absent_label_vanishes() -> None:
    logits = torch.tensor([[-8.0, 0.5, 8.0]], requires_grad=True)
    hill_loss(logits, torch.zeros(1, 3)).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 1] > 100 * logits.grad[0, 2].abs()
    assert logits.grad[0, 1] > 100 * logits.grad[0, 0].abs()


@pytest.mark.parametrize("setting", [{"hill": 0.9}, {"margin": -1.0}, {"gamma": -1.0}])
def test_settings_out_of_range_are_named(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"the '{next(iter(setting))}' parameter must"):
        HillLoss(**setting)
