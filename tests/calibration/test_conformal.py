"""The promise of conformal label sets, by simulation and against the definition of the threshold."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.calibration import ConformalDecision, IsotonicCalibration, PlattCalibration, TemperatureCalibration, half_of
from multihot.components import build
from multihot.decoding import ThresholdDecoding
from multihot.errors import ConfigurationError, DataError
from multihot.losses import BinaryCrossEntropyLoss
from multihot.predictions import Prediction


def missed_share(targets: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """1 - recall of every instance that carries a label."""
    true = targets.sum(axis=1)
    return ((targets & ~chosen).sum(axis=1) / np.maximum(true, 1))[true > 0]


def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Instances of uneven difficulty, some without labels; scores that know something."""
    targets = random.random((rows, 6)) < random.random((rows, 1)) * np.linspace(0.9, 0.1, 6)
    return random.normal(size=(rows, 6)) * random.uniform(0.5, 3, (rows, 1)) + 2 * targets, targets


@pytest.mark.parametrize(("recall", "rows"), [(0.9, 40), (0.8, 50), (0.95, 200)])
def test_mean_recall_over_draws_is_at_least_what_is_promised(recall: float, rows: int) -> None:
    random = np.random.default_rng(0)
    losses = []
    for _ in range(1500):
        scores, targets = draw(random, rows + 25)
        decision = ConformalDecision(recall).fit(scores[:rows], targets[:rows])
        losses.append(missed_share(targets[rows:], decision(scores[rows:])).mean())
    error = np.std(losses) / len(losses) ** 0.5
    assert np.mean(losses) <= 1 - recall + 3 * error
    assert np.mean(losses) >= 1 - recall - 2 / (0.8 * rows) - 3 * error  # and it is not far more careful than it has to be


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 40), st.sampled_from([0.5, 0.8, 0.9]), st.booleans())
def test_the_threshold_is_the_highest_that_is_allowed(seed: int, rows: int, recall: float, ties: bool) -> None:
    scores, targets = draw(np.random.default_rng(seed), rows)
    scores = np.round(scores) if ties else scores
    decision = ConformalDecision(recall).fit(scores, targets)

    def allowed(threshold: float) -> bool:
        missed = missed_share(targets, scores >= threshold)
        return missed.sum() / (len(missed) + 1) + 1 / (len(missed) + 1) <= 1 - recall + 1e-9

    assert allowed(decision.threshold)
    assert not any(allowed(t) for t in np.unique(scores) if t > decision.threshold)


@pytest.mark.parametrize(("recall", "least"), [(0.9, 9), (0.95, 19), (0.5, 1), (0.99, 99)])
def test_too_few_instances_are_refused_with_the_least_number(recall: float, least: int) -> None:
    scores = np.arange(least, dtype=float)[:, None]
    assert ConformalDecision(recall).fit(scores, np.ones((least, 1))).guaranteed
    if least > 1:
        with pytest.raises(DataError, match=rf"at least {least} validation instances with labels .*, got {least - 1};"):
            ConformalDecision(recall).fit(scores[1:], np.ones((least - 1, 1)))


def test_instances_nobody_annotated_do_not_count() -> None:
    scores, targets = draw(np.random.default_rng(0), 30)
    known = np.arange(30)[:, None].repeat(6, axis=1) < 20
    decision = ConformalDecision(0.8).fit(scores, targets, known)
    assert decision.to_dict() == ConformalDecision(0.8).fit(scores[:20], targets[:20]).to_dict()
    assert decision.num_instances == targets[:20].any(axis=1).sum()


def test_labels_out_of_reach_end_the_promise_with_a_warning() -> None:
    scores, targets = draw(np.random.default_rng(0), 30)
    few = sparse.csr_matrix(np.where(scores > 2, scores, 0))
    with pytest.warns(UserWarning, match="nothing is guaranteed"):
        decision = ConformalDecision(0.9).fit(few, targets)
    assert not decision.guaranteed
    assert decision(few).nnz == few.nnz


def test_instances_without_labels_have_no_recall_to_promise() -> None:
    scores, targets = draw(np.random.default_rng(0), 60)
    labelled = targets.any(axis=1)
    assert 30 < labelled.sum() < 60
    alone = ConformalDecision(0.8).fit(scores[labelled], targets[labelled])
    assert ConformalDecision(0.8).fit(scores, targets).to_dict() == alone.to_dict()
    with pytest.raises(DataError, match="at least 9 validation instances with labels that nothing else was chosen by, got 8"):
        ConformalDecision(0.9).fit(scores[np.cumsum(labelled) <= 8], targets[np.cumsum(labelled) <= 8])


def test_it_travels_as_json() -> None:
    scores, targets = draw(np.random.default_rng(0), 60)
    decision = build("decision", {"name": "conformal", "recall": 0.8}).fit(scores, targets)
    again = ConformalDecision(0.8).load_dict(json.loads(json.dumps(decision.to_dict())))
    assert again.to_dict() == decision.to_dict()
    assert (again(scores) == decision(scores)).all()
    assert decision.to_dict()["alpha"] == 0.2
    assert decision.to_dict()["n"] == targets.any(axis=1).sum()


@pytest.mark.parametrize("recall", [0.0, 1.0, -0.1, float("nan")])
def test_an_impossible_promise_is_refused(recall: float) -> None:
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        ConformalDecision(recall)


CALIBRATIONS = {"none": lambda: None, "temperature": TemperatureCalibration, "platt": lambda: PlattCalibration(3)}
CALIBRATIONS["isotonic"] = lambda: IsotonicCalibration(3)  # steps that few positives make fit noise best


def decoded(calibration: str, rows: int, scores: np.ndarray, targets: np.ndarray, **kept) -> ThresholdDecoding:
    decoding = ThresholdDecoding(BinaryCrossEntropyLoss(), ConformalDecision(0.9), CALIBRATIONS[calibration]())
    decoding.fit(Prediction([str(i) for i in range(rows)], scores[:rows], scores[:rows] > 0), targets[:rows], **kept)
    return decoding


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_the_promise_holds_after_a_calibration(calibration: str) -> None:
    random, rows, missed = np.random.default_rng(1), 60, []
    for _ in range(250):
        scores, targets = draw(random, rows + 300)
        decoding = decoded(calibration, rows, scores, targets)
        assert decoding.decision.to_dict()["guaranteed"]
        new = scores[rows:] if decoding.calibration is None else decoding.calibration(scores[rows:])
        missed.append(missed_share(targets[rows:], decoding.decision(new)).mean())
    assert np.mean(missed) <= 0.1 + 3 * np.std(missed) / len(missed) ** 0.5


def test_one_half_calibrates_and_the_other_half_decides() -> None:
    scores, targets = draw(np.random.default_rng(3), 101)
    kept = half_of(101)
    assert kept.sum() == 51
    decoding = decoded("platt", 101, scores, targets)
    calibration = PlattCalibration(3).fit(scores[~kept], targets[~kept])
    assert decoding.calibration.to_dict() == calibration.to_dict()
    assert decoding.decision.to_dict() == ConformalDecision(0.9).fit(calibration(scores[kept]), targets[kept]).to_dict()
    assert decoded("none", 101, scores, targets).decision.to_dict() == ConformalDecision(0.9).fit(scores, targets).to_dict()


def test_nothing_is_guaranteed_where_all_rows_chose_the_weights() -> None:
    scores, targets = draw(np.random.default_rng(3), 100)
    for calibration in CALIBRATIONS:
        decision = decoded(calibration, 100, scores, targets, kept=np.zeros(100, dtype=bool)).decision
        assert not decision.to_dict()["guaranteed"]
        assert decision.num_instances == targets.any(axis=1).sum()
        assert decoded(calibration, 100, scores, targets, kept=half_of(100)).decision.to_dict()["guaranteed"]
