"""LSEP against the sum over all pairs, and over pairs that are drawn."""

import math

import pytest
import torch
from loss_contract import LossContract, random_case

from multihot.errors import ConfigurationError
from multihot.losses import LSEPLoss, lsep_loss, pairwise_log_sum_exp_loss


class TestLSEP(LossContract):
    loss = LSEPLoss()
    takes_soft_targets = False
    judges_every_set = False

    def reference(self, logits: list[float], targets: list[float]) -> float:
        present = [s for s, y in zip(logits, targets, strict=True) if y]
        absent = [s for s, y in zip(logits, targets, strict=True) if not y]
        return math.log(1 + sum(math.exp(n - p) for p in present for n in absent))


class TestFewerPairsThanTheMost(TestLSEP):
    loss = LSEPLoss(max_pairs=20_000)


def test_over_all_pairs_it_is_pairwise_log_sum_exp() -> None:
    logits, targets, known = random_case(labels=30)
    torch.testing.assert_close(lsep_loss(logits, targets, known), pairwise_log_sum_exp_loss(logits, targets, known))


def test_drawn_pairs_are_reproducible_and_right_on_average() -> None:
    logits, targets, known = random_case(labels=8)
    draw = torch.Generator().manual_seed(5)
    first = lsep_loss(logits, targets, known, 3, draw)
    torch.testing.assert_close(lsep_loss(logits, targets, known, 3, draw.manual_seed(5)), first)
    many = logits[2:3].expand(40_000, -1)
    drawn = lsep_loss(many, targets[2:3].expand(40_000, -1), max_pairs=3, generator=draw)
    present, absent = logits[2][targets[2] == 1], logits[2][targets[2] == 0]
    assert len(present) * len(absent) > 3
    mean_pair = (absent[None] - present[:, None]).exp().mean()
    torch.testing.assert_close(drawn.exp().mean(), 1 + 3 * mean_pair, rtol=0.05, atol=0)


def test_the_number_of_pairs_must_be_one() -> None:
    with pytest.raises(ConfigurationError, match="'max_pairs' parameter must be a whole number of at least 1, got 0"):
        LSEPLoss(max_pairs=0)
