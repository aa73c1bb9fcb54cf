"""Runs over folds, the seed of the split, and runs of a time before it: what is trained, what is compared, what still loads."""

import hashlib

import numpy as np
import pytest
import yaml
from made_runs import write_run
from small import QUICK, small_rows, write_csv
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.data import load
from multihot.errors import ConfigurationError
from multihot.experiments.compare import compare
from multihot.experiments.config import Config
from multihot.experiments.data_settings import DataSettings
from multihot.experiments.fit import resume
from multihot.experiments.run import Run
from multihot.experiments.seal import seal
from multihot.experiments.set_aside import set_aside
from multihot.experiments.sweep import plan_sweep
from multihot.labels import binarise
from multihot.storage.json_files import read_json, write_json

SETTINGS = {"data.folds": 3, "data.id": "id"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "letters.csv", small_rows(150))


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    """Two methods over three folds, as a sweep leaves them."""
    place = tmp_path_factory.mktemp("runs")
    for method, settings in (("svm", {}), ("weak", {"method.C": 0.0001})):
        for fold in range(3):
            more = SETTINGS | settings | {"data.fold": fold}
            multihot.fit(table, "tags", text="body", method="linear-svm", settings=more, out=place / method / f"0-fold{fold}")
    return place


def test_every_row_is_measured_once_and_the_joined_micro_f1_is_that_of_the_rows(folder, table):
    found = compare([folder], baseline="weak", measures=["micro_f1", "subset_accuracy", "map"], samples=300)
    runs = {method: [Run(folder / method / f"0-fold{fold}") for fold in range(3)] for method in ("svm", "weak")}
    names = [name for run in runs["svm"] for name in run.prediction()[0].ids]
    assert sorted(names) == sorted(row["id"] for row in small_rows(150))
    (data,) = found.data_sets
    assert (data.rows, data.remarks, found.left_out) == (150, [], [])
    svm = data.methods[0]
    assert (svm.name, svm.trainings, svm.folds, len(svm.folders), svm.pairs) == ("svm", 1, 3, 3, 1)
    both = total = right = 0
    for run in runs["svm"]:
        prediction, targets = run.prediction()
        true, given = targets.toarray() > 0, binarise(prediction.chosen).toarray() > 0
        both += (true & given).sum()
        total += true.sum() + given.sum()
        right += (true == given).all(axis=1).sum()
    assert svm.spread["micro_f1"].mean == pytest.approx(2 * both / total)
    assert svm.spread["subset_accuracy"].mean == pytest.approx(right / 150)
    assert svm.spread["map"].mean == pytest.approx(np.mean([run.metrics["test"]["map"] for run in runs["svm"]]))  # folds of one size
    low, high = svm.intervals["micro_f1"]
    assert low < svm.spread["micro_f1"].mean < high
    assert svm.p_values["micro_f1"] < 0.05


def test_folds_that_lack_are_said_and_folds_of_one_run_stand_for_themselves(folder):
    found = compare([folder / "svm" / "0-fold0", folder / "svm" / "0-fold2", folder / "weak" / "0-fold1"], measures=["micro_f1"])
    assert found.data_sets[0].rows == 100
    assert sorted(line.partition(":")[2] for line in found.left_out) == [
        " no finished run of fold 0, 2 of 3, so not all rows count", " no finished run of fold 1 of 3, so not all rows count",
    ]  # fmt: skip
    alone = Run(folder / "weak" / "0-fold1").metrics["test"]["micro_f1"]
    assert found.data_sets[0].methods[1].spread["micro_f1"].mean == pytest.approx(alone)


def test_repeated_folds_are_joined_by_the_names_of_their_rows(table, tmp_path):
    """With null, the run's seed cuts the folds: other folds, but in the end the same rows."""
    for seed in range(2):
        for fold in range(2):
            settings = {"data.folds": 2, "data.fold": fold, "data.split_seed": None, "data.id": "id"}
            out = tmp_path / "svm" / f"{seed}-fold{fold}"
            multihot.fit(table, "tags", text="body", method="linear-svm", settings=settings, out=out, seed=seed)
    assert Run(tmp_path / "svm" / "0-fold0").prediction()[0].ids != Run(tmp_path / "svm" / "1-fold0").prediction()[0].ids
    (method,) = compare([tmp_path], measures=["micro_f1"], samples=50).data_sets[0].methods
    assert (method.trainings, method.folds) == (2, 2)
    assert "micro_f1" in method.intervals  # given only where all trainings were measured on the same rows


def test_a_sweep_runs_all_folds_unless_one_is_named(tmp_path):
    content = {"data": ["letters"], "methods": {"svm": "linear-svm"}, "seeds": [0, 4]}
    cells = plan_sweep(content, tmp_path, settings=["data.folds=3"]).cells
    assert [cell.folder.name for cell in cells] == [f"{seed}-fold{fold}" for seed in (0, 4) for fold in range(3)]
    assert [(cell.config.seed, cell.config.data.fold, cell.fold) for cell in cells] == [(s, f, f) for s in (0, 4) for f in range(3)]
    named = plan_sweep({**content, "data": [{"source": "letters", "folds": 3, "fold": 1}]}, tmp_path).cells
    assert [cell.folder.name for cell in named] == ["0-fold1", "4-fold1"]
    assert [cell.folder.name for cell in plan_sweep(content, tmp_path).cells] == ["0", "4"]


def test_the_command_runs_the_folds_and_shows_their_mean(table, tmp_path):
    sweep = {"data": [{"source": str(table), "text": "body", "labels": "tags"}], "methods": {"svm": "linear-svm"}, "seeds": [0]}
    sweep["data"][0]["name"] = "letters"
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    done = CliRunner().invoke(app, ["sweep", str(tmp_path / "sweep.yaml"), "--out", str(tmp_path / "out"), "--set", "data.folds=2"])
    assert done.exit_code == 0, done.output
    values = [Run(tmp_path / "out" / "letters" / "svm" / f"0-fold{fold}").metrics["test"]["micro_f1"] for fold in range(2)]
    assert "[2/2] letters, svm, seed 0, fold 1: finished" in done.output
    assert f"{np.mean(values):.4f}" in done.output
    shown = CliRunner().invoke(app, ["compare", str(tmp_path / "out")])
    assert "1 seed, 2 folds" in shown.output
    assert "one training over 2 folds" in " ".join(shown.output.split())


def test_seeds_share_their_test_rows_unless_the_split_follows_them(table, tmp_path):
    tested = {}
    for split_seed in (0, 1, None):
        for seed in (0, 1):
            out = tmp_path / f"{split_seed}-{seed}"
            settings = {"data.split_seed": split_seed, "data.id": "id"}
            run = multihot.fit(table, "tags", text="body", method="linear-svm", settings=settings, out=out, seed=seed)
            tested[split_seed, seed] = run.prediction()[0].ids
    assert tested[0, 0] == tested[0, 1] == tested[None, 0]
    assert tested[1, 0] == tested[1, 1] == tested[None, 1] != tested[0, 0]


def forget_new_settings(folder):
    """The run folder as it was written before a split had a seed of its own."""
    content = yaml.safe_load((folder / "config.yaml").read_text())
    for name in ("split_seed", "folds", "fold", "header"):
        del content["data"][name]
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    if (folder / "metrics.json").exists():
        metrics = {key: value for key, value in read_json(folder / "metrics.json").items() if key not in ("files", "sha256")}
        write_json(folder / "metrics.json", seal(folder, metrics))


def test_a_run_of_before_loads_predicts_is_read_again_and_goes_on_as_its_seed_split_it(table, tmp_path):
    out = tmp_path / "old"
    settings = {**QUICK, "training.epochs": 2, "data.split_seed": None, "data.id": "id"}
    made = multihot.fit(table, "tags", text="body", settings=settings, out=out, seed=3)
    rows = made.prediction()[0].ids
    forget_new_settings(out)
    old = Run(out)
    assert old.config.data.split_seed is None
    assert list(old.predict(["wheat and corn"]).ids) == ["0"]
    decode = ["decode", str(out), "--set", "method.decision={name: top_k, k: 1}", "--out", str(tmp_path / "read")]
    done = CliRunner().invoke(app, decode)
    assert done.exit_code == 0, done.output
    assert Run(tmp_path / "read").prediction()[0].ids == rows
    (out / "metrics.json").unlink()
    assert resume(out).prediction()[0].ids == rows
    assert Config.from_dict({}).data.split_seed == 0


@pytest.mark.parametrize(("given", "said"), [
    ({"folds": 1}, "data.folds must be 2 or more"),
    ({"folds": 3, "fold": 3}, "data.fold from 0 to folds - 1, got 3 and 3"),
    ({"fold": 1}, "data.fold 1 has no effect without data.folds"),
    ({"folds": 3, "test_group": "001"}, "leave one of the two out"),
    ({"split_seed": -1}, "data.split_seed must be a whole number from 0"),
])  # fmt: skip
def test_settings_of_folds_that_cannot_be(given, said):
    with pytest.raises(ConfigurationError, match=said):
        DataSettings(**given)


def test_runs_of_other_label_spaces_are_joined_by_name(tmp_path):
    """A label that one fold's training rows lack is counted where it is known."""
    for fold, labels in enumerate((4, 6)):
        place = write_run(tmp_path / "svm" / f"0-fold{fold}", {"name": "linear-svm"}, rows=40, labels=labels, truth=fold)
        content = yaml.safe_load((place / "config.yaml").read_text())
        content["data"] |= {"folds": 2, "fold": fold}
        (place / "config.yaml").write_text(yaml.safe_dump(content))
    both = [Run(tmp_path / "svm" / f"0-fold{fold}").prediction() for fold in range(2)]
    hits = sum((binarise(prediction.chosen).multiply(targets)).sum() for prediction, targets in both)
    every = sum(binarise(prediction.chosen).sum() + targets.sum() for prediction, targets in both)
    (method,) = compare([tmp_path], measures=["micro_f1"], samples=10).data_sets[0].methods
    assert method.spread["micro_f1"].mean == pytest.approx(2 * hits / every)


# the rows of mulan/yeast that version 0.1.0 cut off with seed 3: sha256 of their ids, printed by that version
BEFORE = "4d50f6c424c06a4cba461c2b5141a9f5ca08f82e4d2d80ce5a09942179323110"


def test_the_rows_of_the_first_version_stay_its_rows(shared_data):
    """Sizes drift here, so that a stratification that holds them gives other rows; null never does."""
    data = load("mulan/yeast", from_path=shared_data)
    before = set_aside(data, DataSettings(split_seed=None), seed=3).split("validation")
    now = set_aside(data, DataSettings(split_seed=3), seed=0).split("validation")
    assert hashlib.sha256("\n".join(before["id"][:]).encode()).hexdigest() == BEFORE
    assert now["id"][:] != before["id"][:]
    assert now._fingerprint != before._fingerprint  # what is prepared of the one is not taken for the other
