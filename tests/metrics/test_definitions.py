"""Measures that no library has, against their definitions written out; masks, conventions and bad input."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelStatistics
from multihot.metrics import Evaluator, evaluate, propensities


def over_all_tie_orders(scores: np.ndarray, gains: np.ndarray, k: int) -> float:
    """Gain of the first k places, averaged over every order of the labels that is consistent with their scores."""
    orders = [order for order in itertools.permutations(range(len(scores))) if all(np.diff(scores[list(order)]) <= 0)]
    return float(np.mean([gains[list(order[:k])].sum() for order in orders]))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_precision_and_propensity_scored_precision_average_over_ties(seed: int) -> None:
    random = np.random.default_rng(seed)
    targets, scores = random.random((4, 5)) < 0.5, random.integers(0, 3, (4, 5)).astype(float)
    statistics = LabelStatistics.from_targets(random.random((30, 5)) < [0.05, 0.1, 0.3, 0.6, 0.9])
    found = evaluate(targets, targets, scores, statistics, at=(1, 2, 3))
    weights = 1 / propensities(statistics)
    for k in (1, 2, 3):
        assert found[f"precision_at_{k}"] == pytest.approx(
            np.mean([over_all_tie_orders(s, y.astype(float), k) / k for s, y in zip(scores, targets, strict=True)])
        )
        reached = sum(over_all_tie_orders(s, y * weights, k) for s, y in zip(scores, targets, strict=True))
        attainable = sum(np.sort(y * weights)[-k:].sum() for y in targets)
        assert found[f"psp_at_{k}"] == pytest.approx(reached / attainable if attainable else 0.0)
    assert found["one_error"] == pytest.approx(1 - found["precision_at_1"])


def test_one_error_counts_rows_whose_best_label_is_wrong() -> None:
    assert evaluate([[1, 0], [1, 0], [0, 0]], np.zeros((3, 2)), [[2, 1], [1, 2], [1, 2]])["one_error"] == pytest.approx(2 / 3)


def test_both_macro_f1_definitions() -> None:
    targets, chosen = np.array([[1, 0], [1, 1]]), np.array([[1, 1], [0, 1]])
    found = evaluate(targets, chosen)
    precision, recall = (1 + 1 / 2) / 2, (1 / 2 + 1) / 2
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert found["macro_f1_harmonic"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_cardinalities_are_mean_labels_an_instance() -> None:
    found = evaluate([[1, 1, 1], [0, 0, 1]], [[1, 0, 0], [0, 0, 0]])
    assert (found["true_cardinality"], found["chosen_cardinality"]) == (2.0, 0.5)


def test_head_medium_and_tail() -> None:
    random = np.random.default_rng(0)
    statistics = LabelStatistics.from_targets([[1, 0, 0, 0]] * 90 + [[1, 1, 0, 1]] * 25 + [[0, 0, 1, 0]] * 3)
    targets, chosen, scores = random.random((50, 4)) < 0.4, random.random((50, 4)) < 0.4, random.random((50, 4))
    found = evaluate(targets, chosen, scores, statistics)
    for group, columns in {"head": [0], "medium": [1, 3], "tail": [2]}.items():
        alone = evaluate(targets[:, columns], chosen[:, columns], scores[:, columns])
        assert found[f"map_{group}"] == pytest.approx(alone["map"])
        assert found[f"macro_f1_{group}"] == pytest.approx(alone["macro_f1"])


def test_unknown_entries_do_not_count() -> None:
    """Where whole columns are unknown in some rows, the measures are those of the rest."""
    random = np.random.default_rng(1)
    targets, chosen, scores = random.random((20, 6)) < 0.4, random.random((20, 6)) < 0.4, random.normal(size=(20, 6)).round(1)
    known = np.ones((20, 6), dtype=bool)
    known[:, 4:] = False
    known[15:] = False
    kept = evaluate(targets[:15, :4], chosen[:15, :4], scores[:15, :4])
    as_nan = np.where(known, targets, np.nan)
    stored = sparse.csr_matrix(scores + 10)
    for found in (
        evaluate(targets, chosen, scores, known=known),
        evaluate(as_nan, chosen, np.where(known, scores, np.nan)),
        evaluate(sparse.csr_matrix(as_nan), sparse.csr_matrix(chosen), stored),
        evaluate(sparse.csr_matrix(targets), chosen, stored, known=sparse.csr_matrix(known)),
    ):
        assert found == pytest.approx(kept, abs=1e-12)


def test_scattered_unknown_entries_do_not_count() -> None:
    random = np.random.default_rng(2)
    targets, chosen, known = (random.random((12, 5)) < share for share in (0.4, 0.4, 0.7))
    scores = random.normal(size=(12, 5))
    found = evaluate(targets, chosen, scores, known=known)
    assert found["hamming_accuracy"] == pytest.approx((targets == chosen)[known].mean())
    rows = [(y[m], c[m], s[m]) for y, c, s, m in zip(targets, chosen, scores, known, strict=True) if m.any()]
    assert found["subset_accuracy"] == pytest.approx(np.mean([(y == c).all() for y, c, _ in rows]))
    assert found["ranking_loss"] == pytest.approx(
        np.mean([np.mean([a <= b for a in s[y] for b in s[~y]]) if y.any() and not y.all() else 0.0 for y, _, s in rows])
    )
    assert found["map"] == pytest.approx(
        np.mean(
            [evaluate(targets[m, [i]][:, None], chosen[m, [i]][:, None], scores[m, [i]][:, None])["map"] for i, m in enumerate(known.T)]
        )
    )


def test_conventions_for_nothing() -> None:
    empty = evaluate(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3)))
    assert empty["subset_accuracy"] == empty["hamming_accuracy"] == 1.0
    assert empty["micro_f1"] == empty["macro_f1"] == empty["example_f1"] == empty["jaccard"] == empty["map"] == 0.0
    assert "auroc_macro" not in empty
    assert "auroc_micro" not in empty
    assert all(math.isfinite(value) for value in empty.values())


def test_soft_targets_are_true_from_one_half() -> None:
    assert evaluate([[0.5, 0.49]], [[1, 0]])["subset_accuracy"] == 1.0


def test_large_sparse_scores_are_never_densified() -> None:
    shape = (2000, 500_000)  # 8 GB, were they dense
    random = np.random.default_rng(3)
    rows, columns = np.repeat(np.arange(2000), 5), random.integers(0, 500_000, 10_000)
    scores = sparse.csr_matrix((random.random(10_000), (rows, columns)), shape=shape)
    targets = scores.astype(bool)
    found = evaluate(targets, targets, scores)
    assert found["precision_at_1"] == 1.0
    assert found["lrap"] == 1.0


@pytest.mark.parametrize("probabilities", [[[0.2, 1.2]], sparse.csr_matrix([[0.0, -0.1]])])
def test_calibration_refuses_what_is_no_probability(probabilities: object) -> None:
    with pytest.raises(DataError, match=r"outside \[0, 1\]"):
        evaluate([[0, 1]], [[0, 1]], probabilities, probabilities=True)


def test_bad_input_is_refused_in_one_line() -> None:
    good = np.eye(2)
    with pytest.raises(DataError, match=r"chosen has shape \(2, 3\), but targets \(2, 2\)"):
        evaluate(good, np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"chosen, row 1: got 0\.7"):
        evaluate(good, [[1, 0], [0.0, 0.7]])
    with pytest.raises(DataError, match=r"chosen, row 1: got 0\.7"):
        evaluate(good, sparse.csr_matrix([[1, 0], [0.0, 0.7]]))
    with pytest.raises(DataError, match="targets, row 0: got -1"):
        evaluate([[-1, 1]], [[0, 1]])
    with pytest.raises(DataError, match="scores, row 1, label 0: NaN"):
        evaluate(good, good, [[0.0, 1.0], [np.nan, 0.0]])
    with pytest.raises(DataError, match="scores, row 1, label 0: NaN"):
        evaluate(good, good, sparse.csr_matrix([[0.0, 1.0], [np.nan, 0.0]]))
    with pytest.raises(DataError, match="encode label names"):
        evaluate([["cocoa"]], [["cocoa"]])
    with pytest.raises(DataError, match="differ in length"):
        evaluate([[1, 0], [1]], good)
    with pytest.raises(DataError, match="no rows"):
        evaluate(np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(DataError, match="no label column"):
        evaluate(np.zeros((2, 0)), np.zeros((2, 0)))
    with pytest.raises(DataError, match="nothing to measure"):
        evaluate(good, good, known=np.zeros((2, 2), dtype=bool))
    with pytest.raises(DataError, match="statistics are of 3 labels"):
        evaluate(good, good, statistics=LabelStatistics.from_targets(np.eye(3)))
    with pytest.raises(ConfigurationError, match="from 1 on"):
        evaluate(good, good, good, at=(0,))


def test_batches_must_be_of_one_kind() -> None:
    good = np.eye(2)
    evaluator = Evaluator(2)
    evaluator.update(good, good, good)
    with pytest.raises(DataError, match="some batches only"):
        evaluator.update(good, good)
    with pytest.raises(DataError, match="all must be of one kind"):
        evaluator.update(good, good, sparse.csr_matrix(good))
    with pytest.raises(DataError, match="made for 2"):
        evaluator.update(np.eye(3), np.eye(3), np.eye(3))
    late = Evaluator(2)
    late.update(good, good)
    with pytest.raises(DataError, match="some batches only"):
        late.update(good, good, good)


def test_a_reused_buffer_changes_nothing() -> None:
    random = np.random.default_rng(4)
    targets, scores = random.random((6, 3)) < 0.5, random.random((6, 3))
    evaluator, buffer = Evaluator(3), np.empty((2, 3))
    for start in range(0, 6, 2):
        buffer[:] = scores[start : start + 2]
        evaluator.update(targets[start : start + 2], targets[start : start + 2], buffer)
    assert evaluator.compute() == pytest.approx(evaluate(targets, targets, scores))
