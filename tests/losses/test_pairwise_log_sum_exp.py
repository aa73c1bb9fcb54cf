"""Pairwise log-sum-exp against the sum over pairs."""

import math
from itertools import product

import torch
import torch.nn.functional as F
from loss_contract import LossContract, random_case

from multihot.losses import PairwiseLogSumExpLoss, pairwise_log_sum_exp_loss


class TestPairwiseLogSumExp(LossContract):
    loss = PairwiseLogSumExpLoss()
    judges_every_set = False

    def reference(self, logits: list[float], targets: list[float]) -> float:
        labels = list(zip(logits, targets, strict=True))
        return math.log(1 + sum((1 - y) * z * math.exp(s - t) for (s, y), (t, z) in product(labels, labels)))


def test_one_true_label_is_softmax_cross_entropy() -> None:
    logits, _, _ = random_case()
    label = torch.arange(6)
    loss = pairwise_log_sum_exp_loss(logits, F.one_hot(label, 7).double())
    torch.testing.assert_close(loss, F.cross_entropy(logits, label, reduction="none"))


def test_a_shift_of_a_row_changes_nothing() -> None:
    logits, targets, known = random_case()
    shifted = logits + torch.arange(6.0)[:, None] * 100
    torch.testing.assert_close(pairwise_log_sum_exp_loss(shifted, targets, known), pairwise_log_sum_exp_loss(logits, targets, known))


def test_learned_soft_targets_get_their_gradient() -> None:
    logits, targets, _ = random_case(soft=True)
    targets = (0.9 * targets[2:] + 0.05).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: pairwise_log_sum_exp_loss(logits[2:], y), targets)


def test_torch_compile_leaves_it_as_it_is() -> None:
    logits, targets, known = random_case(labels=30)
    logits = logits.float().requires_grad_()
    compiled = torch.compile(pairwise_log_sum_exp_loss, backend="eager", fullgraph=True)
    by_compiled = torch.autograd.grad(compiled(logits, targets.float(), known).sum(), logits)
    torch.testing.assert_close(by_compiled, torch.autograd.grad(pairwise_log_sum_exp_loss(logits, targets.float(), known).sum(), logits))
