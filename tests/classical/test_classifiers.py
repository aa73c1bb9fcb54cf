"""What all classical methods promise, and each of them against scikit-learn or its own formula."""

import numpy as np
import pytest
from linear_problems import linear_problem
from scipy import optimize, sparse
from sklearn.multioutput import ClassifierChain
from sklearn.svm import LinearSVC

from multihot.classical import ClassifierChainClassifier, LabelPowersetClassifier, LinearSVMClassifier, LogisticClassifier
from multihot.components import build, choices
from multihot.errors import ConfigurationError, DataError, RunError

NAMES = ["classifier_chain", "ensemble", "label_powerset", "linear_svm", "logistic"]
each_method = pytest.mark.parametrize("name", NAMES)


def with_settings(name, **settings):
    """A method with settings that all have; those of an ensemble stand in its members."""
    if name == "ensemble":
        return {"name": name, "members": [with_settings(member, **settings) for member in ("linear_svm", "label_powerset")]}
    return {"name": name, **settings}


def test_methods_are_found_by_name():
    of_distributions = {"aa_knn", "sa_bfgs"}  # tests/classical/test_label_distributions.py
    assert set(choices("classical")) == {*NAMES, *of_distributions}


@each_method
def test_shapes_and_neutral_point(name):
    features, targets = linear_problem()
    classifier = build("classical", name).fit(features, targets)
    scores, chosen = classifier.scores(features), classifier.chosen(features)
    assert scores.shape == chosen.shape == targets.shape
    assert scores.dtype == np.float32
    assert chosen.dtype == bool
    assert ((scores > 0) == chosen).all()
    assert (chosen == targets).mean() > 0.8
    assert classifier.num_parameters >= scores.shape[1]


@each_method
def test_sparse_and_dense_features_agree(name):
    features, targets = linear_problem()
    dense = build("classical", name).fit(features, targets).scores(features)
    rows = sparse.csr_matrix(features)
    np.testing.assert_allclose(build("classical", name).fit(rows, sparse.csr_matrix(targets)).scores(rows), dense, atol=1e-4)


@each_method
def test_number_of_cores_does_not_change_the_result(name):
    features, targets = linear_problem()
    one, four = (build("classical", {"name": name, "jobs": jobs}).fit(features, targets, seed=3).scores(features) for jobs in (1, 4))
    assert (one == four).all()


@each_method
@pytest.mark.parametrize("kept", ["dense", "sparse"])
def test_saved_and_loaded_it_predicts_the_same(name, kept, tmp_path):
    features, targets = linear_problem()
    if kept == "sparse":  # most features are those of one row, so most coefficients of a rare label are 0
        features, targets = sparse.hstack([sparse.csr_matrix(features), sparse.identity(len(features))], format="csr"), targets.copy()
        targets[:, 1:] = False
    classifier = build("classical", name).fit(features, targets)
    classifier.save(tmp_path)
    again = build("classical", name).load(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    assert (again.scores(features) == classifier.scores(features)).all()
    assert (again.chosen(features) == classifier.chosen(features)).all()
    assert again.num_parameters == classifier.num_parameters


@each_method
def test_labels_that_all_or_none_carry(name):
    features, targets = linear_problem()
    targets[:, 0], targets[:, 1] = True, False
    chosen = build("classical", name).fit(features, targets).chosen(features)
    assert chosen[:, 0].all()
    assert not chosen[:, 1].any()
    assert chosen[:, 2:].any()


@each_method
def test_one_label_and_only_empty_label_sets(name):
    features, targets = linear_problem(labels=1)
    assert (build("classical", name).fit(features, targets).chosen(features) == targets).mean() > 0.8
    assert not build("classical", name).fit(features, np.zeros_like(targets)).chosen(features).any()
    assert np.isfinite(build("classical", name).fit(features[:1], targets[:1]).scores(features)).all()


@each_method
def test_rows_that_nobody_annotated_teach_nothing(name):
    features, targets = linear_problem()
    unknown = np.zeros_like(targets)
    unknown[100:] = True
    config = with_settings(name, C=1.0) | ({"order": "given"} if name == "classifier_chain" else {})
    expected = build("classical", config).fit(features[:100], targets[:100]).scores(features)
    targets[100:] = ~targets[100:]
    assert (build("classical", config).fit(features, targets, unknown=unknown).scores(features) == expected).all()


@each_method
def test_progress_counts_to_the_end(name):
    steps = []
    build("classical", name).fit(*linear_problem(), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(i + 1, len(steps)) for i in range(len(steps))]


@each_method
def test_bad_input_gets_one_clear_line(name, tmp_path):
    features, targets = linear_problem()
    untrained = build("classical", name)
    with pytest.raises(ConfigurationError, match="not trained yet; call fit first"):
        untrained.scores(features)
    for kind in (np.asarray, sparse.csr_matrix):
        broken = features.copy()
        broken[7, 2] = np.nan
        with pytest.raises(DataError, match="row 7 has a feature that is not a finite number"):
            untrained.fit(kind(broken), targets)
    with pytest.raises(DataError, match="150 rows of features but 149 of targets"):
        untrained.fit(features, targets[1:])
    with pytest.raises(DataError, match="not a single training row"):
        untrained.fit(features[:0], targets[:0])
    classifier = untrained.fit(features, targets)
    with pytest.raises(DataError, match=r"expected \(N, 8\) as in training"):
        classifier.scores(features[:, 1:])
    with pytest.raises(RunError, match=r"model\.safetensors is missing"):
        classifier.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no such thing")
    with pytest.raises(RunError, match=r"model\.safetensors is damaged"):
        classifier.load(tmp_path)


def test_weights_of_another_method_are_refused(tmp_path):
    features, targets = linear_problem()
    LinearSVMClassifier().fit(features, targets).save(tmp_path)
    with pytest.raises(RunError, match="another method wrote it"):
        ClassifierChainClassifier().load(tmp_path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"name": "linear_svm", "C": 0}, "C must be a positive number, got 0"),
        ({"name": "logistic", "tolerance": "small"}, "tolerance must be a positive number"),
        ({"name": "linear_svm", "cost_sensitive": "micro"}, "did you mean 'micro_f1'"),
        ({"name": "linear_svm", "cost_sensitive": "micro_f1", "folds": 1}, "at least 2 folds"),
        ({"name": "linear_svm", "weights": [1, -1]}, r"weights\[1\] must be a positive number"),
        ({"name": "classifier_chain", "order": "frequent"}, "did you mean 'frequency'"),
        ({"name": "label_powerset", "c": 1}, "did you mean 'C'|has no setting 'c'"),
    ],
)
def test_settings_outside_their_range_are_refused(config, message):
    with pytest.raises(ConfigurationError, match=message):
        build("classical", config)


def squared_hinge(margins):
    return np.maximum(0, 1 - margins) ** 2


def log_loss(margins):
    return np.logaddexp(0, -margins)


@pytest.mark.parametrize(("cls", "loss"), [(LinearSVMClassifier, squared_hinge), (LogisticClassifier, log_loss)])
def test_solution_minimises_the_stated_objective(cls, loss):
    features, targets = linear_problem(labels=2)
    extended, cost = np.hstack([features, np.ones((len(features), 1))]), 0.7

    def objective(w, signs):
        return w @ w / 2 + cost * loss(signs * (extended @ w)).sum()

    scorer = cls(C=cost, tolerance=1e-6).fit(features, targets).scorer
    for label in range(2):
        signs = np.where(targets[:, label], 1.0, -1.0)
        best = optimize.minimize(objective, np.zeros(extended.shape[1]), signs, tol=1e-12)
        found = np.append(scorer.coefficients[label], scorer.intercepts[label]).astype(float)
        assert objective(found, signs) <= best.fun * (1 + 1e-6)
        np.testing.assert_allclose(found, best.x, atol=1e-3)


@each_method
def test_default_cost_is_relative_to_the_length_of_the_rows(name):
    features, targets = linear_problem()
    scores = build("classical", with_settings(name, tolerance=1e-6)).fit(features, targets).scores(features)
    mean = (features**2).sum(axis=1).mean()
    times = 16 if name == "logistic" else 1
    stated = build("classical", with_settings(name, tolerance=1e-6, C=times / mean)).fit(features, targets).scores(features)
    np.testing.assert_allclose(scores, stated, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", ["frequency", "given", "random"])
def test_chain_agrees_with_scikit_learn(order):
    features, targets = linear_problem(labels=5)
    ours = ClassifierChainClassifier(C=1.0, order=order, tolerance=1e-6).fit(features, targets, seed=2)
    theirs = ClassifierChain(LinearSVC(dual=False, tol=1e-6), order=ours.chain.tolist()).fit(features, targets)
    assert (ours.chosen(features) == theirs.predict(features)).all()
    np.testing.assert_allclose(ours.scores(features), theirs.decision_function(features), atol=1e-4)


def test_orders_of_the_chain():
    features, targets = linear_problem(labels=5)
    orders = {
        order: ClassifierChainClassifier(order=order).fit(features, targets, seed=2).chain for order in ("frequency", "given", "random")
    }
    assert orders["given"].tolist() == [0, 1, 2, 3, 4]
    assert (np.diff(targets.sum(axis=0)[orders["frequency"]]) <= 0).all()
    assert sorted(orders["random"]) == [0, 1, 2, 3, 4]
    assert (ClassifierChainClassifier(order="random").fit(features, targets, seed=2).chain == orders["random"]).all()


def test_powerset_agrees_with_scikit_learn_on_label_sets_as_classes():
    features, targets = linear_problem(labels=3)
    classes = targets @ (1 << np.arange(3))
    theirs = LinearSVC(dual=False, tol=1e-6).fit(features, classes)
    ours = LabelPowersetClassifier(C=1.0, tolerance=1e-6).fit(features, targets)
    assert (ours.chosen(features) @ (1 << np.arange(3)) == theirs.predict(features)).all()
    margins = theirs.decision_function(features)
    for label in range(3):
        inside = (theirs.classes_ >> label & 1).astype(bool)
        expected = margins[:, inside].max(axis=1) - margins[:, ~inside].max(axis=1)
        np.testing.assert_allclose(ours.scores(features)[:, label], expected, atol=1e-4)


def test_powerset_produces_only_label_sets_of_training():
    features, targets = linear_problem(labels=4)
    chosen = LabelPowersetClassifier().fit(features[:40], targets[:40]).chosen(features)
    assert {tuple(row) for row in chosen} <= {tuple(row) for row in targets[:40]}


def test_powerset_needs_a_row_that_is_annotated_throughout():
    features, targets = linear_problem()
    unknown = np.zeros_like(targets)
    unknown[:, 0] = True
    with pytest.raises(DataError, match="no whole label set"):
        LabelPowersetClassifier().fit(features, targets, unknown=unknown)
