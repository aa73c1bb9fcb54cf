"""A calibrated run from training to prediction: what was fitted travels in the folder and is used on new rows."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from small import QUICK, small_rows, write_csv

import multihot
from multihot.calibration import ConformalDecision, PlattCalibration, half_of
from multihot.errors import RunError
from multihot.experiments.redecode import redecode
from multihot.metrics import evaluate, reliability, to_probabilities


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
    kept = half_of(len(prediction))  # for what the decision promises; the other half calibrates
    alone = PlattCalibration().fit(prediction.uncalibrated[~kept], targets[~kept])
    np.testing.assert_allclose(prediction.scores, alone(prediction.uncalibrated), rtol=1e-4, atol=1e-5)
    learned = json.loads((run.folder / "calibration.json").read_text())
    np.testing.assert_allclose(learned["slopes"], alone.slopes, rtol=1e-3)
    decision = json.loads((run.folder / "decision.json").read_text())
    alone = ConformalDecision(0.8).fit(prediction.scores[kept], targets[kept])
    assert (decision["n"], decision["guaranteed"]) == (alone.num_instances, True)
    assert decision["threshold"] == pytest.approx(alone.threshold, rel=1e-4, abs=1e-5)


def test_the_rows_kept_for_the_promise_choose_no_weights(run):
    prediction, targets = run.prediction("validation")
    others = ~half_of(len(prediction))
    decision = ConformalDecision(0.8)
    calibrated = PlattCalibration().fit(prediction.uncalibrated[others], targets[others])(prediction.uncalibrated[others])
    chosen = decision.fit(calibrated, targets[others])(calibrated)
    with (run.folder / "log" / "metrics.csv").open() as file:
        logged = [float(row["validation/micro_f1"]) for row in csv.DictReader(file) if row["validation/micro_f1"]]
    assert max(logged) == pytest.approx(evaluate(targets[others], chosen)["micro_f1"], abs=1e-4)


def test_another_reading_of_weights_that_all_validation_rows_chose_guarantees_nothing(run, tmp_path):
    said = []
    plain = multihot.fit(
        str(run.folder.parent / "train.csv"),
        text="body",
        labels="tags",
        out=tmp_path / "plain",
        seed=1,
        settings=QUICK | {"training.epochs": 1},
    )
    promising = replace(plain.config, method={**plain.config.method, "decision": {"name": "conformal", "recall": 0.5}})
    again = redecode(plain, promising, tmp_path / "again", say=said.append)
    assert not json.loads((again.folder / "decision.json").read_text())["guaranteed"]
    assert any("nothing is guaranteed" in line for line in said)
    kept = redecode(run, run.config, tmp_path / "kept", say=said.append)
    assert json.loads((kept.folder / "decision.json").read_text())["guaranteed"]


def test_its_error_is_measured(run):
    prediction, targets = run.prediction("validation")
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
