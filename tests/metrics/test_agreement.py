"""Every measure that scikit-learn or torchmetrics has agrees with it, ties, empty rows and empty columns included."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import metrics as sk
from torchmetrics.functional.classification import binary_calibration_error, multilabel_average_precision

from multihot.metrics import Evaluator, evaluate

TOLERANCE = 1e-9
AVERAGES = {"micro": "micro", "macro": "macro", "example": "samples"}


def assert_same(found: dict[str, float], expected: dict[str, float], tolerance: float = TOLERANCE) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=tolerance), name


def by_scikit_learn(targets: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    expected = {
        "subset_accuracy": sk.accuracy_score(targets, chosen),
        "hamming_accuracy": 1 - sk.hamming_loss(targets, chosen),
        "jaccard": sk.jaccard_score(targets, chosen, average="samples", zero_division=0),
    }
    for ours, theirs in AVERAGES.items():
        values = sk.precision_recall_fscore_support(targets, chosen, average=theirs, zero_division=0)
        expected |= {f"{ours}_precision": values[0], f"{ours}_recall": values[1], f"{ours}_f1": values[2]}
    return expected


def scores_by_scikit_learn(targets: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    expected = {
        "map": sk.average_precision_score(targets, scores, average="macro"),
        "micro_ap": sk.average_precision_score(targets, scores, average="micro") if targets.any() else 0.0,
        "coverage_error": sk.coverage_error(targets, scores),
        "ranking_loss": sk.label_ranking_loss(targets, scores),
        "lrap": sk.label_ranking_average_precision_score(targets, scores),
    }
    expected |= {f"ndcg_at_{k}": sk.ndcg_score(targets, scores, k=k) for k in (1, 3, 5)}
    both = [i for i in range(targets.shape[1]) if 0 < targets[:, i].sum() < len(targets)]
    if both:
        expected["auroc_macro"] = np.mean([sk.roc_auc_score(targets[:, i], scores[:, i]) for i in both])
    if 0 < targets.sum() < targets.size:
        expected["auroc_micro"] = sk.roc_auc_score(targets.ravel(), scores.ravel())
    return expected


def with_zeros_stored(scores: np.ndarray) -> sparse.csr_matrix:
    rows, columns = np.indices(scores.shape)
    return sparse.csr_matrix((scores.ravel(), (rows.ravel(), columns.ravel())), shape=scores.shape)


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, chosen and scores; few distinct scores give ties, extreme densities give empty and full rows and columns."""
    rows, labels = draw(st.integers(2, 12)), draw(st.integers(2, 9))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    targets = random.random((rows, labels)) < draw(st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0]))
    chosen = random.random((rows, labels)) < draw(st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0]))
    distinct = draw(st.sampled_from([1, 2, 4, 1000]))
    scores = random.integers(-distinct, distinct, (rows, labels)) / 7
    return targets.astype(int), chosen.astype(int), scores.astype(draw(st.sampled_from([np.float32, np.float64])))


@settings(max_examples=60, deadline=None)
@given(problems())
def test_agrees_with_scikit_learn(problem: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    targets, chosen, scores = problem
    found = evaluate(targets, chosen, scores)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of labels without positives
        expected = by_scikit_learn(targets, chosen) | scores_by_scikit_learn(targets, scores)
    assert_same({name: found[name] for name in expected}, expected)


@settings(max_examples=30, deadline=None)
@given(problems(), st.integers(1, 5))
def test_dense_sparse_torch_and_streaming_are_identical(problem: tuple[np.ndarray, np.ndarray, np.ndarray], size: int) -> None:
    targets, chosen, scores = problem
    stored = with_zeros_stored(scores)
    dense = evaluate(targets, chosen, scores)
    assert_same(evaluate(sparse.csr_matrix(targets), sparse.csc_matrix(chosen), stored), dense)
    assert_same(evaluate(sparse.csr_matrix(targets), chosen.astype(bool), scores), dense)
    assert_same(evaluate(torch.tensor(targets), torch.tensor(chosen, dtype=torch.bool), torch.tensor(scores)), dense)
    for batched_scores in (scores, stored):
        evaluator = Evaluator(targets.shape[1])
        for start in range(0, len(targets), size):
            part = slice(start, start + size)
            evaluator.update(targets[part], chosen[part], batched_scores[part])
        assert_same(evaluator.compute(), dense)


def test_agrees_with_scikit_learn_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    targets = (random.random((300, 40)) < 0.1).astype(int)
    chosen = (random.random((300, 40)) < 0.1).astype(int)
    scores = random.normal(size=(300, 40)).round(1).astype(np.float32)
    for module in ("inputs", "curves"):
        monkeypatch.setattr(f"multihot.metrics.{module}.CHUNK_ENTRIES", 1000)
    monkeypatch.setattr("multihot.metrics.inputs.CHUNK_ROWS", 7)
    monkeypatch.setattr("multihot.metrics.curves.POOLED", 13)
    expected = by_scikit_learn(targets, chosen) | scores_by_scikit_learn(targets, scores)
    for found in (
        evaluate(targets, chosen, scores),
        evaluate(sparse.csr_matrix(targets), sparse.csr_matrix(chosen), with_zeros_stored(scores)),
    ):
        assert_same({name: found[name] for name in expected}, expected)


def test_scores_that_are_not_stored_rank_last() -> None:
    random = np.random.default_rng(1)
    targets = random.random((50, 12)) < 0.2
    scores = random.normal(size=(50, 12)) + 10
    stored = random.random((50, 12)) < 0.4
    found = evaluate(targets, targets, sparse.csr_matrix(scores * stored))
    dense = np.where(stored, scores, -1e6)  # scikit-learn wants finite numbers: any below all others
    expected = scores_by_scikit_learn(targets.astype(int), dense)
    assert_same({name: found[name] for name in expected if "ndcg" not in name}, {n: v for n, v in expected.items() if "ndcg" not in n})
    assert_same(evaluate(targets, targets, np.where(stored, scores, -np.inf)), found)


def test_mean_average_precision_agrees_with_torchmetrics() -> None:
    random = np.random.default_rng(2)
    targets = random.random((64, 7)) < 0.3
    probabilities = random.random((64, 7)).astype(np.float32)
    theirs = multilabel_average_precision(torch.tensor(probabilities), torch.tensor(targets).int(), num_labels=7, average="macro")
    assert evaluate(targets, targets, probabilities)["map"] == pytest.approx(float(theirs), abs=1e-6)


def test_calibration_error_agrees_with_torchmetrics() -> None:
    random = np.random.default_rng(3)
    probabilities = random.random((200, 9)).astype(np.float32)
    targets = random.random((200, 9)) < probabilities**2
    theirs = binary_calibration_error(torch.tensor(probabilities).ravel(), torch.tensor(targets).ravel().int(), n_bins=15)
    found = evaluate(targets, targets, probabilities, probabilities=True)
    assert found["calibration_error"] == pytest.approx(float(theirs), abs=1e-6)
    stored = sparse.csr_matrix(np.where(probabilities > 0.5, probabilities, 0))
    dense = evaluate(targets, targets, stored.toarray(), probabilities=True)
    as_sparse = evaluate(targets, targets, stored, probabilities=True)
    assert as_sparse["calibration_error"] == pytest.approx(dense["calibration_error"], abs=1e-6)
