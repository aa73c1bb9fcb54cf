"""Mixtures over an axis or an embedding against loops."""

from math import exp
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from multihot.components import build
from multihot.distributions import MixtureDistribution, co_occurrence_positions, gaussian, mixture
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace, LabelStatistics

POSITIONS = [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]
SIGMA = [0.5, 1.0, 2.0, 0.7]
TARGETS = [[1.0, 0.0, 1.0, 0.0], [0.2, 0.3, 0.0, 0.5], [0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]


def by_loops(targets: list[list[float]], positions: list[list[float]], sigma: list[float]) -> torch.Tensor:
    labels, rows = range(len(positions)), []
    for row in targets:
        mixed = [0.0 for _ in labels]
        for k in labels:
            densities = [
                exp(-sum((a - b) ** 2 for a, b in zip(positions[k], other, strict=True)) / (2 * sigma[k] ** 2)) for other in positions
            ]
            for j in labels:
                mixed[j] += row[k] / sum(row) * densities[j] / sum(densities)
        rows.append(mixed)
    return torch.tensor(rows, dtype=torch.float64)


def double(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_it_is_the_sum_of_loops() -> None:
    torch.testing.assert_close(mixture(double(TARGETS), POSITIONS, double(SIGMA)), by_loops(TARGETS, POSITIONS, SIGMA), rtol=1e-12, atol=0)
    torch.testing.assert_close(mixture(double(TARGETS), POSITIONS, 0.8), by_loops(TARGETS, POSITIONS, [0.8] * 4), rtol=1e-12, atol=0)


def test_one_label_on_an_axis_is_the_normal_distribution() -> None:
    axis = torch.arange(9, dtype=torch.float64)
    torch.testing.assert_close(mixture(torch.eye(9, dtype=torch.float64), axis, 1.5), gaussian(axis, axis, 1.5), rtol=1e-12, atol=0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=4), st.floats(0.3, 100))
def test_rows_are_distributions_without_a_zero(rows: list[list[float]], sigma: float) -> None:
    mixed = mixture(double(rows), POSITIONS, sigma)
    torch.testing.assert_close(mixed.sum(-1), torch.ones(len(rows), dtype=torch.float64))
    assert (mixed > 0).all()


def test_an_empty_row_is_uniform_and_the_spread_can_be_learned() -> None:
    assert mixture(torch.zeros(1, 4), POSITIONS, 1.0).tolist() == [[0.25] * 4]
    sigma = double(SIGMA).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: mixture(double(TARGETS), double(POSITIONS), s), sigma)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(DataError, match="mixture: sigma at 1 is 0; a spread"):
        mixture(double(TARGETS), POSITIONS, [1.0, 0.0, 1.0, 1.0])
    with pytest.raises(DataError, match=r"mixture: targets: row 0, label 1 is 2; give degrees in \[0, 1\]"):
        mixture(double([[0, 2.0, 0, 0]]), POSITIONS, 1.0)
    with pytest.raises(ValueError, match=r"for 4 labels, positions must be \(4, d\) and sigma a number or \(4,\), got \(3, 2\)"):
        mixture(double(TARGETS), POSITIONS[:3], 1.0)
    with pytest.raises(ValueError, match=r"targets must be a tensor of shape \(instances, labels\), got Tensor of shape \(4,\)"):
        mixture(double(SIGMA), POSITIONS, 1.0)


def test_vectors_from_co_occurrence_keep_the_cosines_of_the_labels_columns() -> None:
    targets = (np.random.default_rng(0).random((60, 5)) < [0.5, 0.3, 0.6, 0.2, 0.0]).astype(float)
    positions = co_occurrence_positions(LabelStatistics.from_targets(targets))
    columns = targets[:, :4] / np.linalg.norm(targets[:, :4], axis=0)
    expected = np.eye(5)
    expected[:4, :4] = columns.T @ columns
    np.testing.assert_allclose(positions @ positions.T, expected, atol=1e-12)
    two = co_occurrence_positions(LabelStatistics.from_targets(targets), dimensions=2)
    values, vectors = np.linalg.eigh(expected)
    np.testing.assert_allclose(two @ two.T, (vectors[:, -2:] * values[-2:]) @ vectors[:, -2:].T, atol=1e-12)
    with pytest.raises(ValueError, match="'dimensions' parameter must be at least 1, got 0"):
        co_occurrence_positions(LabelStatistics.from_targets(targets), dimensions=0)


SPACE = LabelSpace(["a", "b", "c", "d"])


def test_the_class_takes_positions_from_where_it_is_told(tmp_path: Path) -> None:
    expected = mixture(double(TARGETS), POSITIONS, 0.8)
    rows = [f"{name},{x},{y}" for name, (x, y) in zip("dcba", POSITIONS[::-1], strict=True)]
    (tmp_path / "vectors.csv").write_text("\n".join(["label,x,y", *rows, "other,9,9"]) + "\n")
    np.save(tmp_path / "vectors.npy", np.asarray(POSITIONS))
    for positions in (POSITIONS, str(tmp_path / "vectors.csv"), str(tmp_path / "vectors.npy")):
        distribution = build("distribution", {"name": "mixture", "sigma": 0.8, "positions": positions}, label_space=SPACE)
        torch.testing.assert_close(distribution(double(TARGETS)), expected, rtol=1e-12, atol=0)
    axis = MixtureDistribution(LabelSpace(["0,0", "1,0", "0,2", "3,3"]), sigma=SIGMA)
    torch.testing.assert_close(axis(double(TARGETS)), mixture(double(TARGETS), POSITIONS, double(SIGMA)), rtol=1e-12, atol=0)


def test_the_class_reads_co_occurrence_from_the_statistics() -> None:
    statistics = LabelStatistics.from_targets([[1, 1, 0, 0]] * 3 + [[1, 0, 0, 0], [0, 0, 1, 1]])
    distribution = build(
        "distribution", {"name": "mixture", "sigma": 0.5, "positions": "co_occurrence"}, label_space=SPACE, statistics=statistics
    )
    row = distribution(torch.tensor([[1.0, 0, 0, 0]]))[0]
    assert row[0] > row[1] > row[2]
    assert float(row[2]) == pytest.approx(float(row[3]))
    with pytest.raises(ValueError, match="needs the label statistics of the training split"):
        MixtureDistribution(SPACE, sigma=1, positions="co_occurrence")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,1\nb,2\nc,3\n", "has no row for the label 'd'"),
        ("a,1\nb,2\nc,3\nd,x\n", "line 4: could not convert string to float: 'x'; give the label's name and then numbers"),
        ("a,1\nb,2\nc,3\nd,4,5\n", r"has rows of \[1, 2\] numbers; give as many for every label"),
        ("a,1\nb,2\nc,3\nd,nan\n", "needed are 4 rows of finite numbers"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "vectors.csv").write_text(content)
    with pytest.raises(ConfigurationError, match=said):
        MixtureDistribution(SPACE, sigma=1, positions=str(tmp_path / "vectors.csv"))


def test_settings_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no file nowhere\.csv; give a file, 'axis', 'co_occurrence' or a matrix"):
        MixtureDistribution(SPACE, sigma=1, positions="nowhere.csv")
    (tmp_path / "broken.npy").write_bytes(b"no array")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        MixtureDistribution(SPACE, sigma=1, positions=str(tmp_path / "broken.npy"))
    with pytest.raises(ConfigurationError, match="have no such axis"):
        MixtureDistribution(SPACE, sigma=1)
    with pytest.raises(ConfigurationError, match="distribution 'mixture' needs sigma, which nothing supplied"):
        build("distribution", "mixture", label_space=SPACE)
    with pytest.raises(ConfigurationError, match="'sigma' parameter must be a finite number above 0, got 0"):
        build("distribution", {"name": "mixture", "sigma": 0, "positions": POSITIONS}, label_space=SPACE)
