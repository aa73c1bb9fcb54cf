"""Ensembles against averages computed apart: of scikit-learn's classifiers, and of the members' own scores."""

from dataclasses import replace

import numpy as np
import pytest
from linear_problems import linear_problem
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

import multihot
from multihot.classical import check_classical
from multihot.classical.predictor import build_classifier
from multihot.components import UntrustedError
from multihot.errors import ConfigurationError, RunError
from multihot.experiments.redecode import redecode

MEMBERS = [{"name": "linear-svm", "C": 0.5}, {"name": "label-powerset", "C": 2.0}, "classifier-chain"]


def test_scores_are_the_weighted_mean_of_scikit_learns():
    features, targets = linear_problem()
    members = [{"name": "linear-svm", "C": 0.5, "tolerance": 1e-8}, {"name": "logistic", "C": 2.0, "tolerance": 1e-8}]
    found = build_classifier({"name": "ensemble", "members": members, "weights": [3, 1]}).fit(features, targets).scores(features)
    for label, target in enumerate(targets.T):
        svm = LinearSVC(C=0.5, tol=1e-8, max_iter=100_000).fit(features, target)
        logistic = LogisticRegression(C=2.0, tol=1e-8, solver="liblinear").fit(features, target)
        expected = 0.75 * svm.decision_function(features) + 0.25 * logistic.decision_function(features)
        np.testing.assert_allclose(found[:, label], expected, atol=1e-3)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_each_member_is_what_it_is_alone(kind, tmp_path):
    features, targets = linear_problem()
    config = {"name": "ensemble", "members": MEMBERS}
    ensemble = build_classifier(config).fit(kind(features), targets, seed=3)
    alone = [build_classifier({"name": m} if isinstance(m, str) else m).fit(kind(features), targets, seed=3) for m in MEMBERS]
    expected = np.mean([member.scores(kind(features)).astype(np.float64) for member in alone], axis=0)
    np.testing.assert_allclose(ensemble.scores(kind(features)), expected, rtol=1e-6, atol=1e-6)
    assert (ensemble.chosen(kind(features)) == (ensemble.scores(kind(features)) > 0)).all()
    assert ensemble.num_parameters == sum(member.num_parameters for member in alone)
    ensemble.save(tmp_path)
    assert (build_classifier(config).load(tmp_path).scores(features) == ensemble.scores(features)).all()
    with pytest.raises(RunError, match="another method wrote it"):
        build_classifier(config | {"members": [*MEMBERS, "logistic"]}).load(tmp_path)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_members_see_features_to_their_powers_at_the_length_of_the_row(kind):
    features, targets = linear_problem()
    features[3] = 0.0
    members = ["linear-svm", "logistic"]
    config = {"name": "ensemble", "members": members, "powers": [1, 0.5]}
    found = build_classifier(config).fit(kind(features), targets).scores(kind(features))
    seen = np.array([[np.copysign(abs(x) ** 0.5, x) for x in row] for row in features])
    seen = np.array(
        [row * (np.linalg.norm(old) / np.linalg.norm(row)) if row.any() else row for row, old in zip(seen, features, strict=True)]
    )
    scores = [
        build_classifier({"name": name}).fit(rows, targets).scores(rows) for name, rows in zip(members, (features, seen), strict=True)
    ]
    np.testing.assert_allclose(found, np.mean(scores, axis=0), rtol=1e-3, atol=1e-3)


def test_a_mean_of_log_odds_is_one_and_any_other_makes_margins():
    assert build_classifier({"name": "ensemble", "members": ["logistic", {"name": "logistic", "C": 1.0}]}).score_kind == "log_odds"
    assert build_classifier({"name": "ensemble", "members": ["logistic", "linear-svm"]}).score_kind == "margins"


def test_a_run_averages_the_runs_of_its_members_and_is_read_by_other_decisions(tmp_path):
    texts = [
        "wheat and corn prices rise",
        "corn harvest",
        "crude oil prices fall",
        "oil tanker",
        "wheat harvest falls",
        "oil and corn oil",
    ] * 8
    labels = [["corn", "wheat"], ["corn"], ["oil"], ["oil"], ["wheat"], ["corn", "oil"]] * 8
    members = [{"name": "linear-svm", "C": 10.0}, {"name": "label-powerset"}]

    csv = tmp_path / "train.csv"
    lines = [f"{text},{';'.join(names)}" for text, names in zip(texts, labels, strict=True)]
    csv.write_text("\n".join(["body,tags", *lines]))

    def train(method, name):
        return multihot.fit(csv, "tags", text="body", out=tmp_path / name, method=method, settings={"data.split": "random"})

    run = train({"name": "ensemble", "members": members}, "ensemble")
    ours, _ = run.prediction("test")
    expected = np.mean([train(member, member["name"]).prediction("test")[0].scores for member in members], axis=0)
    np.testing.assert_allclose(ours.scores, expected, rtol=1e-5, atol=1e-6)
    assert (ours.chosen.any(axis=1)).all()
    loaded = multihot.load(run.folder)
    assert loaded.predict(["corn and oil prices"]).chosen.shape == (1, 3)
    decided = replace(run.config, method={**run.config.method, "decision": {"name": "global", "measure": "example_f1"}})
    again, _ = redecode(loaded, decided, tmp_path / "again").prediction("test")
    assert (again.scores == ours.scores).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"members": []}, "members must be a list of classical methods, at least one"),
        ({"members": "logistic"}, "members must be a list of classical methods"),
        ({"members": ["linear-swm"]}, "did you mean 'linear_svm'"),
        ({"members": [5]}, "members[0] must be a name or a mapping"),
        ({"members": [{"name": "logistic", "features": {"min_count": 1}}]}, "has no setting 'features'"),
        ({"members": ["aa-knn"]}, "member 'aa-knn' learns label distributions"),
        ({"members": ["logistic", "linear-svm"], "weights": [1]}, "weights must be a list of 2 numbers"),
        ({"members": ["logistic", "linear-svm"], "weights": [1, 0]}, "weights[1] must be a positive number, got 0"),
        ({"powers": [1, 0.5, 2]}, "powers must be a list of 2 numbers"),
        ({"decision": "expected_f1"}, "add `calibration: platt`"),
    ],
)
def test_what_cannot_work_is_refused(settings, message):
    with pytest.raises(ConfigurationError) as error:
        check_classical({"name": "ensemble", **settings})
    assert message in str(error.value)


def test_a_member_from_elsewhere_is_not_imported():
    with pytest.raises(UntrustedError, match=r"my_package\.MyClassifier"):
        check_classical({"name": "ensemble", "members": ["my_package.MyClassifier"]})
