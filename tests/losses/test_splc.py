"""Self-paced loss correction against a loop, before and after it corrects."""

import math

import pytest
import torch
from loss_contract import LossContract, random_case

from multihot.errors import ConfigurationError
from multihot.losses import SPLCLoss, splc_loss


class TestBeforeCorrection(LossContract):
    loss = SPLCLoss()
    tau = 1.0

    def reference(self, logits: list[float], targets: list[float]) -> float:
        total = 0.0
        for s, y in zip(logits, targets, strict=True):
            p, shifted = 1 / (1 + math.exp(-s)), 1 / (1 + math.exp(1 - s))
            y = 1.0 if p > self.tau else y
            total -= y * (1 - shifted) ** 2 * math.log(shifted) + (1 - y) * p**2 * math.log(1 - p)
        return total / len(logits)


class TestAfterCorrection(TestBeforeCorrection):
    loss = SPLCLoss()
    loss.set_progress(0.2)
    tau = 0.6

    def test_right_logits_cost_less_than_wrong_ones(self) -> None:
        """What the model is sure of is right by definition; a present label that it denies is still wrong."""
        _, targets, _ = self.case()
        wrong = self.loss(-self.right_logits(targets), targets)
        assert (self.loss(self.right_logits(targets), targets) < 0.1).all()
        assert wrong[0] < 0.1
        assert wrong[1] > 1


def test_correction_starts_when_its_share_of_training_is_done() -> None:
    logits, targets, _ = random_case()
    loss = SPLCLoss(from_progress=0.5)
    loss.set_progress(0.49)
    torch.testing.assert_close(loss(logits, targets), splc_loss(logits, targets, tau=1.0))
    loss.set_progress(0.5)
    torch.testing.assert_close(loss(logits, targets), splc_loss(logits, targets, tau=0.6))
    assert not torch.equal(splc_loss(logits, targets, tau=0.6), splc_loss(logits, targets, tau=1.0))


def test_with_tau_zero_everything_counts_as_present() -> None:
    logits, targets, _ = random_case()
    torch.testing.assert_close(splc_loss(logits, targets, tau=0.0), splc_loss(logits, torch.ones_like(targets), tau=1.0))


@pytest.mark.parametrize("setting", [{"tau": 1.1}, {"margin": -1.0}, {"gamma": -1.0}, {"from_progress": -0.1}])
def test_settings_out_of_range_are_named(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match=f"the '{next(iter(setting))}' parameter must"):
        SPLCLoss(**setting)
