"""Decisions that choose as many labels as there are, against counting at every threshold."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.calibration import CardinalityDecision, ProportionalDecision
from multihot.errors import ConfigurationError


def nearest_count(scores: np.ndarray, count: int) -> int:
    """How far the best threshold stays from the wanted number, by trying all of them."""
    return min(abs(int((scores >= t).sum()) - count) for t in [*np.unique(scores), np.inf])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 6), st.booleans())
def test_as_many_are_chosen_as_are_true(seed: int, rows: int, labels: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    targets = random.random((rows, labels)) < random.random()
    scores = random.integers(0, 5, (rows, labels)) / 2 if ties else random.normal(size=(rows, labels))
    scores = scores.astype(np.float32)
    together = CardinalityDecision().fit(scores, targets)(scores)
    assert abs(int(together.sum()) - int(targets.sum())) == nearest_count(scores, int(targets.sum()))
    each = ProportionalDecision().fit(scores, targets)(scores)
    for label in range(labels):
        wanted = int(targets[:, label].sum())
        assert abs(int(each[:, label].sum()) - wanted) == nearest_count(scores[:, label], wanted)


def test_without_ties_the_counts_are_the_true_ones() -> None:
    random = np.random.default_rng(0)
    targets, scores = random.random((200, 7)) < 0.3, random.normal(size=(200, 7))
    assert CardinalityDecision().fit(scores, targets)(scores).sum() == targets.sum()
    assert (ProportionalDecision().fit(scores, targets)(scores).sum(axis=0) == targets.sum(axis=0)).all()


@pytest.mark.parametrize("kind", [CardinalityDecision, ProportionalDecision])
def test_they_travel_as_json_and_read_sparse_scores(kind: type) -> None:
    random = np.random.default_rng(1)
    targets, scores = random.random((40, 5)) < 0.3, random.normal(size=(40, 5)) + 9
    decision = kind().fit(scores, targets)
    again = kind().load_dict(json.loads(json.dumps(decision.to_dict())))
    assert (again(scores) == decision(scores)).all()
    assert (kind().fit(sparse.csr_matrix(scores), targets)(sparse.csr_matrix(scores)).toarray() == decision(scores)).all()
    with pytest.raises(ConfigurationError, match="no threshold yet"):
        kind()(scores)


def test_unknown_entries_and_labels_without_scores() -> None:
    scores = np.array([[3.0, -np.inf, 9.0], [2.0, -np.inf, 8.0], [1.0, -np.inf, 7.0]])
    targets, known = np.array([[1, 0, 1], [0, 0, 1], [0, 0, 1]]), np.array([[True, True, False]] * 3)
    decision = ProportionalDecision().fit(scores, targets, known)
    assert decision.thresholds.tolist() == [2.5, 2.5, 2.5]
    with pytest.warns(UserWarning, match="no score to tune"):
        assert CardinalityDecision().fit(np.full((2, 2), -np.inf), np.eye(2)).threshold == 0.0
