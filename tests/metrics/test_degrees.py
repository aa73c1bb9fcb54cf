"""The six measures of label distributions and the errors on an axis, against SciPy, scikit-learn and the definitions written out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats
from scipy.spatial import distance
from scipy.special import rel_entr
from sklearn.metrics import mean_absolute_error as sklearn_mean_absolute_error

from multihot import metrics
from multihot.errors import ConfigurationError, DataError
from multihot.metrics.axis_values import quantile
from multihot.metrics.label_distributions import each_instance


def distributions(rows: int, labels: int, seed: int, holes: bool = True) -> np.ndarray:
    random = np.random.default_rng(seed)
    made = random.dirichlet(np.ones(labels), rows)
    if holes:
        made[random.random(made.shape) < 0.3] = 0
        made[:, 0] += 1e-3
    return made / made.sum(axis=1, keepdims=True)


def by_definition(name: str, y: np.ndarray, p: np.ndarray) -> float:
    """One row, as in Geng, Label Distribution Learning (TKDE 2016), table 1; 0/0 is 0."""
    pairs = [(a, b) for a, b in zip(y.tolist(), p.tolist(), strict=True) if a + b > 0]
    if name == "chebyshev":
        return max(abs(a - b) for a, b in pairs)
    if name == "clark":
        return math.sqrt(sum((a - b) ** 2 / (a + b) ** 2 for a, b in pairs))
    if name == "canberra":
        return sum(abs(a - b) / (a + b) for a, b in pairs)
    if name == "kullback_leibler":
        return sum(a * math.log(a / b) for a, b in pairs if a > 0)
    if name == "cosine":
        return sum(a * b for a, b in pairs) / (math.sqrt(sum(a * a for a, _ in pairs)) * math.sqrt(sum(b * b for _, b in pairs)))
    return sum(min(a, b) for a, b in pairs)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_each_measure_is_the_mean_of_its_definition(seed: int, labels: int) -> None:
    y, p = distributions(6, labels, seed), distributions(6, labels, seed + 1, holes=False)
    for name in ("chebyshev", "clark", "canberra", "kullback_leibler", "cosine", "intersection"):
        expected = [by_definition(name, a, b) for a, b in zip(y, p, strict=True)]
        assert getattr(metrics, name)(y, p) == pytest.approx(np.mean(expected), rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(each_instance(y, p)[name], expected, rtol=1e-12, atol=1e-12)


def test_they_agree_with_scipy_in_any_form() -> None:
    y, p = distributions(20, 7, 0), distributions(20, 7, 1, holes=False)
    for form in (np.asarray, sparse.csr_matrix, torch.tensor):
        assert metrics.chebyshev(form(y), form(p)) == pytest.approx(np.mean([distance.chebyshev(a, b) for a, b in zip(y, p, strict=True)]))
        assert metrics.canberra(form(y), form(p)) == pytest.approx(np.mean([distance.canberra(a, b) for a, b in zip(y, p, strict=True)]))
        assert metrics.cosine(form(y), form(p)) == pytest.approx(np.mean([1 - distance.cosine(a, b) for a, b in zip(y, p, strict=True)]))
        assert metrics.kullback_leibler(form(y), form(p)) == pytest.approx(rel_entr(y, p).sum(axis=1).mean())


def test_the_best_and_the_worst() -> None:
    y = distributions(5, 4, 3)
    same = {name: values.mean() for name, values in each_instance(y, y).items()}
    assert [same[name] for name in ("chebyshev", "clark", "canberra", "kullback_leibler")] == pytest.approx([0, 0, 0, 0], abs=1e-12)
    assert [same["cosine"], same["intersection"]] == pytest.approx([1, 1])
    apart = each_instance([[1.0, 0.0, 0.0]], [[0.0, 0.5, 0.5]])
    assert [apart[name][0] for name in ("chebyshev", "cosine", "intersection", "canberra")] == [1, 0, 0, 3]
    assert 80 < apart["kullback_leibler"][0] < 90  # finite: a degree of 0 counts as the least that 32 bits hold


@pytest.mark.parametrize(
    ("targets", "degrees", "message"),
    [
        ([[0.5, 0.6]], [[0.5, 0.5]], "targets, row 0: sums to 1.1; the degrees of a label distribution must be at least 0 and sum to 1"),
        ([[0.5, 0.5], [1.0, 0.0]], [[0.5, 0.5], [1.5, -0.5]], "degrees, row 1: holds a degree that is negative or no number"),
        ([[0.5, 0.5]], [[float("nan"), 0.5]], "degrees, row 0: holds a degree that is negative or no number"),
        ([[0.5, 0.5]], [[0.5, 0.25, 0.25]], "degrees have shape (1, 3), but targets (1, 2)"),
    ],
)
def test_what_is_no_distribution_is_refused(targets, degrees, message: str) -> None:
    with pytest.raises(DataError) as error:
        metrics.clark(targets, degrees)
    assert message in str(error.value)


def test_expectation_mode_and_median_of_known_distributions() -> None:
    ages = np.arange(0, 101)
    normal = stats.norm.pdf(ages, 40, 3)[None] / stats.norm.pdf(ages, 40, 3).sum()
    for read in (metrics.expectation, metrics.mode, metrics.median):
        assert read(normal, ages)[0, 0] == pytest.approx(40)
    skewed = stats.binom.pmf(np.arange(11), 10, 0.2)[None]
    assert metrics.expectation(skewed, np.arange(11))[0, 0] == pytest.approx(stats.binom.mean(10, 0.2))
    for share in (0.05, 0.3, 0.5, 0.9):
        assert quantile(skewed, np.arange(11), share)[0, 0] == stats.binom.ppf(share, 10, 0.2)
    assert metrics.interval(skewed, np.arange(11), 0.8).tolist() == [list(stats.binom.ppf([0.1, 0.9], 10, 0.2))]
    assert metrics.mode([[0.4, 0.4, 0.2]], [3, 1, 2]).tolist() == [[3.0]]  # the first of ties


def test_an_interval_holds_its_mass_and_no_order_of_labels_matters() -> None:
    degrees, ages = distributions(30, 12, 5), np.arange(12) * 2.5
    ends = metrics.interval(degrees, ages, 0.8)
    inside = np.array([row[(ages >= low) & (ages <= high)].sum() for row, (low, high) in zip(degrees, ends, strict=True)])
    assert (inside >= 0.8 - 1e-9).all()
    order = np.random.default_rng(0).permutation(12)
    np.testing.assert_array_equal(metrics.interval(degrees[:, order], ages[order], 0.8), ends)
    np.testing.assert_allclose(metrics.expectation(degrees[:, order], ages[order]), metrics.expectation(degrees, ages))


def test_a_grid_of_two_axes() -> None:
    places = np.array([[-15.0, 0.0], [-15.0, 30.0], [0.0, 30.0]])
    degrees = [[0.25, 0.25, 0.5]]
    assert metrics.expectation(degrees, places).tolist() == [[-7.5, 22.5]]
    assert metrics.mode(degrees, places).tolist() == [[0.0, 30.0]]
    assert metrics.mean_absolute_error([[0.0, 0.0]], [[3.0, 4.0]]) == 5
    with pytest.raises(DataError, match="labels lie on 2 axes, and only one axis has quantiles"):
        metrics.median(degrees, places)


def test_errors_on_an_axis() -> None:
    random = np.random.default_rng(0)
    true, said, spreads = random.normal(30, 8, 50), random.normal(30, 8, 50), random.uniform(1, 5, 50)
    assert metrics.mean_absolute_error(true, said) == pytest.approx(sklearn_mean_absolute_error(true, said))
    within = [abs(a - b) <= 4 for a, b in zip(true, said, strict=True)]
    assert metrics.cumulative_score(true, said, theta=4) == pytest.approx(sum(within) / 50)
    ratios = [stats.norm.pdf(b, a, s) / stats.norm.pdf(a, a, s) for a, b, s in zip(true, said, spreads, strict=True)]
    assert metrics.epsilon_error(true, said, spreads) == pytest.approx(1 - np.mean(ratios))
    assert metrics.epsilon_error([20.0, 20.0], [20.0, 21.0], [0.0, 0.0]) == 0.5


def test_an_instance_whose_place_nobody_knows_does_not_count() -> None:
    assert metrics.mean_absolute_error([20.0, np.nan], [22.0, 99.0]) == 2
    assert metrics.cumulative_score([20.0, np.nan], [22.0, 99.0], theta=5) == 1
    assert math.isnan(metrics.mean_absolute_error([np.nan], [1.0]))


def test_bad_arguments_on_an_axis() -> None:
    with pytest.raises(DataError, match="values have shape \\(2,\\), but predicted \\(3,\\)"):
        metrics.mean_absolute_error([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="positions have shape \\(3, 1\\), but there are 2 labels"):
        metrics.expectation([[0.5, 0.5]], [1, 2, 3])
    with pytest.raises(DataError, match="spreads must be"):
        metrics.epsilon_error([1.0], [2.0], [-1.0])
    with pytest.raises(ConfigurationError, match="level must lie between 0 and 1, got 1"):
        metrics.interval([[0.5, 0.5]], [1, 2], 1)
