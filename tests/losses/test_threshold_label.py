"""Threshold label against loops, ZLPR and its own rule."""

import math

import torch
from loss_contract import LossContract, random_case

from multihot.losses import ThresholdLabelLoss, threshold_label_loss, zlpr_loss


class TestThresholdLabel(LossContract):
    loss = ThresholdLabelLoss()

    def reference(self, logits: list[float], targets: list[float]) -> float:
        *labels, zero = logits
        absent = math.exp(zero) + sum((1 - y) * math.exp(s) for s, y in zip(labels, targets, strict=True))
        present = math.exp(-zero) + sum(y * math.exp(-s) for s, y in zip(labels, targets, strict=True))
        return math.log(absent) + math.log(present)


def test_a_zero_class_at_zero_is_zlpr() -> None:
    logits, targets, known = random_case(soft=True)
    with_zero = torch.nn.functional.pad(logits, (0, 1))
    torch.testing.assert_close(threshold_label_loss(with_zero, targets, known), zlpr_loss(logits, targets, known))


def test_the_zero_class_is_pulled_between_the_labels() -> None:
    logits = torch.tensor([[2.0, -1.0, 5.0], [2.0, -1.0, -5.0]], requires_grad=True)
    threshold_label_loss(logits, torch.tensor([[1.0, 0.0], [1.0, 0.0]])).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 2] > 0  # above both labels: down
    assert logits.grad[1, 2] < 0


def test_the_scores_are_distances_from_the_zero_class() -> None:
    scores = ThresholdLabelLoss().scores(torch.tensor([[2.0, -1.0, 0.5]]))
    torch.testing.assert_close(scores, torch.tensor([[1.5, -1.5]]))
