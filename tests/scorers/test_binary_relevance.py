"""Binary relevance against its equations, written out for one instance at a time."""

import pytest
import torch

from multihot.components import build
from multihot.errors import ConfigurationError
from multihot.labels import LabelStatistics
from multihot.scorers import BinaryRelevanceScorer
from multihot.types import Encoding


def by_equations(scorer: BinaryRelevanceScorer, states: torch.Tensor, pooled: torch.Tensor) -> torch.Tensor:
    """Tsai 2019, eqs. 4.10, 4.11 for one instance without padding: states (m, D), pooled (D,)."""
    hidden = pooled
    for layer in scorer.layers:
        hidden = layer.weight @ hidden + layer.bias
        hidden = torch.where(hidden > 0, hidden, 0.01 * hidden)
    attention = scorer.attention
    energies = []
    for state in states:
        inner = attention.query.weight @ hidden + attention.query.bias + attention.key.weight @ state
        energies.append(attention.energy.weight[0] @ torch.tanh(inner))
    weights = [energy.exp() / sum(other.exp() for other in energies) for energy in energies]
    context = sum(weight * state for weight, state in zip(weights, states, strict=True))
    return scorer.output.weight @ torch.cat([hidden, context]) + scorer.output.bias


def test_logits_follow_the_equations() -> None:
    scorer = BinaryRelevanceScorer(num_labels=3, width=4, hidden_size=5, layers=2).double().eval()
    mask = torch.tensor([[True, True, True], [True, True, False]])
    states, pooled = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    expected = [by_equations(scorer, states[row, mask[row]], pooled[row]) for row in range(2)]
    torch.testing.assert_close(scorer(Encoding(states, mask, pooled)), torch.stack(expected))


def test_without_attention_the_states_are_not_looked_at() -> None:
    scorer = BinaryRelevanceScorer(num_labels=3, width=4, hidden_size=5, attention=False).eval()
    mask, pooled = torch.ones(2, 3, dtype=torch.bool), torch.randn(2, 4)
    first, second = (scorer(Encoding(torch.randn(2, 3, 4), mask, pooled)) for _ in range(2))
    assert torch.equal(first, second)


def test_the_prior_bias_gives_each_label_its_frequency() -> None:
    statistics = LabelStatistics.from_targets([[1, 0, 1]] * 30 + [[1, 0, 0]] * 70)
    scorer = BinaryRelevanceScorer(num_labels=3, width=4, prior_bias=True, statistics=statistics, extra_logits=1)
    assert torch.sigmoid(scorer.output.bias[:3]).tolist() == pytest.approx([1.0, 0.0, 0.3], abs=0.01)
    assert scorer.output.bias[3] == 0
    assert scorer.output.bias.isfinite().all()


def test_what_cannot_be_built_is_explained() -> None:
    with pytest.raises(ConfigurationError, match="prior_bias needs the label statistics"):
        build("scorer", {"name": "binary_relevance", "prior_bias": True}, num_labels=3, width=4)
    with pytest.raises(ConfigurationError, match="'layers' parameter must be at least 1, got 0"):
        build("scorer", {"name": "binary_relevance", "layers": 0}, num_labels=3, width=4)
