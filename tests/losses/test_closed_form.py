"""Closed forms against the formulas they stand for: narrow and wide logits, one block and many, strides that are not the usual ones."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from loss_contract import random_case
from torch import Tensor

from multihot.losses import (
    circle_loss,
    label_distribution_loss,
    pairwise_log_sum_exp_loss,
    threshold_label_loss,
    two_way_loss,
    zlpr_loss,
)
from multihot.losses.kernels import closed_form, log_sums

LOSSES: dict[str, Callable[..., Tensor]] = {
    "circle": partial(circle_loss, scale=2.0, margin=0.25),
    "pairwise_log_sum_exp": pairwise_log_sum_exp_loss,
    "threshold_label": threshold_label_loss,
    "two_way": two_way_loss,
    "zlpr": zlpr_loss,
}


def loss_and_gradient(name: str, logits: Tensor, targets: Tensor, known: Tensor | None) -> tuple[Tensor, Tensor]:
    logits = logits.clone(memory_format=torch.preserve_format).requires_grad_()
    loss = LOSSES[name](logits, targets, known)
    (gradient,) = torch.autograd.grad(loss.square().sum(), logits)
    return loss.detach(), gradient


def case(name: str, soft: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    return random_case(rows=11, labels=9, soft=soft, extra=int(name == "threshold_label"))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("size", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("some_unknown", [False, True])
def test_loss_and_gradient_are_those_of_the_formula(name: str, size: float, some_unknown: bool) -> None:
    logits, targets, known = case(name)
    given = size * logits, targets, known if some_unknown else None
    loss, gradient = loss_and_gradient(name, *given)
    learned = given[0].requires_grad_(), given[1].clone().requires_grad_(), given[2]  # learned targets take the formula
    by_formula = LOSSES[name](*learned)
    torch.testing.assert_close(loss, by_formula.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(by_formula.square().sum(), learned[0])[0])


@pytest.mark.parametrize("name", LOSSES)
def test_narrow_and_wide_logits_take_different_ways_to_the_same_loss(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = case(name)
    narrow = loss_and_gradient(name, *given)
    monkeypatch.setattr(log_sums, "NARROW", 0.0)
    for one, other in zip(narrow, loss_and_gradient(name, *given), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", LOSSES)
def test_blocks_of_instances_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = case(name)
    whole = loss_and_gradient(name, *given)
    monkeypatch.setattr(closed_form, "BLOCK", 20)
    for one, other in zip(whole, loss_and_gradient(name, *given), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", LOSSES)
def test_the_order_in_memory_does_not_matter(name: str) -> None:
    logits, targets, known = case(name, soft=False)
    usual = loss_and_gradient(name, logits, targets, known)
    turned = loss_and_gradient(name, *(values.T.contiguous().T for values in (logits, targets, known)))
    for one, other in zip(usual, turned, strict=True):
        torch.testing.assert_close(one, other)


def test_pixels_are_computed_in_blocks_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.randn(3, 4, 5, 2, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(3, 4, 5, 2, dtype=torch.float64)
    targets = targets / targets.sum(1, keepdim=True)
    monkeypatch.setattr(closed_form, "BLOCK", 13)
    loss = label_distribution_loss(logits, targets)
    expected = (targets * (targets.log() - logits.log_softmax(1))).sum(1).mean((1, 2))
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss.sum(), logits), torch.autograd.grad(expected.sum(), logits))
