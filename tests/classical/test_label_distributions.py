"""SA-BFGS against scikit-learn's Newton solver, AA-kNN against a loop, both from rows to predictions."""

from pathlib import Path
from zipfile import ZipFile

import datasets
import numpy as np
import pytest
from scipy import sparse
from scipy.io import loadmat
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from multihot.classical import AaKnnClassifier, SaBfgsClassifier, fit_classical, load_classical
from multihot.components import build
from multihot.data import MultiLabelData
from multihot.errors import ConfigurationError, DataError, RunError
from multihot.metrics import kullback_leibler

each_method = pytest.mark.parametrize("name", ["aa_knn", "sa_bfgs"])


def problem(rows: int = 120, features: int = 5, labels: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, features)) * (random.random((rows, features)) < 0.7)
    return x, softmax(x @ random.normal(size=(features, labels)) + 0.5 * random.normal(size=(rows, labels)), axis=1)


def table(features: np.ndarray, degrees: np.ndarray) -> MultiLabelData:
    names = np.asarray([f"l{i}" for i in range(degrees.shape[1])])
    columns = {
        "id": [f"r{i}" for i in range(len(features))],
        "features": features.astype(np.float32),
        "labels": [names[row > 0].tolist() for row in degrees],
        "label_values": [row[row > 0].astype(np.float32) for row in degrees],
    }
    rows = datasets.Dataset.from_dict(columns)
    return MultiLabelData("toy", "table", {"train": rows}, None, "toy", "features", features.shape[1], degrees="distribution")


@pytest.mark.parametrize("l2", [0.001, 0.1])
def test_sa_bfgs_finds_the_optimum_of_scikit_learns_newton_solver(l2: float) -> None:
    """Each row repeated once a label, weighed by its degree, is the same problem."""
    features, degrees = problem()
    rows, labels = degrees.shape
    rival = LogisticRegression(C=1 / (l2 * rows), solver="newton-cg", tol=1e-12, max_iter=10_000)
    rival.fit(np.repeat(features, labels, axis=0), np.tile(np.arange(labels), rows), sample_weight=degrees.ravel())
    ours = SaBfgsClassifier(l2=l2, tolerance=1e-9).fit(features, degrees)
    np.testing.assert_allclose(ours.degrees(features), rival.predict_proba(features), atol=1e-6)


def test_sa_bfgs_without_a_penalty_cannot_be_bettered() -> None:
    features, degrees = problem()
    for intercept in (True, False):
        learner = SaBfgsClassifier(intercept=intercept, tolerance=1e-9).fit(features, degrees)
        assert learner.intercepts.any() == intercept
        best = kullback_leibler(degrees, learner.degrees(features))
        errors = learner.degrees(features) - degrees
        np.testing.assert_allclose(features.T @ errors / len(features), 0, atol=1e-8)  # the gradient of a convex function
        random = np.random.default_rng(1)
        for _ in range(20):
            nearby = features @ (learner.weights + 1e-2 * random.normal(size=learner.weights.shape)).T + learner.intercepts
            assert kullback_leibler(degrees, softmax(nearby, axis=1)) > best


def test_the_gradient_of_sa_bfgs_agrees_with_finite_differences() -> None:
    features, degrees = problem(rows=20)
    learner = SaBfgsClassifier(l2=0.3)
    place = np.random.default_rng(2).normal(size=4 * 6)
    _, gradient = learner._divergence(place, features, degrees)
    steps = 1e-6 * np.eye(24)
    values = [[learner._divergence(place + sign * step, features, degrees)[0] for sign in (1, -1)] for step in steps]
    np.testing.assert_allclose(gradient, np.subtract(*np.transpose(values)) / 2e-6, atol=1e-8)


@pytest.mark.parametrize("k", [1, 3, 500])
def test_aa_knn_is_the_loop(k: int) -> None:
    features, degrees = problem()
    new = np.random.default_rng(3).normal(size=(15, 5))
    expected = [degrees[sorted(range(120), key=lambda i, x=x: np.sum((features[i] - x) ** 2))[:k]].mean(axis=0) for x in new]
    np.testing.assert_allclose(AaKnnClassifier(k=k).fit(features, degrees).degrees(new), expected, atol=1e-12)


@each_method
def test_distributions_scores_and_label_sets_belong_together(name: str) -> None:
    features, degrees = problem()
    learner = build("classical", name).fit(features, degrees)
    predicted = learner.degrees(features)
    np.testing.assert_allclose(predicted.sum(axis=1), 1)
    assert (learner.chosen(features).argmax(axis=1) == predicted.argmax(axis=1)).all()
    assert (learner.chosen(features).sum(axis=1) == 1).all()
    scores = learner.scores(features)
    assert (scores.argsort(axis=1) == predicted.argsort(axis=1)).all()
    order = predicted.ravel().argsort()  # across rows, too
    assert (np.diff(scores.ravel()[order]) >= 0).all()
    assert (np.diff(scores.ravel()[order])[np.diff(predicted.ravel()[order]) > 1e-5] > 0).all()


@each_method
def test_sparse_features_and_label_sets_and_rows_without_labels(name: str) -> None:
    features, degrees = problem()
    dense = build("classical", name).fit(features, degrees).degrees(features)
    rows = sparse.csr_matrix(features)
    np.testing.assert_allclose(build("classical", name).fit(rows, sparse.csr_matrix(degrees)).degrees(rows), dense, atol=1e-5)
    sets = degrees > 0.3
    unknown = np.zeros_like(sets)
    unknown[100:, 0] = True
    learned = sets.any(axis=1) & (np.arange(120) < 100)
    expected = build("classical", name).fit(features[learned], sets[learned] / sets[learned].sum(axis=1, keepdims=True)).degrees(features)
    np.testing.assert_allclose(build("classical", name).fit(features, sets, unknown=unknown).degrees(features), expected, atol=1e-6)


@each_method
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_saved_and_loaded_it_predicts_the_same(name: str, kind, tmp_path: Path) -> None:
    features, degrees = problem()
    learner = build("classical", name).fit(kind(features), degrees)
    learner.save(tmp_path)
    again = build("classical", name).load(tmp_path)
    assert (again.degrees(kind(features)) == learner.degrees(kind(features))).all()
    assert again.num_parameters == learner.num_parameters > 0


@each_method
def test_from_rows_to_predictions_that_carry_their_distributions(name: str, tmp_path: Path) -> None:
    features, degrees = problem()
    data, steps = table(features, degrees), []
    predictor = fit_classical({"name": name.replace("_", "-")}, data, data.label_space(), progress=lambda *step: steps.append(step))
    prediction = predictor.predict(data.split("train"))
    assert steps == [(1, 1)]
    standardised = (features - features.mean(axis=0)) / features.std(axis=0)
    expected = build("classical", name).fit(standardised, degrees).degrees(standardised)
    np.testing.assert_allclose(prediction.degrees, expected, atol=1e-4)
    assert (prediction.chosen.argmax(axis=1) == prediction.degrees.argmax(axis=1)).all()
    predictor.save(tmp_path)
    np.testing.assert_array_equal(
        load_classical(tmp_path, data.label_space(), data.statistics(data.label_space())).predict(data.split("train")).degrees,
        prediction.degrees,
    )


def test_other_classical_methods_learn_the_mode() -> None:
    features, degrees = problem()
    data = table(features, degrees)
    chosen = fit_classical({"name": "linear-svm"}, data, data.label_space()).predict(data.split("train")).chosen
    modes = np.eye(4, dtype=bool)[degrees.argmax(axis=1)]
    assert (chosen == modes).mean() > 0.8


@each_method
def test_what_cannot_be_meant_is_refused(name: str, tmp_path: Path) -> None:
    features, degrees = problem()
    learner = build("classical", name)
    with pytest.raises(ConfigurationError, match="is not trained yet; call fit first"):
        learner.degrees(features)
    with pytest.raises(DataError, match="targets: row 7 has a degree that is negative or no number"):
        learner.fit(features, np.where(np.arange(120)[:, None] == 7, -degrees, degrees))
    with pytest.raises(DataError, match=r"120 rows of features but targets of shape \(119, 4\)"):
        learner.fit(features, degrees[1:])
    with pytest.raises(DataError, match="not a single training row with a whole label distribution"):
        learner.fit(features, 0 * degrees)
    with pytest.raises(DataError, match=r"expected \(N, 5\) as in training"):
        learner.fit(features, degrees).degrees(features[:, 1:])
    with pytest.raises(RunError, match=r"model\.safetensors is missing"):
        build("classical", name).load(tmp_path)


def test_sa_bfgs_says_when_it_was_stopped_before_the_optimum(caplog: pytest.LogCaptureFixture) -> None:
    features, degrees = problem()
    SaBfgsClassifier().fit(features, degrees)
    assert not caplog.records
    SaBfgsClassifier(max_iterations=2).fit(features, degrees)
    assert "sa_bfgs stopped after 2 iterations with a gradient of" in caplog.text


def test_settings_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="k must be a whole number of at least 1, got 0"):
        AaKnnClassifier(k=0)
    with pytest.raises(ConfigurationError, match="l2 must be a number of at least 0, got -1"):
        SaBfgsClassifier(l2=-1)
    with pytest.raises(ConfigurationError, match="tolerance must be a positive number, got 0"):
        SaBfgsClassifier(tolerance=0)


def test_on_real_distributions_it_is_closer_than_the_mean_distribution(shared_data: Path) -> None:
    with ZipFile(shared_data / "ldl" / "SBU_3DFE.zip") as archive, archive.open(archive.namelist()[0]) as file:
        content = loadmat(file)
    order = np.random.default_rng(0).permutation(2500)
    features, degrees = content["features"][order], content["labels"][order]
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    mean = np.repeat(degrees[:2000].mean(axis=0, keepdims=True), 500, axis=0)
    reference = kullback_leibler(degrees[2000:], mean)
    for learner in (SaBfgsClassifier(l2=1e-3, max_iterations=200), AaKnnClassifier()):
        predicted = learner.fit(features[:2000], degrees[:2000]).degrees(features[2000:])
        assert kullback_leibler(degrees[2000:], predicted) < 0.9 * reference
