"""The unified pair loss and Circle Loss against loops over pairs and their limits."""

import math
from itertools import product

import pytest
import torch
from loss_contract import LossContract, random_case

from multihot.errors import ConfigurationError, DataError
from multihot.losses import CircleLoss, circle_loss, pairwise_log_sum_exp_loss


class TestUnified(LossContract):
    loss = CircleLoss(scale=1.5, margin=0.25)
    judges_every_set = False

    def reference(self, logits: list[float], targets: list[float]) -> float:
        labels = list(zip(logits, targets, strict=True))
        return math.log(1 + sum((1 - y) * z * math.exp(1.5 * (s - t + 0.25)) for (s, y), (t, z) in product(labels, labels)))


def paced(similarities: list[float], targets: list[float], scale: float, margin: float, paces: list[float]) -> float:
    labels = list(zip(similarities, targets, paces, strict=True))
    absent = sum(math.exp(scale * a * (s - margin)) for s, y, a in labels if not y)
    present = sum(math.exp(-scale * a * (s - (1 - margin))) for s, y, a in labels if y)
    return math.log(1 + absent * present)


def pace(similarity: float, target: float, margin: float) -> float:
    return max(0, 1 + margin - similarity) if target else max(0, similarity + margin)


def test_self_paced_is_the_loss_of_the_paper() -> None:
    logits, targets, _ = random_case(labels=9)
    cosines = logits.tanh().requires_grad_()
    value = circle_loss(cosines, targets, scale=8.0, margin=0.3, self_paced=True)
    (gradient,) = torch.autograd.grad(value.sum(), cosines)
    for row in range(len(cosines)):
        s, y = cosines[row].tolist(), targets[row].tolist()
        paces = [pace(a, b, 0.3) for a, b in zip(s, y, strict=True)]
        assert math.isclose(value[row].item(), paced(s, y, 8.0, 0.3, paces), abs_tol=1e-9)
        for label in range(9):  # paces held still, as the paper does
            up, down = ([x + step * (i == label) for i, x in enumerate(s)] for step in (1e-6, -1e-6))
            slope = (paced(up, y, 8.0, 0.3, paces) - paced(down, y, 8.0, 0.3, paces)) / 2e-6
            assert math.isclose(gradient[row, label].item(), slope, rel_tol=1e-5, abs_tol=1e-6)


def test_without_margin_and_scale_it_is_pairwise() -> None:
    logits, targets, known = random_case(soft=True)
    torch.testing.assert_close(circle_loss(logits, targets, known, 1.0, 0.0), pairwise_log_sum_exp_loss(logits, targets, known))


def test_a_large_scale_approaches_the_worst_pair() -> None:
    loss = circle_loss(torch.tensor([[0.2, 0.9, 0.4]]), torch.tensor([[1.0, 0.0, 0.0]]), scale=1e4, margin=0.1) / 1e4
    torch.testing.assert_close(loss, torch.tensor([0.9 - 0.2 + 0.1]), rtol=1e-4, atol=0)


def test_soft_targets_have_no_pace() -> None:
    with pytest.raises(DataError, match=r"circle_loss with self_paced: targets: row 0, label 1 is 0.5; this loss knows no soft targets"):
        CircleLoss(self_paced=True)(torch.zeros(1, 2), torch.tensor([[1.0, 0.5]]))


@pytest.mark.parametrize(("argument", "value"), [("scale", 0.0), ("margin", -0.1), ("scale", float("nan"))])
def test_settings_outside_their_range_are_refused(argument: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=f"the '{argument}' parameter must be a number .* got {value}"):
        CircleLoss(**{argument: value})
