"""Decisions over whole label sets against enumeration, and their fitted settings against exhaustive search."""

import itertools
import json

import numpy as np
import pytest
from scipy import sparse

from multihot.calibration import SubsetCorrectionDecision, build_decision
from multihot.calibration.subset_correction import MEASURES, Settings
from multihot.errors import ConfigurationError
from multihot.labels import LabelSpace, LabelStatistics
from multihot.metrics import evaluate


def problem(seed, rows=60, labels=6, shift=0.0):
    """Training label sets, scores and targets of other rows."""
    draw = np.random.default_rng(seed)
    patterns = draw.random((5, labels)) < 0.4
    patterns[0, 0] = True
    train = patterns[draw.choice(5, 100, p=[0.5, 0.2, 0.15, 0.1, 0.05])]
    targets = patterns[draw.choice(5, rows)] ^ (draw.random((rows, labels)) < 0.08)
    scores = (draw.normal(size=(rows, labels)) + 1.5 * targets - 0.7 + shift).astype(np.float32)
    return LabelStatistics.from_targets(train.astype(int)), scores, targets


def by_enumeration(statistics, row, offset, weight, penalty):
    """The label set of the formula, read as it stands."""

    def value(chosen):
        frequency = statistics.set_frequency(chosen[None])[0]
        known = weight * np.log(frequency / statistics.num_examples) if frequency else 0.0
        return (row[chosen] - offset).sum() - (row[~chosen] - offset).sum() + known

    seen = statistics.sets.toarray()
    best = max(seen, key=value)
    above = row > offset
    if above.any() and not statistics.set_frequency(above[None])[0] and value(above) - value(best) > penalty:
        return above
    return best


SETTINGS = [(0.0, 0.0, np.inf), (0.3, 0.5, np.inf), (-0.4, 0.2, 1.0), (0.0, 2.0, 0.0), (0.2, 0.0, 0.3)]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_best_label_set_by_enumeration(seed, settings):
    statistics, scores, _ = problem(seed)
    offset, weight, penalty = settings
    decision = SubsetCorrectionDecision(statistics, offset=offset, weight=weight, penalty=penalty)
    wanted = [by_enumeration(statistics, row, *settings) for row in scores.astype(np.float64)]
    assert (decision(scores) == np.array(wanted)).all()
    assert (decision(sparse.csr_matrix(scores)).toarray() == np.array(wanted)).all()


def test_the_nearest_label_set_is_that_of_the_smallest_hamming_distance():
    """Senge, del Coz and Hüllermeier 2013, whose scores are 0 and 1: here -1 and 1."""
    statistics, scores, _ = problem(7)
    signs = np.where(scores > 0, 1.0, -1.0)
    chosen = SubsetCorrectionDecision(statistics, offset=0.0, weight=0.0, penalty=np.inf)(signs)
    distances = (statistics.sets.toarray()[None] != (scores > 0)[:, None]).sum(axis=2)
    assert ((chosen != (scores > 0)).sum(axis=1) == distances.min(axis=1)).all()


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("seed", range(3))
def test_rows_that_were_counted_are_judged_by_all_others(seed, settings):
    """Each row against a decision whose label sets are counted anew without it."""
    offset, weight, penalty = settings
    draw = np.random.default_rng(seed)
    targets = draw.random((5, 6))[draw.choice(5, 40)] < 0.4
    targets[:8] = draw.random((8, 6)) < 0.4  # some sets that a single row carries
    scores = (draw.normal(size=targets.shape) + 1.5 * targets - 0.7).astype(np.float32)
    truth = sparse.csr_matrix(targets)
    decision = SubsetCorrectionDecision(LabelStatistics.from_targets(targets.astype(int)))
    counted = decision.candidates.find(truth)
    assert (decision.candidates.counts[counted] == 1).any()
    for given in (scores, sparse.csr_matrix(scores)):
        [outcome] = decision._outcomes(given, truth, [(offset, weight)], counted)
        found = np.where(outcome.lead[:, None] > penalty, outcome.new, outcome.known)
        for row in range(len(targets)):
            others = LabelStatistics.from_targets(np.delete(targets, row, axis=0).astype(int))
            chosen = by_enumeration(others, scores[row].astype(np.float64), *settings)
            assert found[row, 1] == chosen.sum()
            assert found[row, 0] == (chosen & targets[row]).sum()


@pytest.mark.parametrize(("seed", "measure"), list(enumerate(MEASURES)))
def test_the_penalty_is_the_best_of_all(seed, measure):
    statistics, scores, targets = problem(seed, rows=40)
    decision = SubsetCorrectionDecision(statistics, measure)
    [outcome] = decision._outcomes(scores, sparse.csr_matrix(targets), [(0.1, 0.3)])
    penalty = decision._best_penalty(outcome)

    def measured(value):
        fixed = SubsetCorrectionDecision(statistics, measure, 0.1, 0.3, value)
        return evaluate(targets, fixed(scores), scores, statistics)[measure]

    every = [np.inf, 0.0, *(lead + 1e-9 for lead in outcome.lead if lead > 0), *(lead - 1e-9 for lead in outcome.lead if lead > 0)]
    assert measured(penalty) == pytest.approx(max(measured(value) for value in every))


@pytest.mark.parametrize(("seed", "measure"), list(enumerate(MEASURES)))
def test_what_is_fitted_is_the_plainest_within_one_standard_error_of_the_best(seed, measure):
    statistics, scores, targets = problem(seed, rows=150, shift=-0.6)
    decision = SubsetCorrectionDecision(statistics, measure).fit(scores, targets)
    assert json.loads(json.dumps(decision.to_dict())) == decision.to_dict()
    again = SubsetCorrectionDecision(statistics, measure).load_dict(json.loads(json.dumps(decision.to_dict())))
    assert (again(scores) == decision(scores)).all()

    def chosen_by(settings):
        return SubsetCorrectionDecision(statistics, measure, *settings)(scores)

    grid = decision._grid(scores, sparse.csr_matrix(targets))
    outcomes = decision._outcomes(scores, sparse.csr_matrix(targets), grid)
    tried = [Settings(*pair, p) for pair, outcome in zip(grid, outcomes, strict=True) for p in (np.inf, decision._best_penalty(outcome))]
    values = [evaluate(targets, chosen_by(settings), scores, statistics)[measure] for settings in tried]
    own = evaluate(targets, decision(scores), scores, statistics)[measure]
    assert own <= max(values) + 1e-12
    assert own > max(values) - 0.05  # a standard error over 150 rows
    plain = SubsetCorrectionDecision(statistics, measure, 0.0, 0.0, np.inf)
    assert own >= evaluate(targets, plain(scores), scores, statistics)[measure] - 1e-12


def test_a_row_whose_scores_fit_no_label_set_keeps_what_is_above_the_offset():
    statistics = LabelStatistics.from_targets([[1, 1, 0], [0, 1, 1]])
    decision = SubsetCorrectionDecision(statistics, offset=0.0, weight=0.0, penalty=np.inf)
    scores = sparse.csr_matrix(([2.0, -1.0, 1.0, 0.5], ([0, 1, 2, 2], [0, 2, 1, 2])), shape=(4, 3))
    assert decision(scores).toarray().astype(int).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"measure": "mAP"}, "measure must be one of micro_f1, example_f1, subset_accuracy, got 'mAP'"),
        ({"weight": -1}, "weight must be a number from 0 on, got -1"),
        ({"penalty": "none"}, "penalty must be a number from 0 on, got 'none'"),
        ({"offset": float("nan")}, "offset must be a number, got nan"),
    ],
)
def test_settings_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ConfigurationError) as error:
        SubsetCorrectionDecision(LabelStatistics.from_targets([[1, 0]]), **arguments)
    assert message in str(error.value)


DECISIONS = [
    "own_rule",
    "global",
    "per_label",
    "proportional",
    "cardinality",
    "expected_f1",
    "expected_utility",
    "subset_correction",
    {"name": "fixed", "threshold": 0.4},
    {"name": "top_k", "k": 2},
    {"name": "conformal", "recall": 0.5},
]
NAMES = LabelSpace(list("abcdef"))
RULES = [{"at_least": 1}, {"at_least": 2, "at_most": 3}, {"implies": {"a": ["b"]}, "excludes": [["c", "d"]], "at_least": 1}]


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize("name", DECISIONS, ids=str)
@pytest.mark.parametrize("is_sparse", [False, True])
def test_rules_are_kept_whatever_decides(name, rules, is_sparse):
    statistics, scores, targets = problem(5, shift=-0.5)
    given = sparse.csr_matrix(scores) if is_sparse else scores
    config = {"name": name} if isinstance(name, str) else name
    plain = build_decision(config, label_space=NAMES, statistics=statistics).fit(given, targets)
    ruled = build_decision(config | rules, label_space=NAMES, statistics=statistics).fit(given, targets)
    free, found = plain(given), ruled(given)
    free, found = (free.toarray(), found.toarray()) if is_sparse else (free, found)
    obeys = allowed(rules)
    assert all(obeys(row) for row in found)
    kept = np.array([obeys(row) for row in free])
    assert (found[kept] == free[kept]).all()
    for row in np.flatnonzero(~kept):  # against enumeration, where the decision cuts by a number
        cuts = plain.cuts(scores)
        if cuts is None or config["name"] == "subset_correction":
            continue
        margins = scores[row].astype(np.float64) - cuts
        sets = [np.array(one) for one in itertools.product([False, True], repeat=6) if obeys(np.array(one))]
        assert margins[found[row]].sum() == pytest.approx(max(margins[one].sum() for one in sets))
    content = json.loads(json.dumps(ruled.to_dict()))
    again = build_decision(config | rules, label_space=NAMES, statistics=statistics).load_dict(content)(given)
    assert ((again.toarray() if is_sparse else again) == found).all()


def allowed(rules):
    def obeys(row):
        names = {NAMES.names[i] for i in np.flatnonzero(row)}
        return (
            rules.get("at_least", 0) <= len(names) <= rules.get("at_most", 6)
            and all(set(others) <= names for label, others in rules.get("implies", {}).items() if label in names)
            and all(len(names & set(group)) <= 1 for group in rules.get("excludes", []))
        )

    return obeys


def test_a_promise_ends_where_rules_take_labels_away():
    statistics, scores, targets = problem(2, rows=200)
    for rules, kept in (({"at_least": 1}, True), ({"at_most": 2}, False), ({"implies": {"a": ["b"]}}, False)):
        config = {"name": "conformal", "recall": 0.8, **rules}
        decision = build_decision(config, label_space=NAMES, statistics=statistics).fit(scores, targets)
        assert decision.to_dict()["guaranteed"] is kept
