"""Regional scoring against its equations."""

import pytest
import torch

from multihot.components import build
from multihot.errors import ConfigurationError
from multihot.scorers import RegionalScorer
from multihot.types import Encoding


def test_logits_follow_the_equations() -> None:
    torch.manual_seed(0)
    scorer = RegionalScorer(num_labels=3, width=4, hidden_size=5, steps=3).double().eval()
    states, mask = torch.randn(2, 3, 4).double(), torch.tensor([[True, True, False], [True, True, True]])
    expected = torch.full((2, 3), -torch.inf, dtype=torch.float64)
    for row in range(2):
        for region in states[row, mask[row]]:
            hidden = cell = torch.zeros(1, 5, dtype=torch.float64)
            given = scorer.look(region[None])
            for _ in range(3):
                gates = given @ scorer.cell.weight_ih.T + scorer.cell.bias_ih + hidden @ scorer.cell.weight_hh.T + scorer.cell.bias_hh
                enter, forget, new, leave = gates.chunk(4, dim=1)
                cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
                hidden = torch.sigmoid(leave) * torch.tanh(cell)
                logits = scorer.output(hidden)
                expected[row] = torch.maximum(expected[row], logits[0])
                given = scorer.expect(torch.sigmoid(logits))
    torch.testing.assert_close(scorer(Encoding(states, mask, torch.zeros(2, 4).double())), expected)


def test_a_region_more_never_lowers_a_logit() -> None:
    torch.manual_seed(0)
    scorer = build("scorer", {"name": "regional", "steps": 1}, num_labels=3, width=4).eval()
    states = torch.randn(5, 4, 4)
    fewer = scorer(Encoding(states[:, :2], torch.ones(5, 2, dtype=torch.bool), torch.zeros(5, 4)))
    more = scorer(Encoding(states, torch.ones(5, 4, dtype=torch.bool), torch.zeros(5, 4)))
    assert (more >= fewer - 1e-6).all()  # products of another shape are added in another order on some processors
    assert (more > fewer).any()


def test_no_step_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'steps' parameter must be at least 1, got 0"):
        build("scorer", {"name": "regional", "steps": 0}, num_labels=3, width=4)
