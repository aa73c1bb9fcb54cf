"""Subset softmax against every label set there is, the recursion over labels, Newton's identities and its limits."""

import math
from itertools import combinations

import pytest
import torch
import torch.nn.functional as F
from loss_contract import LossContract, random_case
from torch import Tensor

from multihot.calibration import OwnRuleDecision
from multihot.errors import ConfigurationError, DataError
from multihot.losses import SubsetSoftmaxLoss, log_elementary_symmetric, newton_log_elementary_symmetric, subset_softmax_loss


def by_recursion(logits: list[float], k: int) -> list[float]:
    """Elementary symmetric polynomials, label after label, in plain numbers."""
    polynomials = [1.0] + [0.0] * k
    for s in logits:
        for j in range(k, 0, -1):
            polynomials[j] += math.exp(s) * polynomials[j - 1]
    return polynomials


def first_labels(targets: Tensor, most: int) -> Tensor:
    return targets * (targets.cumsum(-1) <= most)


class TestFixedSize(LossContract):
    loss = SubsetSoftmaxLoss(k=2)
    takes_soft_targets = False

    def case(self, rows: int = 6, labels: int = 7, soft: bool = False, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        logits, targets, known = super().case(rows, max(labels, 3), soft, seed)
        return logits, torch.zeros_like(targets).scatter_(1, (targets + logits / 100).topk(2).indices, 1), known

    def reference(self, logits: list[float], targets: list[float]) -> float:
        chosen = sum(s for s, y in zip(logits, targets, strict=True) if y)
        size = round(sum(targets))
        return math.log(by_recursion(logits, size)[size]) - chosen


class TestUpToSize(LossContract):
    loss = SubsetSoftmaxLoss(max_labels=3)
    takes_soft_targets = False

    def case(self, rows: int = 6, labels: int = 7, soft: bool = False, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        logits, targets, known = super().case(rows, labels, soft, seed)
        return logits, first_labels(targets, 3), known

    def reference(self, logits: list[float], targets: list[float]) -> float:
        *labels, zero = logits
        chosen = sum(s for s, y in zip(labels, targets, strict=True) if y) + (3 - sum(targets)) * zero
        polynomials = by_recursion(labels, 3)
        return math.log(sum(math.exp((3 - j) * zero) * polynomials[j] for j in range(4))) - chosen


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_all_label_sets_of_one_size_share_the_probability(k: int) -> None:
    logits = random_case(labels=6)[0][:1]
    total = 0.0
    weights = {labels: math.exp(sum(logits[0, i].item() for i in labels)) for labels in combinations(range(6), k)}
    for labels, weight in weights.items():
        targets = F.one_hot(torch.tensor(labels), 6).sum(0)[None]
        probability = math.exp(-subset_softmax_loss(logits, targets, k=k).item())
        assert math.isclose(probability, weight / sum(weights.values()), rel_tol=1e-9)
        total += probability
    assert math.isclose(total, 1)


def test_all_label_sets_up_to_a_size_share_the_probability() -> None:
    logits = random_case(labels=6, extra=1)[0][:1]
    zero = logits[0, -1].item()
    sets = [labels for size in range(4) for labels in combinations(range(6), size)]
    weights = [math.exp(sum(logits[0, i].item() for i in labels) + (3 - len(labels)) * zero) for labels in sets]
    for labels, weight in zip(sets, weights, strict=True):
        targets = torch.zeros(1, 6).index_fill_(1, torch.tensor(labels, dtype=torch.long), 1)
        probability = math.exp(-subset_softmax_loss(logits, targets, max_labels=3).item())
        assert math.isclose(probability, weight / sum(weights), rel_tol=1e-9)


def test_one_label_is_softmax_cross_entropy() -> None:
    logits = random_case()[0]
    label = torch.arange(6)
    loss = subset_softmax_loss(logits, F.one_hot(label, 7), k=1)
    torch.testing.assert_close(loss, F.cross_entropy(logits, label, reduction="none"))


@pytest.mark.parametrize(("labels", "k"), [(1, 1), (5, 7), (37, 5), (80, 8)])
def test_newton_and_the_recursion_agree_with_the_tree(labels: int, k: int) -> None:
    logits = random_case(rows=2, labels=labels)[0] / 6
    tree = log_elementary_symmetric(logits, k)
    for row in range(2):
        recursion = by_recursion(logits[row].tolist(), k)
        for size, polynomial in enumerate(recursion):
            assert tree[row, size] < -1e29 if size > labels else math.isclose(tree[row, size].item(), math.log(polynomial), abs_tol=1e-9)
    most = min(k, labels)
    torch.testing.assert_close(newton_log_elementary_symmetric(logits, most), tree[:, : most + 1], rtol=1e-4, atol=1e-4)


def test_single_precision_stays_close_where_newton_breaks() -> None:
    logits = random_case(rows=4, labels=80)[0]
    torch.testing.assert_close(
        log_elementary_symmetric(logits.float(), 8).double(), log_elementary_symmetric(logits, 8), rtol=1e-5, atol=1e-5
    )


def test_the_gradient_is_what_each_label_lacks_of_its_target() -> None:
    logits = random_case(labels=6)[0][:1].requires_grad_()
    targets = torch.tensor([[1.0, 0.0, 1.0, 0.0, 0.0, 0.0]])
    (gradient,) = torch.autograd.grad(subset_softmax_loss(logits, targets, k=2).sum(), logits)
    assert math.isclose(gradient.sum().item(), 0, abs_tol=1e-9)
    torch.testing.assert_close((gradient + targets).sum().item(), 2.0)  # probabilities of being in a set of two


def test_at_most_so_many_labels_are_chosen() -> None:
    logits = torch.tensor([[5.0, 4.0, 3.0, -1.0, 0.0], [5.0, -4.0, -3.0, -1.0, 0.0]])
    up_to, exactly = SubsetSoftmaxLoss(max_labels=2), SubsetSoftmaxLoss(k=2)
    assert OwnRuleDecision(up_to)(up_to.scores(logits)).tolist() == [[True, True, False, False], [True, False, False, False]]
    assert OwnRuleDecision(exactly)(exactly.scores(logits[:, :4])).tolist() == [[True, True, False, False], [True, False, False, True]]


def test_torch_compile_leaves_it_as_it_is() -> None:
    logits = random_case(rows=3, labels=9)[0].requires_grad_()
    targets = F.one_hot(torch.tensor([[0, 1], [2, 8], [3, 4]]), 9).sum(1).double()
    compiled = torch.compile(subset_softmax_loss, backend="eager", fullgraph=True)
    by_compiled = torch.autograd.grad(compiled(logits, targets, k=2).sum(), logits)
    torch.testing.assert_close(by_compiled, torch.autograd.grad(subset_softmax_loss(logits, targets, k=2).sum(), logits))


def test_rows_of_another_size_are_named() -> None:
    targets = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    with pytest.raises(DataError, match="row 1 carries 3 labels, but k is 2; give max_labels instead"):
        subset_softmax_loss(torch.zeros(2, 3), targets, k=2)
    with pytest.raises(DataError, match="row 1 carries 3 labels, but max_labels is 2; raise it"):
        subset_softmax_loss(torch.zeros(2, 4), targets, max_labels=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs either `k` or `max_labels`, got k=None and max_labels=None"),
        ({"k": 2, "max_labels": 2}, "needs either `k` or `max_labels`, got k=2 and max_labels=2"),
        ({"k": 0}, "the 'k' parameter must be a whole number of at least 1, got 0"),
        ({"max_labels": 1.5}, "the 'max_labels' parameter must be a whole number of at least 1, got 1.5"),
    ],
)
def test_sizes_that_cannot_be_meant_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        SubsetSoftmaxLoss(**arguments)
    with pytest.raises(ConfigurationError, match="k is 4, but there are 3 labels; choose a k of at most 3"):
        subset_softmax_loss(torch.zeros(1, 3), torch.zeros(1, 3), k=4)
