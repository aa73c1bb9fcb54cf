"""Weights of positive rows: chosen as brute force chooses them, counted as scikit-learn counts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from linear_problems import linear_problem
from scipy import sparse
from sklearn.metrics import f1_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.svm import LinearSVC

from multihot.classical import LinearSVMClassifier
from multihot.classical.base import TrainingData
from multihot.classical.cost_sensitive import best_for_macro_f1, best_for_micro_f1, count_out_of_fold, make_folds
from multihot.classical.linear import Solver
from multihot.classical.newton import squared_hinge


@st.composite
def tables(draw):
    """(L, W, 3) counts as cross-validation gives them: a label has as many positives under every weight."""
    labels, weights = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    positives = draw(arrays(np.int64, (labels, 1), elements=st.integers(0, 12)))
    true, false = (draw(arrays(np.int64, (labels, weights), elements=st.integers(0, 12))) for _ in range(2))
    true = np.minimum(true, positives)
    return np.stack([true, false, positives - true], axis=2)


def f1(counts):
    true, false, missed = counts
    return 2 * true / (2 * true + false + missed) if true else 0.0


@given(tables())
@settings(max_examples=100, deadline=None)
def test_choice_for_micro_f1_is_the_best_of_all_combinations(counts):
    labels, weights, _ = counts.shape
    combinations = itertools.product(range(weights), repeat=labels)
    best = max(f1(sum(counts[label, weight] for label, weight in enumerate(choice))) for choice in combinations)
    found = best_for_micro_f1(counts)
    assert f1(counts[np.arange(labels), found].sum(axis=0)) == pytest.approx(best, abs=1e-12)


@given(tables())
@settings(max_examples=100, deadline=None)
def test_choice_for_macro_f1_is_each_labels_best(counts):
    found = best_for_macro_f1(counts)
    for of_label, weight in zip(counts, found, strict=True):
        assert f1(of_label[weight]) == max(map(f1, of_label))
        assert all(f1(later) < f1(of_label[weight]) for later in of_label[weight + 1 :])


def test_counts_agree_with_cross_val_predict():
    features, targets = linear_problem()
    folds = make_folds(sparse.csc_matrix(targets), 3, seed=0)
    data = TrainingData.check(features, targets).with_constant()
    number = np.empty(len(features), dtype=int)
    for fold, rows in enumerate(folds):
        number[rows] = fold
    counts = count_out_of_fold(Solver(squared_hinge, 1.0, 1e-6), data, [1.0, 5.0], folds, jobs=2)
    for label, (place, weight) in itertools.product(range(4), enumerate((1.0, 5.0))):
        estimator = LinearSVC(dual=False, tol=1e-6, class_weight={0: 1.0, 1: weight})
        chosen = cross_val_predict(estimator, features, targets[:, label].astype(int), cv=PredefinedSplit(number)).astype(bool)
        target = targets[:, label]
        expected = [(chosen & target).sum(), (chosen & ~target).sum(), (~chosen & target).sum()]
        assert counts[label, place].tolist() == expected


def test_unknown_entries_are_not_counted():
    features, targets = linear_problem()
    unknown = np.zeros_like(targets)
    unknown[::3, 0] = True
    folds = make_folds(sparse.csc_matrix(targets), 3, seed=0)
    data = TrainingData.check(features, targets, unknown).with_constant()
    counts = count_out_of_fold(Solver(squared_hinge, 1.0, 1e-3), data, [1.0], folds, jobs=1)
    carried = (targets & ~unknown).sum(axis=0)
    assert (counts[:, 0, 0] + counts[:, 0, 2]).tolist() == carried.tolist()


@pytest.mark.parametrize("measure", ["micro_f1", "macro_f1"])
def test_heavier_positives_help_rare_labels(measure):
    features, targets = linear_problem(rows=600, labels=6, seed=1)
    targets &= features[:, :1] > 0.8  # rare now, and no half-space any more
    train, test = slice(0, 400), slice(400, None)
    found = {}
    for choice in (None, measure):
        classifier = LinearSVMClassifier(cost_sensitive=choice).fit(features[train], targets[train])
        found[choice] = f1_score(targets[test], classifier.chosen(features[test]), average=measure.removesuffix("_f1"), zero_division=0)
    assert set(classifier.label_weights) <= {1, 2, 4, 8, 16}
    assert found[measure] > found[None]


def test_same_seed_same_weights():
    features, targets = linear_problem()
    first, second = (LinearSVMClassifier(cost_sensitive="micro_f1").fit(features, targets, seed=5) for _ in range(2))
    assert (first.label_weights == second.label_weights).all()
    assert (first.scores(features) == second.scores(features)).all()


def test_rows_too_few_for_folds_are_trained_plainly():
    features, targets = linear_problem(rows=1)
    assert LinearSVMClassifier(cost_sensitive="micro_f1").fit(features, targets).label_weights.tolist() == [1, 1, 1, 1]
