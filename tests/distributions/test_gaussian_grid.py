"""Bivariate normal distributions over a grid of labels against scipy's densities."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from multihot.components import build
from multihot.distributions import GaussianGridDistribution, gaussian, gaussian_grid
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace

PITCH = torch.tensor([-30.0, -15.0, 0.0, 15.0, 30.0], dtype=torch.float64)
YAW = torch.tensor([-90.0, -45.0, 0.0, 60.0], dtype=torch.float64)
VALUES = torch.tensor([[0.0, 0.0], [-12.5, 33.0], [30.0, -90.0]], dtype=torch.float64)
COVARIANCES = torch.tensor([[[200.0, 60.0], [60.0, 900.0]], [[30.0, -10.0], [-10.0, 80.0]], [[5.0, 0.0], [0.0, 7.0]]], dtype=torch.float64)


def by_scipy(values: torch.Tensor, covariances: torch.Tensor) -> torch.Tensor:
    grid = np.stack(np.meshgrid(PITCH.numpy(), YAW.numpy(), indexing="ij"), axis=-1)
    rows = [multivariate_normal.logpdf(grid, v, c) for v, c in zip(values.numpy(), covariances.numpy(), strict=True)]
    return torch.from_numpy(np.stack([np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in rows]))


def assert_exact(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-11, atol=1e-15)


def test_a_covariance_an_instance_and_one_for_all_are_scipys_density() -> None:
    assert_exact(gaussian_grid(VALUES, (PITCH, YAW), COVARIANCES), by_scipy(VALUES, COVARIANCES))
    assert_exact(gaussian_grid(VALUES, (PITCH, YAW), COVARIANCES[0]), by_scipy(VALUES, COVARIANCES[[0, 0, 0]]))


def test_a_number_is_a_standard_deviation_and_makes_it_a_product_of_two() -> None:
    rows = gaussian_grid(VALUES, (PITCH, YAW), 15.0)
    assert_exact(rows, by_scipy(VALUES, torch.eye(2, dtype=torch.float64).repeat(3, 1, 1) * 225))
    assert_exact(rows, gaussian(VALUES[:, 0], PITCH, 15.0)[:, :, None] * gaussian(VALUES[:, 1], YAW, 15.0)[:, None])


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 1e4), st.floats(0.1, 1e4), st.floats(-0.99, 0.99), st.floats(-30, 30), st.floats(-90, 60))
def test_rows_are_distributions(first: float, second: float, correlation: float, pitch: float, yaw: float) -> None:
    shared = correlation * (first * second) ** 0.5
    rows = gaussian_grid(torch.tensor([[pitch, yaw]]), (PITCH, YAW), torch.tensor([[first, shared], [shared, second]], dtype=torch.float64))
    assert rows.shape == (1, 5, 4)
    assert (rows >= 0).all()
    assert float(rows.sum()) == pytest.approx(1, abs=1e-12)


def test_a_covariance_can_be_learned() -> None:
    root = torch.tensor([[3.0, 0.0], [1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    axes = (torch.arange(3.0, dtype=torch.float64), torch.arange(2.0, dtype=torch.float64))
    assert torch.autograd.gradcheck(lambda r: gaussian_grid([[0.5, 1.0]], axes, r @ r.mT), root)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(DataError, match=r"gaussian_grid: values: row 1 is 61, off axis 1, whose labels go from -90 to 60"):
        gaussian_grid([[0.0, 0.0], [0.0, 61.0]], (PITCH, YAW), 1.0)
    with pytest.raises(DataError, match=r"gaussian_grid: sigma is 0; a spread"):
        gaussian_grid(VALUES, (PITCH, YAW), 0.0)
    for wrong in ([[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.0, float("nan")]]):
        with pytest.raises(DataError, match=r"the covariance is .*must be finite, symmetric and positive definite"):
            gaussian_grid(VALUES, (PITCH, YAW), torch.tensor(wrong))
    with pytest.raises(DataError, match="the covariance of row 2 is"):
        gaussian_grid(VALUES, (PITCH, YAW), COVARIANCES * torch.tensor([1, 1, -1])[:, None, None])
    with pytest.raises(ValueError, match=r"covariance has shape \(2, 2, 2\); give a number, \(2, 2\) or \(3, 2, 2\)"):
        gaussian_grid(VALUES, (PITCH, YAW), COVARIANCES[:2])
    with pytest.raises(ValueError, match="axes must be two, got 1"):
        gaussian_grid(VALUES, (PITCH,), 1.0)
    with pytest.raises(ValueError, match=r"values must be \(B, 2\)"):
        gaussian_grid(VALUES[:, :1], (PITCH, YAW), 1.0)


NAMES = [f"{pitch:g},{yaw:g}" for pitch in PITCH.tolist() for yaw in YAW.tolist()]


def test_the_class_reads_the_grid_from_the_label_names() -> None:
    distribution = build("distribution", {"name": "gaussian_grid", "covariance": [[200, 60], [60, 900]]}, label_space=LabelSpace(NAMES))
    places = torch.cartesian_prod(PITCH, YAW)
    assert_exact(distribution(torch.eye(20, dtype=torch.float64)), gaussian_grid(places, (PITCH, YAW), COVARIANCES[0]).flatten(1))


def test_labels_that_do_not_fill_their_grid_share_the_mass_among_them() -> None:
    some = [0, 3, 7, 12, 18]
    distribution = GaussianGridDistribution(LabelSpace([NAMES[i] for i in some]), covariance=20)
    whole = gaussian_grid(torch.cartesian_prod(PITCH, YAW)[some], (PITCH, YAW), 20.0).flatten(1)[:, some]
    assert_exact(distribution(torch.eye(5, dtype=torch.float64)), whole / whole.sum(-1, keepdim=True))


def test_a_row_without_a_label_is_uniform_and_the_default_spread_is_the_grids_step() -> None:
    distribution = GaussianGridDistribution(LabelSpace(NAMES))
    assert float(distribution.covariance) == 15
    assert_exact(distribution(torch.zeros(1, 20, dtype=torch.float64)), torch.full((1, 20), 0.05, dtype=torch.float64))


def test_settings_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two numbers joined by a comma each"):
        GaussianGridDistribution(LabelSpace(["1", "2"]))
    with pytest.raises(
        ConfigurationError, match="distribution 'gaussian_grid': the 'covariance' parameter must be a finite number above 0"
    ):
        build("distribution", {"name": "gaussian_grid", "covariance": 0}, label_space=LabelSpace(NAMES))
    with pytest.raises(ValueError, match="two rows of two numbers"):
        GaussianGridDistribution(LabelSpace(NAMES), covariance=[1, 2])
    with pytest.raises(DataError, match="positive definite"):
        GaussianGridDistribution(LabelSpace(NAMES), covariance=[[1, 2], [2, 1]])
    with pytest.raises(DataError, match=r"gaussian_grid: targets: row 0 sums to 2"):
        GaussianGridDistribution(LabelSpace(NAMES))(torch.ones(1, 20) * 0.1)
