"""Tuned thresholds against brute force over every distinct threshold."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import f1_score

from multihot.calibration import GlobalDecision, PerLabelDecision
from multihot.components import build
from multihot.errors import ConfigurationError, DataError

AVERAGES = {"micro_f1": "micro", "macro_f1": "macro", "example_f1": "samples"}


def f1(targets: np.ndarray, chosen: np.ndarray, measure: str) -> float:
    """F1 from its definition, per group: all entries, columns or rows."""
    axis = {"micro_f1": None, "macro_f1": 0, "example_f1": 1}[measure]
    both, total = (targets & chosen).sum(axis=axis), targets.sum(axis=axis) + chosen.sum(axis=axis)
    return float(np.mean(np.where(total > 0, 2 * both / np.maximum(total, 1), 0.0)))


def best_by_brute_force(targets: np.ndarray, scores: np.ndarray, measure: str) -> float:
    return max(f1(targets, scores >= threshold, measure) for threshold in [*np.unique(scores), np.inf])


@st.composite
def validation_splits(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Targets with at least one positive, and scores in steps of 1/8, so that many are equal; some lie next to each other."""
    shape = draw(st.integers(1, 10)), draw(st.integers(1, 7))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    targets = random.random(shape) < draw(st.sampled_from([0.1, 0.5, 0.9]))
    targets[0, 0] = True
    scores = (random.integers(-8, 8, shape) / draw(st.sampled_from([1, 8]))).astype(draw(st.sampled_from([np.float32, np.float64])))
    if draw(st.booleans()):
        scores = np.where(random.random(shape) < 0.5, scores, np.nextafter(scores, scores.dtype.type(np.inf)))
    return targets, scores


@settings(max_examples=80, deadline=None)
@given(validation_splits(), st.sampled_from(sorted(AVERAGES)))
def test_global_threshold_is_the_best_there_is(split: tuple[np.ndarray, np.ndarray], measure: str) -> None:
    targets, scores = split
    decision = GlobalDecision(measure).fit(scores, targets)
    assert f1(targets, decision(scores), measure) == pytest.approx(best_by_brute_force(targets, scores, measure), abs=1e-12)
    reloaded = GlobalDecision(measure).load_dict(json.loads(json.dumps(decision.to_dict())))
    assert (reloaded(scores) == decision(scores)).all()


@settings(max_examples=60, deadline=None)
@given(validation_splits())
def test_per_label_thresholds_are_each_the_best_there_is(split: tuple[np.ndarray, np.ndarray]) -> None:
    targets, scores = split
    decision = PerLabelDecision(minimum_positives=1).fit(scores, targets)
    chosen = decision(scores)
    for label in np.flatnonzero(targets.any(axis=0)):
        column = slice(label, label + 1)
        assert f1(targets[:, column], chosen[:, column], "micro_f1") == best_by_brute_force(
            targets[:, column], scores[:, column], "micro_f1"
        )
    without = np.flatnonzero(~targets.any(axis=0))
    assert (decision.thresholds[without] == GlobalDecision().fit(scores, targets).threshold).all()
    reloaded = PerLabelDecision().load_dict(json.loads(json.dumps(decision.to_dict())))
    assert (reloaded(scores) == chosen).all()


@settings(max_examples=40, deadline=None)
@given(validation_splits(), st.integers(0, 2**32))
def test_only_stored_entries_are_candidates(split: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    targets, scores = split
    stored = np.random.default_rng(seed).random(scores.shape) < 0.6
    stored[0, 0] = True
    rows, columns = stored.nonzero()
    as_sparse = sparse.csr_matrix((scores[stored], (rows, columns)), shape=scores.shape)  # zeros are stored, too
    as_dense = np.where(stored, scores, -np.inf)
    for decision in (GlobalDecision(), GlobalDecision("macro_f1"), GlobalDecision("example_f1"), PerLabelDecision(1)):
        learned = decision.fit(as_sparse, sparse.csr_matrix(targets)).to_dict()
        chosen = decision(as_sparse)
        assert sparse.issparse(chosen)
        assert chosen.dtype == bool
        assert decision.fit(as_dense, targets).to_dict() == learned
        assert (chosen.toarray() == decision(as_dense)).all()
        assert not chosen.toarray()[~stored].any()


def test_global_threshold_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    targets = random.random((40, 6)) < 0.3
    scores = random.normal(size=(40, 6)) + targets
    for measure, average in AVERAGES.items():
        chosen = GlobalDecision(measure).fit(scores, targets)(scores)
        best = max(f1_score(targets, scores >= t, average=average, zero_division=0) for t in np.unique(scores))
        assert f1_score(targets, chosen, average=average, zero_division=0) == pytest.approx(best, abs=1e-12)


def test_threshold_lies_midway_between_neighbours() -> None:
    decision = GlobalDecision().fit([[4.0, 2.0, -6.0]], [[1, 1, 0]])
    assert decision.threshold == -2.0


def test_among_equally_good_thresholds_the_highest_is_taken() -> None:
    # choosing the first label and choosing all four both give F1 = 2/3
    scores, targets = [[5.0, 3.0, 1.0, -1.0]], [[1, 0, 0, 1]]
    assert f1(np.array(targets, bool), np.array(scores) >= 5, "micro_f1") == f1(np.array(targets, bool), np.array(scores) >= -1, "micro_f1")
    assert GlobalDecision().fit(scores, targets).threshold == 4.0
    assert GlobalDecision("example_f1").fit(scores, targets).threshold == 4.0


def test_float32_neighbours_are_parted_exactly() -> None:
    low = np.float32(1.0)
    high = np.nextafter(low, np.float32(2))
    scores = np.array([[high, low]], dtype=np.float32)
    assert GlobalDecision().fit(scores, [[1, 0]])(scores).tolist() == [[True, False]]


def test_unknown_entries_are_not_learned_from() -> None:
    scores = np.array([[3.0, 9.0], [2.0, 8.0], [1.0, 7.0]])
    targets = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    known = np.array([[True, False]] * 3)
    masked = GlobalDecision().fit(scores, targets, known)
    assert masked.threshold == 1.5
    targets[:, 1] = np.nan
    assert GlobalDecision().fit(scores, targets).threshold == 1.5
    assert GlobalDecision().fit(sparse.csr_matrix(scores), sparse.csr_matrix(targets)).threshold == 1.5
    assert GlobalDecision("macro_f1").fit(scores, targets).threshold == 1.5


def test_label_with_few_positives_takes_the_global_threshold() -> None:
    random = np.random.default_rng(0)
    scores = random.normal(size=(30, 2))
    targets = scores > [[0.0, 2.5]]
    targets[:4, 1] = True
    decision = PerLabelDecision(minimum_positives=6).fit(scores, targets)
    assert decision.thresholds[1] == GlobalDecision().fit(scores, targets).threshold
    assert decision.thresholds[0] != decision.thresholds[1]


def test_without_positives_zero_is_used_and_said() -> None:
    for decision in (GlobalDecision(), GlobalDecision("macro_f1"), PerLabelDecision()):
        with pytest.warns(UserWarning, match="no positive label"):
            decision.fit([[3.0, -2.0]], [[0, 0]])
        assert decision([[0.0, -0.1]]).tolist() == [[True, False]]


def test_bad_input_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match="row 1, label 0: nan"):
        GlobalDecision().fit([[1.0, 2.0], [np.nan, 0.0]], [[1, 0], [0, 1]])
    with pytest.raises(DataError, match="row 1, label 0: nan"):
        GlobalDecision().fit(sparse.csr_matrix([[1.0, 2.0], [np.nan, 0.0]]), [[1, 0], [0, 1]])
    with pytest.raises(DataError, match=r"\(1, 2\), but targets \(1, 3\)"):
        PerLabelDecision().fit([[1.0, 2.0]], [[1, 0, 1]])
    with pytest.raises(DataError, match="known has shape"):
        GlobalDecision().fit([[1.0, 2.0]], [[1, 0]], known=[[True]])
    with pytest.raises(DataError, match="at least 1"):
        GlobalDecision().fit(np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(ConfigurationError, match="call fit"):
        GlobalDecision()([[1.0]])
    with pytest.raises(ConfigurationError, match="call fit"):
        PerLabelDecision().to_dict()
    with pytest.raises(ConfigurationError, match="one of micro_f1"):
        build("decision", {"name": "global", "measure": "recall"})
    with pytest.raises(ConfigurationError, match="at least 1"):
        PerLabelDecision(minimum_positives=0)
