"""The two-way loss against loops over instances and over labels."""

import math

import pytest
import torch
from loss_contract import LossContract, random_case
from torch import Tensor

from multihot.errors import ConfigurationError
from multihot.losses import TwoWayLoss, two_way_loss

TEMPERATURE = 4.0


def one_way(logits: list[float], targets: list[float]) -> float:
    """The paper's loss along one row or one column."""
    pairs = list(zip(logits, targets, strict=True))
    absent = sum((1 - y) * math.exp(s) for s, y in pairs)
    present = sum(y * math.exp(-s / TEMPERATURE) for s, y in pairs)
    return math.log1p(absent * present**TEMPERATURE)


class TestTwoWay(LossContract):
    loss = TwoWayLoss(TEMPERATURE)

    def reference(self, logits: list[float], targets: list[float]) -> float:
        alone = torch.tensor([targets], dtype=torch.float64)
        return float(self.by_reference(torch.tensor([logits], dtype=torch.float64), alone, torch.ones_like(alone, dtype=torch.bool)))

    def by_reference(self, logits: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        shown = (targets > 0) & known
        rows, labels = shown.any(1).sum().item(), shown.any(0).sum().item()
        value = torch.zeros(len(logits), dtype=torch.float64)
        for row, (s, y, k) in enumerate(zip(logits, targets, known, strict=True)):
            value[row] += len(logits) / max(rows, 1) * one_way(s[k].tolist(), y[k].tolist())
        for s, y, k in zip(logits.T, targets.T, known.T, strict=True):
            if k.any():
                value[k] += len(logits) / max(labels, 1) * one_way(s[k].tolist(), y[k].tolist()) / k.sum()
        return value


def test_the_mean_over_the_batch_is_the_loss_of_the_paper() -> None:
    logits, targets, known = random_case()
    rows = [one_way(s.tolist(), y.tolist()) for s, y in zip(logits, targets, strict=True) if y.any()]
    columns = [one_way(s.tolist(), y.tolist()) for s, y in zip(logits.T, targets.T, strict=True) if y.any()]
    expected = sum(rows) / len(rows) + sum(columns) / len(columns)
    assert math.isclose(two_way_loss(logits, targets).mean().item(), expected, rel_tol=1e-9)
    assert two_way_loss(logits, targets, torch.zeros_like(known)).tolist() == [0] * 6


def test_a_temperature_must_be_positive() -> None:
    with pytest.raises(ConfigurationError, match="'temperature' parameter must be a number above 0, got 0"):
        TwoWayLoss(temperature=0)


@pytest.mark.parametrize("known_too", [False, True])
def test_logits_far_apart_and_close_together_take_different_ways_to_the_same_loss(known_too: bool) -> None:
    logits, targets, known = random_case(soft=True)
    logits = torch.cat([logits, torch.zeros(6, 1)], 1).requires_grad_()
    targets, known = torch.cat([targets, torch.zeros(6, 1)], 1), torch.cat([known, torch.zeros(6, 1, dtype=torch.bool)], 1)
    far = torch.cat([logits[:, :-1], torch.full((6, 1), -1000.0)], 1)  # an entry that nobody knows, or that is absent and far below
    weights = torch.linspace(0, 1, 6)
    near_loss, far_loss = (two_way_loss(s, targets, known if known_too else None) for s in (logits, far))
    gradients = [torch.autograd.grad((weights * value).sum(), logits)[0][:, :-1] for value in (near_loss, far_loss)]
    if not known_too:  # there the last label costs something when it is near
        direct = two_way_loss(torch.cat([logits[:, :-1], torch.full((6, 1), -60.0)], 1), targets)
        near_loss, gradients[0] = direct, torch.autograd.grad((weights * direct).sum(), logits)[0][:, :-1]
    torch.testing.assert_close(near_loss, far_loss)
    torch.testing.assert_close(*gradients)
