"""Label-wise attention against its equations, and what taking labels in turns must not change."""

import pytest
import torch

from multihot.components import build
from multihot.errors import ConfigurationError
from multihot.scorers import LabelAttentionScorer
from multihot.types import Encoding


def example() -> Encoding:
    mask = torch.tensor([[True, True, True], [True, False, False]])
    return Encoding(torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True), mask, torch.zeros(2, 4, dtype=torch.float64))


def test_logits_follow_the_equations() -> None:
    scorer, given = LabelAttentionScorer(num_labels=5, width=4).double().eval(), example()
    expected = torch.zeros(2, 5, dtype=torch.float64)
    for row in range(2):
        real = given.states[row, given.mask[row]]
        for label in range(5):
            weights = torch.softmax(real @ scorer.queries[label], dim=0)
            expected[row, label] = scorer.readings[label] @ (weights @ real) + scorer.bias[label]
    torch.testing.assert_close(scorer(given), expected)


def test_labels_in_turns_give_the_same_logits_and_gradients() -> None:
    torch.manual_seed(0)
    whole, given = LabelAttentionScorer(num_labels=5, width=4).double().eval(), example()
    turns = LabelAttentionScorer(num_labels=5, width=4, labels_at_once=2).double().eval()
    turns.load_state_dict(whole.state_dict())
    gradients = [torch.autograd.grad(s(given).square().sum(), [given.states, s.queries, s.readings]) for s in (whole, turns)]
    torch.testing.assert_close(turns(given), whole(given))
    for found, expected in zip(gradients[1], gradients[0], strict=True):
        torch.testing.assert_close(found, expected)


def test_labels_in_turns_hold_less_memory_for_the_way_back() -> None:
    def saved(labels_at_once: int) -> int:
        scorer = LabelAttentionScorer(num_labels=64, width=4, dropout=0.0, labels_at_once=labels_at_once).double()
        sizes: list[int] = []

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            scorer(example())
        return max(sizes)

    assert saved(labels_at_once=64) >= 2 * 3 * 64
    assert saved(labels_at_once=8) < 2 * 3 * 64


def test_no_label_at_once_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'labels_at_once' parameter must be at least 1, got 0"):
        build("scorer", {"name": "label_attention", "labels_at_once": 0}, num_labels=3, width=4)
