"""The solver against liblinear run to a tight tolerance, against the dual bound, and against itself on other numbers of cores."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_problems import linear_problem
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from multihot.classical import newton
from multihot.classical.linear import Solver
from multihot.classical.newton import log_loss, minimise, squared_hinge
from multihot.components import build


def words(rows=1500, features=400, share=0.02, seed=0):
    """(N, F) csr like TF-IDF, a rare class that some of the features point to, and a constant feature first."""
    random = np.random.default_rng(seed)
    values = random.random((rows, features)) * (random.random((rows, features)) < 20 / features)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    scores = values @ random.normal(size=features) + 0.1 * random.normal(size=rows)
    target = scores > np.quantile(scores, 1 - share)
    return sparse.csr_matrix(np.hstack([np.ones((rows, 1)), values])), target


@pytest.mark.parametrize("share", [0.002, 0.02, 0.5, 0.9])
@pytest.mark.parametrize("C", [0.1, 1.0, 16.0])
@pytest.mark.parametrize("dense", [True, False])
def test_solution_is_that_of_liblinear_at_a_tight_tolerance(share, C, dense):  # noqa: N803
    features, target = words(share=share)
    features = features.toarray() if dense else features
    for loss, estimator in (
        (squared_hinge, LinearSVC(C=C, dual=False, tol=1e-9, fit_intercept=False)),
        (log_loss, LogisticRegression(C=C, solver="liblinear", tol=1e-9, fit_intercept=False)),
    ):
        found = Solver(loss, C, 1e-7)(features, target)[0]
        np.testing.assert_allclose(found, estimator.fit(features, target).coef_[0], atol=1e-4)


@st.composite
def problems(draw):
    rows, features = draw(st.integers(2, 60)), draw(st.integers(1, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    matrix = random.normal(size=(rows, features)) * (random.random((rows, features)) < draw(st.sampled_from([0.2, 1.0])))
    matrix *= draw(st.sampled_from([1e-3, 1.0, 30.0]))
    signs = np.where(random.random(rows) < draw(st.sampled_from([0.1, 0.5, 0.95])), 1.0, -1.0)
    costs = random.uniform(0.1, 1, size=rows) * draw(st.sampled_from([1e-3, 1.0, 100.0]))
    return matrix, signs, costs


def minimised(*arguments):
    """The solution, and whether the solver said that it stopped short: with costs far beyond the default, one in thousands does."""
    said = []
    handler = logging.Handler()
    handler.emit = said.append
    newton.logger.addHandler(handler)
    try:
        return minimise(*arguments), bool(said)
    finally:
        newton.logger.removeHandler(handler)


@given(problems())
@settings(max_examples=150, deadline=None)
def test_duality_gap_closes(problem):
    """Any a >= 0 bounds the minimum from below: ``sum a - ||sum a_i y_i x_i||^2 / 2 - sum a_i^2 / (4 c_i)`` (Hsieh et al., ICML 2008)."""
    features, signs, costs = problem
    weights, short = minimised(features, signs, costs, squared_hinge, 1e-8)
    missing = np.maximum(0, 1 - signs * (features @ weights))
    reached = weights @ weights / 2 + costs @ missing**2
    multipliers = 2 * costs * missing
    sums = features.T @ (multipliers * signs)
    bound = multipliers.sum() - sums @ sums / 2 - (multipliers**2 / (4 * costs)).sum()
    assert short or reached - bound <= 1e-6 * reached + 1e-10 * costs.sum()  # the value at 0 is the sum of the costs


@given(problems(), st.sampled_from([squared_hinge, log_loss]), st.floats(1e-8, 1e-4))
@settings(max_examples=100, deadline=None)
def test_gradient_keeps_the_stated_rule(problem, loss, tolerance):
    features, signs, costs = problem
    weights, short = minimised(features, signs, costs, loss, tolerance)

    def gradient(at):
        return at + features.T @ (costs * signs * loss(signs * (features @ at))[0])

    positives = (signs > 0).sum()
    rarer = max(min(positives, len(signs) - positives), 1) / len(signs)
    allowed = tolerance * rarer * np.linalg.norm(gradient(np.zeros(features.shape[1])))
    assert short or np.linalg.norm(gradient(weights)) <= allowed * (1 + 1e-6) + 1e-12 * np.abs(costs).sum()


@pytest.mark.parametrize("loss", [squared_hinge, log_loss])
def test_derivatives_agree_with_differences(loss):
    values = {squared_hinge: lambda m: np.maximum(0, 1 - m) ** 2, log_loss: lambda m: np.logaddexp(0, -m)}[loss]
    margins, near = np.array([-700.0, -3.0, -0.2, 0.9, 1.1, 4.0, 700.0]), 1e-6
    slopes, curvatures = loss(margins)
    np.testing.assert_allclose(slopes, (values(margins + near) - values(margins - near)) / (2 * near), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(curvatures, (loss(margins + near)[0] - loss(margins - near)[0]) / (2 * near), rtol=1e-6, atol=1e-6)


def test_a_path_over_weights_finds_what_each_weight_alone_finds():
    features, target = words()
    solver = Solver(squared_hinge, 1.0, 1e-7)
    weights = [1.0, 2.0, 4.0, 8.0, 16.0]
    for weight, found in zip(weights, solver(features, target, weights), strict=True):
        np.testing.assert_allclose(found, solver(features, target, [weight])[0], atol=1e-5)


def test_a_solution_out_of_reach_is_said(monkeypatch, caplog):
    monkeypatch.setattr(newton, "MOST_STEPS", 2)
    features, target = words()
    with caplog.at_level(logging.WARNING):
        minimise(features, np.where(target, 1.0, -1.0), np.ones(len(target)), squared_hinge, 1e-9)
    assert "stopped after 2 steps short of its tolerance" in caplog.text


@pytest.mark.parametrize("name", ["linear_svm", "logistic", "classifier_chain", "label_powerset", "cost-sensitive"])
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_results_are_the_same_bits_for_any_number_of_threads_and_every_time(name, kind):
    features, targets = linear_problem(rows=300, features=40, labels=4)
    features = sparse.csr_matrix(features) if kind == "csr" else features
    method = {"name": "linear_svm", "cost_sensitive": "micro_f1"} if name == "cost-sensitive" else {"name": name}
    found = []
    for jobs in (1, 2, 4, None, None):
        tensors = build("classical", method | {"jobs": jobs}).fit(features, targets, seed=1).to_tensors()
        found.append({key: tensor.tobytes() for key, tensor in tensors.items()})
    assert all(again == found[0] for again in found[1:])
