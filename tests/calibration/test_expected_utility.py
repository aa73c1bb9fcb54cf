"""The label set with the highest expected utility, against the formula by enumeration and against a table of all pairs."""

import json

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from multihot.calibration import ExpectedUtilityDecision, SubsetCorrectionDecision
from multihot.calibration.expected_utility import MEASURES, WEIGHTS
from multihot.errors import ConfigurationError
from multihot.labels import LabelStatistics
from multihot.method import Method
from multihot.metrics import evaluate


def problem(seed, rows=60, labels=6, patterns=8, empty=False):
    """Label sets of training rows, logits and targets of other rows."""
    draw = np.random.default_rng(seed)
    sets = draw.random((patterns, labels)) < 0.4
    sets[np.arange(patterns), draw.integers(labels, size=patterns)] = True
    sets[0] &= not empty
    train, targets = sets[draw.integers(patterns, size=100) * draw.integers(2, size=100)], sets[draw.integers(patterns, size=rows)]
    scores = (draw.normal(size=targets.shape) + 1.5 * targets - 0.9).astype(np.float32)
    return LabelStatistics.from_targets(train), scores, targets


def probability(statistics, logits, weight):
    """The formula as it stands, with the products of independent labels written out, normalised over the label sets of training."""
    sets = statistics.sets.toarray()
    present = (statistics.counts + 0.5) / (statistics.num_examples + 1)

    def independent(p):
        return np.where(sets, p, 1 - p).prod(axis=1)

    share = statistics.multiplicity / statistics.num_examples
    found = independent(expit(logits.astype(np.float64))) * (share / independent(present)) ** weight
    return found / found.sum()


def utility(measure, one, other):
    if measure == "subset_accuracy":
        return float((one == other).all())
    both = one.sum() + other.sum()
    return 2 * (one & other).sum() / both if both else 0.0


def expected(statistics, logits, weight, measure):
    """The expected utility of every label set of training."""
    sets = statistics.sets.toarray()
    table = np.array([[utility(measure, true, chosen) for chosen in sets] for true in sets])
    return probability(statistics, logits, weight) @ table


@pytest.mark.parametrize("empty", [False, True])
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("seed", "weight"), [(0, 0.0), (1, 0.3), (2, 1.0), (3, 2.0)])
def test_no_other_label_set_of_training_has_a_higher_expected_utility(seed, weight, measure, empty):
    statistics, scores, _ = problem(seed, empty=empty)
    decision = ExpectedUtilityDecision(statistics, measure, weight)
    chosen = decision(scores)
    sets = statistics.sets.toarray()
    for row, logits in zip(chosen, scores, strict=True):
        values = expected(statistics, logits, weight, measure)
        assert values[(sets == row).all(axis=1).argmax()] == pytest.approx(values.max(), abs=1e-12)
        assert (sets == row).all(axis=1).any()
    assert (decision(sparse.csr_matrix(scores)).toarray() == chosen).all()


def test_many_label_sets_agree_with_a_table_of_all_pairs():
    draw = np.random.default_rng(0)
    statistics = LabelStatistics.from_targets(draw.random((1000, 40)) < 0.1)
    scores = draw.normal(-2, 2, (8, 40))
    sets = statistics.sets.toarray().astype(np.float64)
    sizes = sets.sum(axis=1)
    f1 = 2 * sets @ sets.T / np.maximum(sizes[:, None] + sizes, 1)
    chosen = ExpectedUtilityDecision(statistics, weight=0.5)(scores)
    for row, logits in zip(chosen, scores, strict=True):
        values = probability(statistics, logits, 0.5) @ f1
        assert values[(sets == row).all(axis=1).argmax()] == pytest.approx(values.max(), rel=1e-9)


def test_the_most_probable_label_set_is_a_subset_correction():
    statistics, scores, _ = problem(4)
    nearest = SubsetCorrectionDecision(statistics, offset=0.0, weight=0.0, penalty=np.inf)
    assert (ExpectedUtilityDecision(statistics, "subset_accuracy", weight=0.0)(scores) == nearest(scores)).all()


@pytest.mark.parametrize("is_sparse", [False, True])
def test_a_label_without_a_score_is_impossible(is_sparse):
    statistics = LabelStatistics.from_targets([[1, 1, 0], [0, 1, 1]])
    scores = np.array([[2.0, -np.inf, 1.0], [-1.0, -np.inf, -np.inf], [-np.inf, -1.0, 0.5]])
    if is_sparse:
        stored = np.isfinite(scores)
        scores = sparse.csr_matrix((scores[stored], stored.nonzero()), shape=scores.shape)
    chosen = ExpectedUtilityDecision(statistics, weight=0.0)(scores)
    chosen = chosen.toarray() if is_sparse else chosen
    assert chosen.astype(int).tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 1]]


@pytest.mark.parametrize("measure", MEASURES)
def test_scores_that_are_not_stored_count_as_impossible(measure):
    draw = np.random.default_rng(6)
    statistics, scores, targets = problem(6, rows=200, labels=9, patterns=20)
    kept = draw.random(scores.shape) < 0.8
    stored, dense = sparse.csr_matrix((scores[kept], kept.nonzero()), shape=scores.shape), np.where(kept, scores, -np.inf)
    one, other = (ExpectedUtilityDecision(statistics, measure).fit(given, targets) for given in (stored, dense))
    assert one.weight == other.weight
    assert (one(stored).toarray() == other(dense)).all()
    assert not one(stored).toarray()[~kept].any()


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", range(2))
def test_the_weight_is_the_best_on_the_grid(seed, measure):
    statistics, scores, targets = problem(seed, rows=150)
    targets[0] = ~statistics.sets.toarray()[0]  # a new label set: these are no training rows
    assert not statistics.set_frequency(targets[:1])[0]
    decision = ExpectedUtilityDecision(statistics, measure)
    assert not decision.fitted
    decision.fit(scores, targets)
    values = [evaluate(targets, ExpectedUtilityDecision(statistics, measure, w)(scores), scores, statistics)[measure] for w in WEIGHTS]
    assert values[WEIGHTS.index(decision.weight)] == pytest.approx(max(values))
    assert decision.weight == min(w for w, value in zip(WEIGHTS, values, strict=True) if value > max(values) - 1e-12)
    again = ExpectedUtilityDecision(statistics, measure).load_dict(json.loads(json.dumps(decision.to_dict())))
    assert (again(scores) == decision(scores)).all()


def test_training_rows_are_judged_without_their_own_label_set():
    """Against counting every row's label set once less, by leaving the row out of the statistics."""
    draw = np.random.default_rng(5)
    targets = draw.random((24, 4)) < 0.4
    scores = draw.normal(size=targets.shape) + targets
    statistics = LabelStatistics.from_targets(targets)
    odds = statistics.log_odds
    found = []
    for weight in WEIGHTS:
        total = 0.0
        for row, true in enumerate(targets):
            rest = LabelStatistics.from_targets(np.delete(targets, row, axis=0))
            sets = rest.sets.toarray()
            logs = sets @ scores[row] + weight * (np.log(rest.multiplicity) - sets @ odds)
            both = sets.sum(axis=1)[:, None] + sets.sum(axis=1)
            values = np.exp(logs) @ (2 * (sets.astype(int) @ sets.T) / np.maximum(both, 1))
            total += utility("example_f1", true, sets[values.argmax()])
        found.append(total)
    assert ExpectedUtilityDecision(statistics).fit(scores, targets).weight == WEIGHTS[int(np.argmax(found))]


def test_scores_that_are_no_probabilities_are_refused_before_training():
    with pytest.raises(ConfigurationError, match=r"decision 'expected_utility' reads scores as log-odds.*calibration: platt"):
        Method(loss="zlpr", decision="expected_utility").check()
    Method(loss="zlpr", decision="expected_utility", calibration="platt").check()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"measure": "micro_f1"}, "measure must be one of example_f1, subset_accuracy, got 'micro_f1'"),
        ({"weight": -1}, "weight must be a finite number from 0 on, got -1"),
        ({"weight": float("inf")}, "weight must be a finite number from 0 on, got inf"),
    ],
)
def test_settings_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ConfigurationError) as error:
        ExpectedUtilityDecision(LabelStatistics.from_targets([[1, 0]]), **arguments)
    assert message in str(error.value)
