"""Run folders that version 0.1.0 wrote still load, predict what they predicted, and stand in comparisons and reports.

They and ``train.csv`` lie in ``old_runs``; the ``.jsonl`` files are what ``multihot predict RUN train.csv`` of version 0.1.0 wrote.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import multihot
from multihot.experiments import Config, override
from multihot.experiments.compare import compare
from multihot.experiments.redecode import redecode
from multihot.report import make_report

PLACE = Path(__file__).parent / "old_runs"
NAMES = ("br", "linear-svm", "ocd-mtl")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    shutil.copytree(PLACE, tmp_path / "old")
    monkeypatch.chdir(tmp_path / "old")
    return tmp_path / "old"


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_the_first_version_predicts_what_it_predicted(name, desk):
    before = [json.loads(line) for line in (desk / f"{name}.jsonl").read_text().splitlines()]
    run = multihot.load(desk / name)
    prediction = run.predict("train.csv")
    assert [{"id": i, "labels": labels} for i, labels in zip(prediction.ids, run.labels.decode(prediction.chosen), strict=True)] == before
    assert sum(map(bool, (row["labels"] for row in before))) > 150


def test_they_are_compared_with_each_other_and_shown(desk):
    (data,) = compare([desk / name for name in NAMES], "br", ["micro_f1"], samples=50, swaps=50).data_sets
    assert {method.name for method in data.methods} == set(NAMES)
    for method in data.methods:
        measured = json.loads((desk / method.name / "metrics.json").read_text())["test"]["micro_f1"]
        assert method.spread["micro_f1"].mean == pytest.approx(measured)
    assert all(name in make_report([desk / name for name in NAMES]) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_read_by_another_decision(name, desk):
    run = multihot.load(desk / name)
    setting = "method.decoding=threshold" if name == "ocd-mtl" else "method.decision=per_label"
    read = redecode(run, Config.from_dict(override(run.config.to_dict(), [setting])), desk / "again")
    assert read.config.data == run.config.data
    assert read.prediction("test")[0].ids == run.prediction("test")[0].ids
