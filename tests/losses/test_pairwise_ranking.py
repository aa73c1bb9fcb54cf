"""Pairwise ranking against the mean over all pairs."""

import pytest
import torch
from loss_contract import LossContract, random_case
from sklearn.metrics import label_ranking_loss

from multihot.errors import ConfigurationError
from multihot.losses import PairwiseRankingLoss, pairwise_ranking_loss


class TestPairwiseRanking(LossContract):
    loss = PairwiseRankingLoss(margin=1.3)
    takes_soft_targets = False
    judges_every_set = False

    def reference(self, logits: list[float], targets: list[float]) -> float:
        present = [s for s, y in zip(logits, targets, strict=True) if y]
        absent = [s for s, y in zip(logits, targets, strict=True) if not y]
        hinges = [max(0.0, 1.3 - p + n) for p in present for n in absent]
        return sum(hinges) / len(hinges) if hinges else 0.0


def test_it_bounds_the_ranking_loss_measure() -> None:
    logits, targets, _ = random_case(rows=50, labels=12)
    for row, truth, value in zip(logits, targets, pairwise_ranking_loss(logits, targets), strict=True):
        assert value >= label_ranking_loss(truth[None].numpy(), row[None].numpy()) - 1e-12


def test_ties_and_pairs_that_just_keep_the_margin_count_once_on_both_sides() -> None:
    logits = torch.randint(-3, 4, (40, 30)).float()
    targets = (torch.rand(40, 30) < 0.3).float()
    hinges = (1 - logits[:, :, None] + logits[:, None, :]).clamp(min=0) * targets[:, :, None] * (1 - targets[:, None, :])
    pairs = (targets.sum(-1) * (1 - targets).sum(-1)).clamp(min=1)
    torch.testing.assert_close(pairwise_ranking_loss(logits, targets), hinges.sum((1, 2)) / pairs)


def test_large_logits_do_not_cost_precision() -> None:
    logits, targets, _ = random_case(labels=500)
    exact = pairwise_ranking_loss(logits, targets)
    shifted = (logits + 1000).float()
    torch.testing.assert_close(pairwise_ranking_loss(shifted, targets), exact.float(), rtol=1e-3, atol=1e-3)


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'margin' parameter must be a number of at least 0, got -1"):
        PairwiseRankingLoss(margin=-1)
