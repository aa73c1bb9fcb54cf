"""Three levels, one-hot and smoothed targets against loops; and what every distribution promises to the loss."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from multihot.components import build, choices
from multihot.distributions import (
    OneHotDistribution,
    ThreeLevelsDistribution,
    UniformSmoothingDistribution,
    one_hot,
    three_levels,
    uniform_smoothing,
)
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace, LabelStatistics
from multihot.losses import label_distribution_loss

ROWS = st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=5)


def double(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([1, 0, -1]), min_size=4, max_size=4), min_size=1, max_size=5),
    st.tuples(st.floats(0.7, 5), st.floats(0.3, 0.6), st.floats(1e-6, 0.2)),
)
def test_three_levels_are_the_loop(levels: list[list[int]], probabilities: tuple[float, float, float]) -> None:
    by_level = dict(zip((1, 0, -1), probabilities, strict=True))
    expected = double([[by_level[level] / sum(by_level[other] for other in row) for level in row] for row in levels])
    rows = three_levels(double(levels), probabilities)
    torch.testing.assert_close(rows, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(rows.sum(-1), torch.ones(len(levels), dtype=torch.float64))
    as_targets = ThreeLevelsDistribution(probabilities)((double(levels) + 1) / 2)
    torch.testing.assert_close(as_targets, expected, rtol=1e-12, atol=0)


def test_three_levels_make_a_row_without_a_label_uniform_also_where_negatives_have_none() -> None:
    assert three_levels(torch.tensor([[-1, -1]]), (1, 0.5, 0)).tolist() == [[0.5, 0.5]]
    assert three_levels(torch.tensor([[0, -1]]), (1, 0.5, 0)).tolist() == [[1.0, 0.0]]


def test_three_levels_refuse_what_cannot_be_meant() -> None:
    with pytest.raises(DataError, match=r"three_levels: levels: row 0, label 1 is 2; give 1 for a positive, 0 for a difficult and -1"):
        three_levels(torch.tensor([[1, 2]]))
    with pytest.raises(DataError, match=r"three_levels: targets: row 1, label 0 is 0.3; give 1 for a positive, 0.5 for a difficult and 0"):
        ThreeLevelsDistribution()(double([[1, 0.5], [0.3, 0]]))
    for wrong in ((0.5, 0.5, 0.1), (1, 0.5, -0.1), (1, 0.5), (float("inf"), 1, 0)):
        with pytest.raises(ConfigurationError, match="three numbers p_P > p_D > p_N >= 0"):
            build("distribution", {"name": "three_levels", "probabilities": wrong})


@settings(max_examples=40, deadline=None)
@given(ROWS, st.floats(0, 1))
def test_smoothing_is_the_loop(rows: list[list[float]], epsilon: float) -> None:
    expected = double([[(1 - epsilon) * (y / sum(row) if sum(row) else 1 / 3) + epsilon / 3 for y in row] for row in rows])
    torch.testing.assert_close(uniform_smoothing(double(rows), epsilon), expected)
    torch.testing.assert_close(UniformSmoothingDistribution(epsilon)(double(rows)), expected)


def test_smoothing_is_that_of_torch() -> None:
    logits, classes = torch.randn(6, 5, dtype=torch.float64), torch.tensor([0, 4, 2, 2, 1, 3])
    smoothed = uniform_smoothing(F.one_hot(classes, 5), 0.3).double()
    cross_entropy = label_distribution_loss(logits, smoothed) - torch.special.xlogy(smoothed, smoothed).sum(-1)
    torch.testing.assert_close(cross_entropy, F.cross_entropy(logits, classes, label_smoothing=0.3, reduction="none"), rtol=1e-6, atol=1e-6)


def test_smoothing_refuses_what_cannot_be_meant() -> None:
    with pytest.raises(
        ConfigurationError, match=r"distribution 'label_smoothing': the 'epsilon' parameter must lie between 0 and 1, got 1\.5"
    ):
        build("distribution", {"name": "label_smoothing", "epsilon": 1.5})
    with pytest.raises(ValueError, match="'epsilon'"):
        uniform_smoothing(torch.zeros(1, 2), -0.1)
    with pytest.raises(DataError, match=r"uniform_smoothing: targets: row 0, label 0 is -1; give degrees in \[0, 1\]"):
        uniform_smoothing(torch.tensor([[-1.0, 1.0]]))


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_one_hot_is_the_mode_shared_where_several_are_highest(rows: list[list[float]]) -> None:
    expected = double([[(y == max(row)) / row.count(max(row)) for y in row] for row in rows])
    assert torch.equal(one_hot(double(rows)), expected)
    assert torch.equal(OneHotDistribution()(double(rows)), expected)


def test_one_hot_refuses_what_cannot_be_meant() -> None:
    with pytest.raises(DataError, match=r"one_hot: targets: row 0, label 1 is nan"):
        one_hot(torch.tensor([[1.0, float("nan")]]))


STATISTICS = LabelStatistics.from_targets([[1, 0, 0], [1, 1, 0], [0, 1, 1]])
SURROUNDINGS = {"statistics": STATISTICS, "num_labels": 3}
CONFIGURATIONS = [
    ({"name": "gaussian"}, ["0", "1", "2"]),
    ({"name": "gaussian_grid"}, ["0,0", "0,1", "1,0"]),
    ({"name": "mixture", "sigma": 1}, ["0", "1", "2"]),
    ({"name": "mixture", "sigma": 1, "positions": "co_occurrence"}, ["a", "b", "c"]),
    ({"name": "one_hot"}, ["a", "b", "c"]),
    ({"name": "three_levels"}, ["a", "b", "c"]),
    ({"name": "uniform_smoothing"}, ["a", "b", "c"]),
]


@pytest.mark.parametrize(("config", "names"), CONFIGURATIONS, ids=lambda value: "-".join(map(str, value)))
def test_every_distribution_sums_to_one_and_the_divergence_from_it_has_the_right_gradient(config: dict, names: list[str]) -> None:
    distribution = build("distribution", config, label_space=LabelSpace(names), **SURROUNDINGS)
    targets = torch.cat([torch.eye(3), torch.zeros(1, 3)])
    for kind in (torch.float32, torch.float64):
        soft = distribution(targets.to(kind))
        assert soft.dtype == kind
        torch.testing.assert_close(soft.sum(-1), torch.ones(4, dtype=kind))
        torch.testing.assert_close(soft[3], torch.full((3,), 1 / 3, dtype=kind))
    logits = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: label_distribution_loss(s, soft), logits)


def test_the_list_above_is_of_all_distributions_over_labels() -> None:
    assert {config["name"] for config, _ in CONFIGURATIONS} | {"smooth_mask"} == set(choices("distribution"))
