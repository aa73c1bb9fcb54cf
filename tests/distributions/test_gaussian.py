"""Normal distributions on an axis against scipy's densities and loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from multihot.components import build
from multihot.distributions import GaussianDistribution, gaussian
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace

AXIS = torch.tensor([0.0, 1.0, 2.5, 4.0, 7.0, 11.0], dtype=torch.float64)
VALUES = torch.tensor([0.0, 3.3, 10.9, 11.0], dtype=torch.float64)


def by_scipy(values: torch.Tensor, axis: torch.Tensor, sigma: np.ndarray) -> torch.Tensor:
    rows = [norm.pdf(axis.numpy(), value, spread) for value, spread in zip(values.numpy(), sigma, strict=True)]
    return torch.from_numpy(np.stack([row / row.sum() for row in rows]))


def assert_exact(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 25.0])
def test_one_spread_for_all_is_scipys_density(sigma: float) -> None:
    assert_exact(gaussian(VALUES, AXIS, sigma), by_scipy(VALUES, AXIS, np.full(4, sigma)))


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_spread_an_instance_is_scipys_density(shape: tuple[int, ...]) -> None:
    sigma = torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64)
    assert_exact(gaussian(VALUES, AXIS, sigma.reshape(shape)), by_scipy(VALUES, AXIS, sigma.numpy()))


@pytest.mark.parametrize("shape", [(6,), (1, 6)])
def test_one_spread_a_label_is_that_of_where_the_value_stands(shape: tuple[int, ...]) -> None:
    sigma = torch.tensor([0.5, 1.0, 2.0, 4.0, 3.0, 0.7], dtype=torch.float64)
    expected = by_scipy(VALUES, AXIS, np.interp(VALUES.numpy(), AXIS.numpy(), sigma.numpy()))
    assert_exact(gaussian(VALUES, AXIS, sigma.reshape(shape)), expected)
    shuffled = torch.tensor([3, 0, 5, 1, 4, 2])
    assert_exact(gaussian(VALUES, AXIS[shuffled], sigma[shuffled].reshape(shape)), expected[:, shuffled])


def test_a_vector_is_read_per_instance_where_there_are_as_many_instances_as_labels() -> None:
    values, sigma = AXIS.flip(0), torch.arange(1.0, 7.0, dtype=torch.float64)
    assert_exact(gaussian(values, AXIS, sigma), by_scipy(values, AXIS, sigma.numpy()))
    assert_exact(gaussian(values, AXIS, sigma[None]), by_scipy(values, AXIS, sigma.flip(0).numpy()))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8, unique=True),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.floats(1e-3, 1e6),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_rows_are_distributions_whose_mode_is_nearest(places: list[float], shares: list[float], sigma: float, kind: torch.dtype) -> None:
    axis = torch.tensor(places, dtype=kind)
    values = axis.min() + torch.tensor(shares, dtype=kind) * (axis.max() - axis.min())
    values = values.clamp(axis.min(), axis.max())
    rows = gaussian(values, axis, sigma)
    assert rows.dtype == kind
    assert (rows >= 0).all()
    torch.testing.assert_close(rows.sum(-1), torch.ones(len(values), dtype=kind))
    nearest = (axis - values[:, None]).abs().argmin(-1, keepdim=True)
    assert (rows.gather(1, nearest) >= rows - 1e-6).all()


def test_a_value_in_the_middle_is_the_expectation_and_a_wide_spread_is_uniform() -> None:
    axis = torch.arange(101, dtype=torch.float64)
    row = gaussian(torch.tensor([50.25], dtype=torch.float64), axis, 3.0)[0]
    assert float(row @ axis) == pytest.approx(50.25, abs=1e-9)
    assert float((row * (axis - 50.25) ** 2).sum().sqrt()) == pytest.approx(3.0, abs=1e-9)
    torch.testing.assert_close(gaussian([5.0], axis, 1e9)[0], torch.full((101,), 1 / 101, dtype=torch.float64))


def test_lists_and_whole_numbers_are_read_in_full_precision() -> None:
    assert_exact(gaussian([3], AXIS, 0.1), by_scipy(torch.tensor([3.0]), AXIS, np.array([0.1])))
    assert gaussian(torch.tensor([1]), torch.arange(3), 1).dtype == torch.float32
    assert gaussian(torch.tensor([1.0]).half(), torch.arange(3), 1).dtype == torch.float32


def test_the_spread_can_be_learned() -> None:
    for shape in ((), (3,), (1, 6)):
        sigma = torch.rand(shape, dtype=torch.float64) + 0.5
        assert torch.autograd.gradcheck(lambda s: gaussian(VALUES[:3], AXIS, s), sigma.requires_grad_())


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(DataError, match=r"gaussian: sigma is 0; a spread must be a finite number above 0"):
        gaussian(VALUES, AXIS, 0)
    with pytest.raises(DataError, match=r"gaussian: sigma at 2 is -1; a spread must"):
        gaussian(VALUES, AXIS, torch.tensor([1.0, 1.0, -1.0, float("nan")]))
    with pytest.raises(DataError, match=r"gaussian: values: row 1 is 12, off the axis, whose labels go from 0 to 11; mend"):
        gaussian([1.0, 12.0], AXIS, 1)
    with pytest.raises(DataError, match=r"row 0 is nan, off the axis"):
        gaussian([float("nan")], AXIS, 1)
    with pytest.raises(ValueError, match=r"sigma has shape \(5,\); give a number, \(4,\) for one an instance, or \(1, 6\) for one a label"):
        gaussian(VALUES, AXIS, torch.ones(5))
    with pytest.raises(ValueError, match=r"values must be \(B,\) and axis \(L,\), got \(4, 1\) and \(6,\)"):
        gaussian(VALUES[:, None], AXIS, 1)


SPACE = LabelSpace(["0", "1", "2.5", "4", "7", "11"])
TARGETS = torch.eye(6, dtype=torch.float64)


def test_the_class_puts_a_label_at_its_position() -> None:
    distribution = build("distribution", {"name": "gaussian", "sigma": 2}, label_space=SPACE, num_labels=6, statistics=None)
    assert_exact(distribution(TARGETS), gaussian(AXIS, AXIS, 2))
    several = GaussianDistribution(SPACE, sigma=[1, 2, 3, 4, 5, 6])
    assert_exact(several(TARGETS), by_scipy(AXIS, AXIS, np.arange(1.0, 7.0)))
    assert_exact(GaussianDistribution(SPACE)(TARGETS), gaussian(AXIS, AXIS, 1.5))  # 1, 1, 1.5, 1.5, 3, 4 to the nearest: median 1.5


def test_the_class_puts_a_distribution_at_its_expectation() -> None:
    votes = torch.tensor([[0.5, 0.5, 0, 0, 0, 0], [0, 0, 0, 0.25, 0.75, 0]], dtype=torch.float64)
    assert_exact(GaussianDistribution(SPACE, sigma=2)(votes), gaussian(votes @ AXIS, AXIS, 2))
    spread = torch.tensor([0.5, (0.25 * 2.25**2 + 0.75 * 0.75**2) ** 0.5], dtype=torch.float64)
    assert_exact(GaussianDistribution(SPACE, sigma="targets", least_sigma=0.1)(votes), gaussian(votes @ AXIS, AXIS, spread))
    assert_exact(GaussianDistribution(SPACE, sigma="targets", least_sigma=3)(votes), gaussian(votes @ AXIS, AXIS, 3))


def test_the_class_makes_a_row_without_a_label_uniform_and_refuses_a_label_set() -> None:
    distribution = GaussianDistribution(SPACE, sigma=2)
    torch.testing.assert_close(distribution(torch.zeros(1, 6)), torch.full((1, 6), 1 / 6))
    with pytest.raises(DataError, match=r"gaussian: targets: row 1 sums to 2; give each row one label or a distribution"):
        distribution(torch.tensor([[1.0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]]))
    with pytest.raises(DataError, match=r"gaussian: targets: row 0, label 1 is -0.5; give degrees in \[0, 1\]"):
        distribution(torch.tensor([[1.0, -0.5, 0.5, 0, 0, 0]]))


def test_settings_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"distribution 'gaussian': the 'sigma' parameter must be a finite number above 0, got -2"):
        build("distribution", {"name": "gaussian", "sigma": -2}, label_space=SPACE)
    with pytest.raises(ValueError, match="must be one number or one a label: 6, got 2"):
        GaussianDistribution(SPACE, sigma=[1, 2])
    with pytest.raises(ValueError, match="the 'sigma' parameter must be a finite number above 0, got 'target'"):
        GaussianDistribution(SPACE, sigma="target")
    with pytest.raises(ValueError, match="'least_sigma'"):
        GaussianDistribution(SPACE, sigma="targets", least_sigma=0)
    with pytest.raises(
        ConfigurationError, match=r"the labels \('cat', 'dog', \.\.\.\) have no such axis: it needs label names of a number"
    ):
        GaussianDistribution(LabelSpace(["cat", "dog"]))
    with pytest.raises(ConfigurationError, match=r"label '1' stands at the same place as another"):
        GaussianDistribution(LabelSpace(["0", "1", "1.0"]))
