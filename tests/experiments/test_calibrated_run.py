"""A calibrated run from training to prediction: what was fitted travels in the folder and is used on new rows."""

import json

import numpy as np
import pytest
from small import QUICK, small_rows, write_csv

import multihot
from multihot.calibration import PlattCalibration
from multihot.errors import RunError
from multihot.metrics import reliability, to_probabilities


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    data = write_csv(folder / "train.csv", small_rows(240))
    chosen = {"method.loss": "zlpr", "method.calibration": "platt", "method.decision": {"name": "conformal", "recall": 0.8}}
    return multihot.fit(
        str(data),
        text="body",
        labels="tags",
        out=folder / "run",
        seed=1,
        settings=QUICK | chosen | {"training.epochs": 4, "data.validation": 0.3},
    )


def test_the_calibration_is_that_of_the_validation_scores(run):
    prediction, targets = run.prediction("validation")
    alone = PlattCalibration().fit(prediction.uncalibrated, targets)
    np.testing.assert_allclose(prediction.scores, alone(prediction.uncalibrated), rtol=1e-4, atol=1e-5)
    learned = json.loads((run.folder / "calibration.json").read_text())
    np.testing.assert_allclose(learned["slopes"], alone.slopes, rtol=1e-3)
    assert json.loads((run.folder / "decision.json").read_text())["n"] == len(prediction)
    expected = reliability(targets, to_probabilities(prediction.scores)).error()
    assert run.metrics["validation"]["calibration_error"] == pytest.approx(expected)


def test_new_rows_are_calibrated_as_in_training(run):
    prediction, _ = run.prediction("test")
    rows = {row["id"]: row for row in small_rows(240)}
    again = multihot.load(run.folder).predict([{"id": name, "text": rows[name]["body"]} for name in prediction.ids])
    np.testing.assert_allclose(again.scores, prediction.scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(again.uncalibrated, prediction.uncalibrated, rtol=1e-4, atol=1e-5)
    assert (again.chosen == prediction.chosen).all()


def test_a_lost_calibration_is_named(run):
    path = run.folder / "calibration.json"
    content = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(RunError, match=r"calibration\.json"):
            multihot.load(run.folder).predict(["wheat"])
    finally:
        path.write_bytes(content)
