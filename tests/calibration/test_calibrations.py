"""Calibrations against scikit-learn, a general optimiser, and data whose probabilities are known."""

import json

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from multihot.calibration import IsotonicCalibration, PlattCalibration, TemperatureCalibration
from multihot.components import build
from multihot.errors import ConfigurationError
from multihot.interfaces import Calibration

KINDS = ("temperature", "platt", "isotonic")


def problem(rows: int, seed: int = 0, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of true probabilities, multiplied by a slope, and targets drawn from the probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(-1, 1.5, (rows, 4))
    return slope * logits, random.random(logits.shape) < expit(logits)


def error(scores: np.ndarray, targets: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error, from its definition."""
    probabilities = expit(scores).ravel()
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [abs((targets.ravel()[place == b] - probabilities[place == b]).sum()) for b in range(bins)]
    return sum(gaps) / probabilities.size


@pytest.mark.parametrize("name", KINDS)
def test_probabilities_hold_on_new_data(name: str) -> None:
    scores, targets = problem(3000, slope=4.0)
    calibration = build("calibration", name).fit(scores, targets)
    new_scores, new_targets = problem(3000, seed=1, slope=4.0)
    assert error(calibration(new_scores), new_targets) < 0.25 * error(new_scores, new_targets)


def test_temperature_is_the_one_with_the_lowest_cross_entropy() -> None:
    scores, targets = problem(500, slope=3.0)
    found = TemperatureCalibration().fit(scores, targets).temperature
    best = minimize_scalar(lambda t: log_loss(targets.ravel(), expit(scores / t).ravel()), bounds=(0.1, 20), method="bounded").x
    assert found == pytest.approx(best, rel=1e-3)
    assert found == pytest.approx(3.0, rel=0.15)


def test_temperature_stays_in_its_range() -> None:
    _, targets = problem(500)
    assert TemperatureCalibration().fit(np.where(targets, 1.0, -1.0), targets).temperature == 0.01
    assert TemperatureCalibration().fit(-10 * np.where(targets, 1.0, -1.0), targets).temperature == 100.0


def test_platt_agrees_with_scikit_learn() -> None:
    scores, targets = problem(800, slope=2.0)
    calibration = PlattCalibration().fit(scores, targets)
    for label in range(4):
        column, truth = scores[:, [label]], targets[:, label]
        frozen = FrozenEstimator(LogisticRegression().fit(column, truth))
        theirs = CalibratedClassifierCV(frozen, method="sigmoid").fit(column, truth).predict_proba(column)[:, 1]
        np.testing.assert_allclose(expit(calibration(scores)[:, label]), theirs, atol=1e-4)
    assert (calibration.slopes > 0).all()


def test_platt_never_turns_the_order_around() -> None:
    scores, targets = problem(300)
    calibration = PlattCalibration().fit(-scores, targets)
    assert (calibration.slopes == 0).all()
    np.testing.assert_allclose(expit(calibration(scores)).mean(axis=0), targets.mean(axis=0), atol=0.01)


def test_isotonic_agrees_with_scikit_learn() -> None:
    scores, targets = problem(400, slope=2.0)
    calibration = IsotonicCalibration().fit(scores, targets)
    new, _ = problem(200, seed=1, slope=3.0)
    for label in range(4):
        fitted = IsotonicRegression(out_of_bounds="clip").fit(scores[:, label], targets[:, label])
        theirs, levels = fitted.predict(new[:, label]), fitted.y_thresholds_
        mine = expit(calibration(new)[:, label])
        np.testing.assert_allclose(mine, theirs, atol=1 / 402 + 1e-9)  # kept away from 0 and 1
        inside = (theirs >= levels[levels > 0].min()) & (theirs <= levels[levels < 1].max())
        assert inside.sum() > 50
        np.testing.assert_allclose(mine[inside], theirs[inside], rtol=1e-9)


@pytest.mark.parametrize("kind", [PlattCalibration, IsotonicCalibration])
def test_a_rare_label_takes_the_calibration_of_all_together(kind: type) -> None:
    scores, targets = problem(300)
    targets[:, 3] = np.arange(300) < 3
    calibration = kind(minimum_positives=5).fit(scores, targets)
    together = kind(minimum_positives=1).fit(scores.reshape(-1, 1), targets.reshape(-1, 1))
    np.testing.assert_allclose(calibration(scores)[:, [3]], together(scores[:, [3]]), rtol=1e-9)
    alone = kind(minimum_positives=5).fit(scores[:, [0]], targets[:, [0]])
    np.testing.assert_allclose(calibration(scores)[:, [0]], alone(scores[:, [0]]), rtol=1e-9)


@pytest.mark.parametrize("name", KINDS)
def test_sparse_scores_json_and_minus_infinity(name: str) -> None:
    scores, targets = problem(200)
    scores = scores.astype(np.float32)
    calibration: Calibration = build("calibration", name).fit(scores, targets)
    again = build("calibration", name).load_dict(json.loads(json.dumps(calibration.to_dict())))
    dense = calibration(scores)
    assert dense.dtype == np.float32
    assert (again(scores) == dense).all()
    as_sparse = calibration(sparse.csr_matrix(scores))
    assert (as_sparse.toarray() == dense).all()
    from_sparse = build("calibration", name).fit(sparse.csr_matrix(scores), sparse.csr_matrix(targets))
    np.testing.assert_allclose(from_sparse(scores), dense, rtol=1e-4, atol=1e-6)
    assert np.isneginf(calibration([[-np.inf, 0.0, 1.0, 2.0]])[0, 0])


@pytest.mark.parametrize("name", KINDS)
def test_unknown_entries_are_not_learned_from(name: str) -> None:
    scores, targets = problem(400)
    known = np.arange(400)[:, None].repeat(4, axis=1) < 250
    masked = build("calibration", name).fit(scores, targets, known)
    np.testing.assert_allclose(masked(scores), build("calibration", name).fit(scores[:250], targets[:250])(scores), rtol=1e-9)


@pytest.mark.parametrize("name", KINDS)
def test_nothing_to_learn_from_leaves_scores_as_they_are(name: str) -> None:
    scores = np.array([[1.0, -2.0], [0.5, 3.0]])
    calibration = build("calibration", name)
    with pytest.raises(ConfigurationError, match="not fitted yet"):
        calibration(scores)
    with pytest.warns(UserWarning, match="no positive or no negative"):
        calibration.fit(scores, np.zeros((2, 2)))
    assert (calibration(scores) == scores).all()
    assert calibration.fitted


def test_bad_settings_are_refused() -> None:
    for kind in (PlattCalibration, IsotonicCalibration):
        with pytest.raises(ConfigurationError, match="minimum_positives must be at least 1, got 0"):
            kind(minimum_positives=0)
