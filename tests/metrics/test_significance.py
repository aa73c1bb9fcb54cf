"""Statistics against SciPy, scikit-learn and simulation."""

import itertools

import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.metrics import accuracy_score, f1_score, hamming_loss, jaccard_score, precision_score, recall_score

from multihot.errors import ConfigurationError, DataError
from multihot.metrics import evaluate
from multihot.metrics.counts import SetTable
from multihot.metrics.sets import SET_METRICS
from multihot.metrics.significance import (
    average_ranks,
    bootstrap_interval,
    bootstrap_intervals,
    friedman_test,
    nemenyi_difference,
    permutation_test,
    permutation_tests,
    spread,
)


def systems(rows=40, labels=5, seed=0, noise=(0.2, 0.3)):
    """Targets, and two systems that flip a share of the entries."""
    random = np.random.default_rng(seed)
    targets = random.random((rows, labels)) < 0.35
    return targets, *(targets ^ (random.random(targets.shape) < share) for share in noise)


SKLEARN = {
    "micro_precision": lambda y, c: precision_score(y, c, average="micro", zero_division=0),
    "micro_recall": lambda y, c: recall_score(y, c, average="micro", zero_division=0),
    "micro_f1": lambda y, c: f1_score(y, c, average="micro", zero_division=0),
    "macro_precision": lambda y, c: precision_score(y, c, average="macro", zero_division=0),
    "macro_recall": lambda y, c: recall_score(y, c, average="macro", zero_division=0),
    "macro_f1": lambda y, c: f1_score(y, c, average="macro", zero_division=0),
    "example_precision": lambda y, c: precision_score(y, c, average="samples", zero_division=0),
    "example_recall": lambda y, c: recall_score(y, c, average="samples", zero_division=0),
    "example_f1": lambda y, c: f1_score(y, c, average="samples", zero_division=0),
    "subset_accuracy": accuracy_score,
    "hamming_accuracy": lambda y, c: 1 - hamming_loss(y, c),
    "jaccard": lambda y, c: jaccard_score(y, c, average="samples", zero_division=0),
}


PLAIN = {  # as above, but quick enough to be called thousands of times
    "micro_f1": lambda y, c: 2 * (y & c).sum() / (y.sum() + c.sum()),
    "macro_f1": lambda y, c: np.mean(2 * (y & c).sum(axis=0) / np.maximum(y.sum(axis=0) + c.sum(axis=0), 1)),
    "example_f1": lambda y, c: np.mean(2 * (y & c).sum(axis=1) / np.maximum(y.sum(axis=1) + c.sum(axis=1), 1)),
}


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_every_measure_of_a_draw_is_that_of_the_drawn_instances(form):
    targets, chosen, _ = systems()
    rows = np.random.default_rng(1).integers(0, len(targets), len(targets))
    weights = np.bincount(rows, minlength=len(targets))[None].astype(float)
    sums = SetTable.from_label_sets(form(targets), form(chosen)).sums(weights)
    for name, measure in ((metric.name, metric.from_sums) for metric in SET_METRICS):
        assert measure(sums)[0] == pytest.approx(evaluate(targets[rows], chosen[rows])[name], abs=1e-12), name
        if name in SKLEARN:
            assert measure(sums)[0] == pytest.approx(SKLEARN[name](targets[rows], chosen[rows]), abs=1e-12), name


@pytest.mark.parametrize("measure", ["micro_f1", "macro_f1", "example_f1"])
def test_intervals_agree_with_scipy(measure):
    targets, chosen, _ = systems(rows=150)

    def statistic(rows):
        return PLAIN[measure](targets[rows], chosen[rows])

    theirs = stats.bootstrap((np.arange(150),), statistic, n_resamples=2000, method="percentile", vectorized=False, rng=0)
    ours = bootstrap_interval(targets, chosen, measure, samples=20_000, seed=1)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.15 * (ours[1] - ours[0]))


def test_intervals_cover_the_true_value_at_their_level():
    covered = 0
    for seed in range(300):  # every entry is right with probability 0.8: Hamming accuracy is 0.8 in the long run
        targets, chosen, _ = systems(rows=60, labels=4, seed=seed)
        low, high = bootstrap_interval(targets, chosen, "hamming_accuracy", samples=400, level=0.9, seed=seed)
        covered += low <= 0.8 <= high
    assert abs(covered / 300 - 0.9) < 3 * np.sqrt(0.9 * 0.1 / 300) + 0.01  # the percentile interval is a little short


def test_several_seeds_share_the_draws_and_average():
    targets, first, second = systems(rows=80)
    both = bootstrap_intervals(targets, [first, second], ["subset_accuracy", "hamming_accuracy"], samples=3000)
    right = (targets == first).mean(axis=1) / 2 + (targets == second).mean(axis=1) / 2
    theirs = stats.bootstrap((right,), np.mean, n_resamples=3000, method="percentile", rng=0).confidence_interval
    assert both["hamming_accuracy"] == pytest.approx(tuple(theirs), abs=0.006)
    assert bootstrap_intervals(targets, [first, first]) == bootstrap_intervals(targets, first)


@pytest.mark.parametrize("measure", ["micro_f1", "macro_f1_harmonic", "jaccard"])
def test_exact_p_values_are_those_of_every_swap(measure):
    targets, a, b = systems(rows=9, labels=3, noise=(0.1, 0.35))
    observed = evaluate(targets, a)[measure] - evaluate(targets, b)[measure]
    extreme = []
    for swap in itertools.product([False, True], repeat=9):
        mask = np.array(swap)[:, None]
        difference = evaluate(targets, np.where(mask, b, a))[measure] - evaluate(targets, np.where(mask, a, b))[measure]
        extreme.append(abs(difference) >= abs(observed) - 1e-12)
    assert permutation_test(targets, a, b, measure) == pytest.approx(np.mean(extreme))


@pytest.mark.parametrize("measure", ["micro_f1", "macro_f1"])
def test_drawn_p_values_agree_with_scipy(measure):
    targets, a, b = systems(rows=60, noise=(0.22, 0.27), seed=3)
    rows = np.arange(60)

    def statistic(x, y):  # an answer's number is its row, plus 60 where it is b's
        first, second = (np.where((which >= 60)[:, None], b[which % 60], a[which % 60]) for which in (x, y))
        return PLAIN[measure](targets, first) - PLAIN[measure](targets, second)

    theirs = stats.permutation_test((rows, rows + 60), statistic, permutation_type="samples", n_resamples=1500, vectorized=False, rng=0)
    assert permutation_test(targets, a, b, measure) == pytest.approx(theirs.pvalue, abs=0.05)


def test_the_paired_test_raises_false_alarms_at_its_level():
    p = []
    for seed in range(400):  # two systems of the same quality
        targets, a, b = systems(rows=50, labels=4, seed=seed, noise=(0.25, 0.25))
        p.append(
            [permutation_tests(targets, a, b, ["micro_f1", "macro_f1"], samples=199, seed=seed)[name] for name in ("micro_f1", "macro_f1")]
        )
    for level in (0.05, 0.2):
        alarms = (np.array(p) <= level).mean(axis=0)
        assert (np.abs(alarms - level) < 3.5 * np.sqrt(level * (1 - level) / 400)).all(), alarms


def test_a_real_difference_is_found_and_none_is_not():
    targets, good, bad = systems(rows=200, noise=(0.1, 0.3))
    assert max(permutation_tests(targets, good, bad, samples=999).values()) == pytest.approx(1 / 1000)
    assert set(permutation_tests(targets, good, good).values()) == {1.0}


def test_seeds_are_tested_in_pairs():
    targets, a, b = systems(rows=8, labels=3, noise=(0.1, 0.4))
    assert permutation_test(targets, [a, a], [b, b]) == permutation_test(targets, a, b)
    with pytest.raises(DataError, match="got 2 and 1"):
        permutation_test(targets, [a, a], [b])


def test_draws_are_seeded_and_many_entries_are_drawn_in_parts():
    targets, a, _ = systems(rows=5000, labels=60)  # 838 draws fit in one part
    ours = bootstrap_intervals(targets, a, ["micro_f1"], samples=1500, seed=4)
    assert ours == bootstrap_intervals(sparse.csr_matrix(targets), sparse.csr_matrix(a), ["micro_f1"], samples=1500, seed=4)
    assert ours != bootstrap_intervals(targets, a, ["micro_f1"], samples=1500, seed=5)


def test_spread_is_scipys_t_interval():
    values = [0.71, 0.74, 0.69, 0.75]
    found = spread(values)
    theirs = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(theirs)
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    assert np.isnan(spread([0.7]).deviation)


def test_ranks():
    values = np.random.default_rng(0).random((6, 4))
    assert average_ranks(values) == pytest.approx(np.mean([stats.rankdata(-row) for row in values], axis=0))
    assert average_ranks(values, higher_is_better=False) == pytest.approx(5 - average_ranks(values))
    assert friedman_test(values) == pytest.approx(stats.friedmanchisquare(*values.T).pvalue)
    assert nemenyi_difference(2, 10) == pytest.approx(1.960 * np.sqrt(6 / 60), rel=1e-3)  # Demsar (2006), table 5a
    assert nemenyi_difference(10, 30) == pytest.approx(3.164 * np.sqrt(110 / 180), rel=1e-3)
    with pytest.raises(DataError, match="without gaps"):
        average_ranks([[0.1, np.nan]])


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        ({"measure": "micro_f2"}, ConfigurationError, "did you mean 'micro_f1'"),
        ({"samples": 0}, ConfigurationError, "at least 1"),
        ({"level": 1.0}, ConfigurationError, "between 0 and 1"),
        ({"chosen": [[1, 0, 0]]}, DataError, r"\(1, 3\)"),
        ({"targets": np.zeros((0, 2)), "chosen": np.zeros((0, 2))}, DataError, "0 rows"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments, error, word):
    given = {"targets": [[1, 0]], "chosen": [[1, 0]]} | arguments
    with pytest.raises(error, match=word) as caught:
        bootstrap_interval(**given)
    assert "\n" not in str(caught.value)
