"""The set with the highest expected F1, against all sets and all outcomes, and by simulation."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import expit, logit

from multihot.calibration import ExpectedF1Decision
from multihot.calibration.expected_f1 import best_sizes, expected_f1


def f1(chosen: np.ndarray, true: np.ndarray) -> float:
    total = chosen.sum() + true.sum()
    return 2 * (chosen & true).sum() / total if total else 0.0


def expected_by_enumeration(chosen: np.ndarray, probabilities: np.ndarray) -> float:
    found = 0.0
    for outcome in product([False, True], repeat=len(probabilities)):
        true = np.array(outcome)
        found += f1(chosen, true) * np.where(true, probabilities, 1 - probabilities).prod()
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0.001, 0.02, 0.1, 0.25, 0.4, 0.5, 0.5, 0.7, 0.95, 0.999]), min_size=1, max_size=6))
def test_no_other_set_is_better(probabilities: list[float]) -> None:
    given_ = np.array(probabilities)
    (chosen,) = ExpectedF1Decision()(logit(given_)[None])
    best = max(expected_by_enumeration(np.array(every), given_) for every in product([False, True], repeat=len(given_)))
    assert expected_by_enumeration(chosen, given_) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("reach", [1, 3, 7])
def test_expectations_are_those_of_all_outcomes(reach: int) -> None:
    falling = -np.sort(-np.random.default_rng(reach).random((4, 7)))
    found = expected_f1(falling, reach)
    for row, values in zip(falling, found, strict=True):
        for k in range(1, reach + 1):
            assert values[k - 1] == pytest.approx(expected_by_enumeration(np.arange(7) < k, row), abs=1e-12)


def test_sizes_left_out_by_the_bounds_are_never_best() -> None:
    random = np.random.default_rng(0)
    falling = -np.sort(-(random.random((300, 40)) ** random.integers(1, 12, (300, 1))))
    assert (best_sizes(falling) == 1 + expected_f1(falling, 40).argmax(axis=1)).all()


def test_many_labels_agree_with_simulation() -> None:
    random = np.random.default_rng(0)
    probabilities = expit(random.normal(-5, 2, (3, 1000)))
    falling = -np.sort(-probabilities)
    expected = expected_f1(falling, 30)
    for row, values in zip(falling, expected, strict=True):
        true = random.random((4000, 1000)) < row
        for k in (1, 10, 30):
            both = true[:, :k].sum(axis=1)
            simulated = 2 * both / (k + true.sum(axis=1))
            assert values[k - 1] == pytest.approx(simulated.mean(), abs=4 * simulated.std() / 4000**0.5 + 1e-9)


def test_sparse_scores_choose_like_dense_ones() -> None:
    scores = np.random.default_rng(2).normal(-1, 2, (50, 12))
    stored = np.random.default_rng(3).random(scores.shape) < 0.5
    rows, columns = stored.nonzero()
    as_sparse = sparse.csr_matrix((scores[stored], (rows, columns)), shape=scores.shape)
    chosen = ExpectedF1Decision()(as_sparse)
    assert (chosen.toarray() == ExpectedF1Decision()(np.where(stored, scores, -np.inf))).all()
    assert not ExpectedF1Decision()(sparse.csr_matrix((3, 4))).nnz
    assert not ExpectedF1Decision()(np.full((2, 3), -np.inf)).any()


def test_it_is_better_than_a_threshold_where_probabilities_hold() -> None:
    random = np.random.default_rng(4)
    probabilities = expit(random.normal(-1.5, 1.5, (4000, 8)))
    true = random.random(probabilities.shape) < probabilities
    chosen = ExpectedF1Decision()(logit(probabilities))
    mine = np.mean([f1(*pair) for pair in zip(chosen, true, strict=True)])
    assert mine > max(np.mean([f1(*pair) for pair in zip(probabilities >= t, true, strict=True)]) for t in np.arange(0.1, 0.6, 0.05))
