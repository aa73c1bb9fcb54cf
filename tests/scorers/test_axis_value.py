"""The scorer that gives one number: its distribution has that number as its expectation."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from multihot.components import build
from multihot.errors import ConfigurationError
from multihot.labels import LabelSpace, LabelStatistics
from multihot.scorers import AxisValueScorer
from multihot.types import Encoding

NAMES = ["40", "10", "20", "25"]
POSITIONS = torch.tensor([40.0, 10.0, 20.0, 25.0])


def encoding(rows: int = 64, width: int = 6) -> Encoding:
    pooled = torch.randn(rows, width, generator=torch.Generator().manual_seed(0))
    return Encoding(pooled[:, None], torch.ones(rows, 1, dtype=torch.bool), pooled)


def make(**arguments: object) -> AxisValueScorer:
    torch.manual_seed(0)
    return build("scorer", {"name": "axis_value", **arguments}, label_space=LabelSpace(NAMES), width=6, statistics=None).eval()


@settings(max_examples=60, deadline=None)
@given(st.floats(-20, 90, width=32))
def test_the_expectation_is_the_value_and_only_the_labels_beside_it_have_mass(value: float) -> None:
    scorer = make(layers=0)
    torch.nn.init.zeros_(scorer.output.weight)
    torch.nn.init.constant_(scorer.output.bias, (value - float(scorer.mean)) / float(scorer.spread))
    degrees = scorer(encoding(1)).softmax(-1)[0].detach()
    inside = min(max(value, 10.0), 40.0)
    assert float(degrees @ POSITIONS) == pytest.approx(inside, abs=1e-4)
    carriers = POSITIONS[degrees > 1e-5]
    ordered = POSITIONS.sort().values
    below, above = ordered[ordered <= inside + 1e-3].max(), ordered[ordered >= inside - 1e-3].min()
    assert ((carriers >= below) & (carriers <= above)).all()


def test_it_starts_near_the_mean_of_the_training_labels() -> None:
    statistics = LabelStatistics.from_targets([[0, 1, 0, 0]] * 3 + [[0, 0, 1, 0]])
    scorer = AxisValueScorer(LabelSpace(NAMES), width=6, statistics=statistics)
    assert float(scorer.mean) == pytest.approx(12.5)
    assert float(scorer.spread) == pytest.approx((3 / 4 * 2.5**2 + 1 / 4 * 7.5**2) ** 0.5)
    assert float(make().mean) == pytest.approx(23.75)


def test_an_instance_is_scored_alike_in_any_company_and_in_any_precision() -> None:
    scorer, given_rows = make(hidden_size=16), encoding()
    alone = torch.cat([scorer(given_rows.select(torch.tensor([row]))) for row in range(64)])
    torch.testing.assert_close(alone, scorer(given_rows))
    with torch.autocast("cpu", torch.bfloat16):
        near = scorer.value(given_rows)
    assert near.dtype == torch.float32
    torch.testing.assert_close(near, scorer.value(given_rows), rtol=0.02, atol=0.1)
    assert scorer.double().value(Encoding(given_rows.states, given_rows.mask, given_rows.pooled.double())).dtype == torch.float64


def test_one_label_takes_all_mass_and_every_parameter_learns() -> None:
    assert AxisValueScorer(LabelSpace(["5"]), width=6)(encoding(3)).softmax(-1).tolist() == [[1.0]] * 3
    scorer = make(hidden_size=8, layers=2)
    scorer.value(encoding()).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() and p.grad.any() for p in scorer.parameters())


def test_labels_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"scorer 'axis_value': the labels \('a', 'b', \.\.\.\) are no numbers"):
        build("scorer", "axis_value", label_space=LabelSpace(["a", "b"]), width=6)
    with pytest.raises(ConfigurationError, match="two labels stand for the same number"):
        AxisValueScorer(LabelSpace(["1", "1.0"]), width=6)
    with pytest.raises(ConfigurationError, match="'layers' parameter must be at least 0, got -1"):
        build("scorer", {"name": "axis_value", "layers": -1}, label_space=LabelSpace(["1", "2"]), width=6)
