"""Reliability against loops, against the streamed calibration error, and against probabilities that hold."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import logit
from sklearn.calibration import calibration_curve

from multihot.errors import DataError
from multihot.metrics import evaluate, reliability, to_probabilities


def problem(rows: int = 400, labels: int = 5) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    probabilities = random.random((rows, labels)) ** 2
    return random.random((rows, labels)) < probabilities**1.5, probabilities


def test_the_error_of_all_labels_is_the_calibration_error_of_the_measures() -> None:
    targets, probabilities = problem()
    expected = evaluate(targets, probabilities > 0.5, probabilities, probabilities=True)["calibration_error"]
    assert reliability(targets, probabilities).error() == pytest.approx(expected, abs=1e-12)
    few = sparse.csr_matrix(np.where(probabilities > 0.3, probabilities, 0))
    expected = evaluate(targets, few > 0.5, few, probabilities=True)["calibration_error"]
    assert reliability(sparse.csr_matrix(targets), few).error() == pytest.approx(expected, abs=1e-12)


def test_diagrams_agree_with_scikit_learn() -> None:
    targets, probabilities = problem()
    found = reliability(targets, probabilities, bins=10)
    for labels in ([0], [2, 4], None):
        columns = slice(None) if labels is None else labels
        counts, promised, true = found.diagram(labels)
        theirs, means = calibration_curve(targets[:, columns].ravel(), probabilities[:, columns].ravel(), n_bins=10)
        np.testing.assert_allclose(true[counts > 0], theirs)
        np.testing.assert_allclose(promised[counts > 0], means)
        assert counts.sum() == targets[:, columns].size


def test_each_label_has_its_own_error() -> None:
    targets, probabilities = problem()
    errors = reliability(targets, probabilities).error_per_label()
    assert errors == pytest.approx([reliability(targets[:, [i]], probabilities[:, [i]]).error() for i in range(5)])


def test_unknown_entries_do_not_count() -> None:
    targets, probabilities = problem()
    known = np.random.default_rng(1).random(targets.shape) < 0.6
    known[:, 3] = False
    found = reliability(targets, probabilities, known)
    for label in (0, 1, 2, 4):
        rows = known[:, label]
        assert found.error([label]) == pytest.approx(reliability(targets[rows][:, [label]], probabilities[rows][:, [label]]).error())
    assert np.isnan(found.error_per_label()[3])
    assert found.counts.sum() == known.sum()


def test_dense_sparse_and_torch_agree_and_1_lies_in_the_last_bin() -> None:
    targets, probabilities = problem()
    probabilities[0] = 1.0
    found = reliability(targets, probabilities)
    for other in (
        reliability(sparse.csr_matrix(targets), sparse.csr_matrix(probabilities)),
        reliability(targets, torch.tensor(probabilities)),
    ):
        assert (other.counts == found.counts).all()
        assert other.error() == pytest.approx(found.error(), abs=1e-9)
    assert found.counts[:, -1].min() >= 1
    assert reliability(np.zeros((2, 3)), sparse.csr_matrix((2, 3))).error() == 0.0


def test_logits_become_probabilities() -> None:
    _, probabilities = problem()
    np.testing.assert_allclose(to_probabilities(logit(probabilities)), probabilities)
    kept = sparse.csr_matrix(logit(probabilities))
    np.testing.assert_allclose(to_probabilities(kept).toarray(), probabilities)
    with pytest.raises(DataError, match="same rows and labels"):
        reliability(np.zeros((2, 3)), np.zeros((2, 4)))
