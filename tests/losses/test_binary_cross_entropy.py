"""Binary cross entropy against loops, PyTorch's own and its limits."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_contract import LossContract, random_case

from multihot.losses import BinaryCrossEntropyLoss, binary_cross_entropy_loss


class TestMeanOverKnownLabels(LossContract):
    loss = BinaryCrossEntropyLoss()

    def reference(self, logits: list[float], targets: list[float]) -> float:
        probabilities = [1 / (1 + math.exp(-s)) for s in logits]
        entries = [-y * math.log(p) - (1 - y) * math.log(1 - p) for p, y in zip(probabilities, targets, strict=True)]
        return sum(entries) / len(entries)


class TestSumOverKnownLabels(TestMeanOverKnownLabels):
    loss = BinaryCrossEntropyLoss(reduction="sum")

    def reference(self, logits: list[float], targets: list[float]) -> float:
        return super().reference(logits, targets) * len(logits)


def test_the_mean_is_what_pytorch_computes() -> None:
    logits, targets, _ = random_case(soft=True)
    expected = F.binary_cross_entropy_with_logits(logits, targets)
    torch.testing.assert_close(binary_cross_entropy_loss(logits, targets).mean(), expected)


def test_a_confident_mistake_costs_its_logit() -> None:
    wrong = torch.tensor([[1e4, -1e4]], dtype=torch.float16)
    torch.testing.assert_close(binary_cross_entropy_loss(wrong, torch.tensor([[0.0, 1.0]])), torch.tensor([1e4]), rtol=1e-3, atol=0)


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="'reduction' parameter must be 'mean' or 'sum', got 'none'"):
        BinaryCrossEntropyLoss(reduction="none")
