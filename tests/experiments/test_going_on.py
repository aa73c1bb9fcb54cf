"""A training goes on with its own data alone, and what it replaces stays until it is finished."""

import json
import logging
import shutil

import pytest
from small import QUICK, small_rows, write_csv
from typer.testing import CliRunner

import multihot
import multihot.experiments.fit
from multihot.cli import app
from multihot.data.in_memory import from_rows
from multihot.errors import DataError, RunError
from multihot.experiments.config import Config
from multihot.experiments.fit import fit, resume

SETTINGS = QUICK | {"training.epochs": 2}


def stopped(monkeypatch, train):
    """Run a training that stops when its last checkpoint is written."""

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(multihot.learners.neural_predictor.NeuralPredictor, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            train()


def rotate(rows):
    return [row | {"tags": other["tags"]} for row, other in zip(rows, [*rows[1:], rows[0]], strict=True)]


ALTERED = {
    "other labels": rotate,
    "other words": lambda rows: [row | {"body": row["body"].replace("wheat", "barley")} for row in rows],
    "a word in one row": lambda rows: [rows[0] | {"body": rows[0]["body"] + " gold"}, *rows[1:]],
    "a row more": lambda rows: [*rows, {"id": "new", "body": "wheat", "tags": ["grain"]}],
    "a row less": lambda rows: rows[1:],
    "another order": lambda rows: rows[::-1],
    "other names": lambda rows: [row | {"id": f"x{row['id']}"} for row in rows],
}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A data folder with its unfinished run."""
    folder = tmp_path_factory.mktemp("interrupted")
    (folder / "data").mkdir()
    write_csv(folder / "data" / "train.csv", small_rows(100))
    write_csv(folder / "data" / "test.csv", [row | {"id": f"t{row['id']}"} for row in small_rows(30, seed=1)])
    with pytest.MonkeyPatch.context() as patch:
        stopped(patch, lambda: multihot.fit(folder / "data", text="body", labels="tags", out=folder / "run", settings=SETTINGS))
    return folder


@pytest.fixture
def copy(interrupted, tmp_path):
    """The run is a copy; its data is what the configuration names, and is put back."""
    run = shutil.copytree(interrupted / "run", tmp_path / "run")
    yield interrupted / "data", run
    write_csv(interrupted / "data" / "train.csv", small_rows(100))
    write_csv(interrupted / "data" / "test.csv", [row | {"id": f"t{row['id']}"} for row in small_rows(30, seed=1)])


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("change", ALTERED)
def test_altered_data_is_refused_by_name_and_nothing_is_touched(copy, split, change):
    data, run = copy
    rows = small_rows(100) if split == "train" else [row | {"id": f"t{row['id']}"} for row in small_rows(30, seed=1)]
    write_csv(data / f"{split}.csv", ALTERED[change](rows))
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    done = CliRunner().invoke(app, ["train", "--resume", str(run)])
    assert done.exit_code == 2, done.exception
    (line,) = done.stderr.splitlines()
    assert f"the {split} split of data is not what the training in {run} began with; put the data back as it was" in line
    assert "--overwrite" in line
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_data_put_back_elsewhere_and_touched_is_the_same_data(copy, tmp_path, monkeypatch):
    data, run = copy
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "another cache"))
    write_csv(data / "train.csv", rotate(small_rows(100)))
    with pytest.raises(DataError, match="put the data back"):
        resume(run)
    write_csv(data / "train.csv", small_rows(100))
    assert resume(run).metrics["test"]


def test_data_in_memory_is_compared_too(tmp_path, monkeypatch):
    def data(change=lambda rows: rows):
        return from_rows([{"id": row["id"], "text": row["body"], "labels": row["tags"]} for row in change(small_rows(100))])

    config = {"method": {"name": "br"}, "training": {}, "data": {}}
    for key, value in SETTINGS.items():
        section, _, name = key.partition(".")
        config[section][name] = value
    stopped(monkeypatch, lambda: fit(Config.from_dict(config), tmp_path / "run", data()))
    for change in ALTERED.values():
        with pytest.raises(DataError, match="the train split of rows is not what the training in"):
            resume(tmp_path / "run", data(change))
    assert resume(tmp_path / "run", data()).metrics["test"]


def test_a_run_begun_before_data_was_remembered_goes_on_with_a_word(copy):
    _, run = copy
    (run / "data.json").unlink()
    said = []
    assert resume(run, say=said.append).metrics["test"]
    assert any("did not write down its data" in line for line in said)


@pytest.fixture
def svm(tmp_path):
    """A finished run, and how to train it anew."""
    csv_file = write_csv(tmp_path / "train.csv", small_rows(100))

    def train(seed, **options):
        return multihot.fit(csv_file, text="body", labels="tags", out=tmp_path / "run", method="linear-svm", seed=seed, **options)

    train(1)
    return train


def killed(monkeypatch, moment, train):
    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(multihot.experiments.fit, moment, die)
        with pytest.raises(Killed):
            train()


def test_a_killed_replacement_keeps_the_run_before_until_it_is_finished(svm, tmp_path, monkeypatch):
    folder, before = tmp_path / "run", tmp_path / "run.previous"
    killed(monkeypatch, "measure_and_finish", lambda: svm(2, overwrite=True))
    assert multihot.load(before).config.seed == 1
    with pytest.raises(RunError, match=f"the finished run before it is in {before}"):
        multihot.load(folder)
    killed(monkeypatch, "measure_and_finish", lambda: svm(3, overwrite=True))
    assert multihot.load(before).config.seed == 1
    said = []
    assert resume(folder, say=said.append).config.seed == 3
    assert f"the run before is in {before} until this one is finished" in said
    assert not before.exists()


def test_a_replacement_killed_at_its_very_end_is_cleaned_up_by_the_next_start(svm, tmp_path, monkeypatch):
    before = tmp_path / "run.previous"
    for start in (lambda: resume(tmp_path / "run"), lambda: svm(3, overwrite=True)):
        killed(monkeypatch, "close_folder", lambda: svm(2, overwrite=True))
        assert multihot.load(tmp_path / "run").config.seed == 2
        assert before.exists()
        start()
        assert not before.exists()
    assert multihot.load(tmp_path / "run").config.seed == 3


def test_a_replacement_killed_before_it_began_is_undone(svm, tmp_path):
    (tmp_path / "run").rename(tmp_path / "run.previous")
    with pytest.raises(RunError, match="holds a finished run already"):
        svm(2)
    assert multihot.load(tmp_path / "run").config.seed == 1
    assert not (tmp_path / "run.previous").exists()


def test_a_folder_of_ones_own_is_never_taken_for_the_run_before(svm, tmp_path):
    (tmp_path / "run.previous").mkdir()
    (tmp_path / "run.previous" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"run\.previous is in the way"):
        svm(2, overwrite=True)
    assert (tmp_path / "run.previous" / "notes.txt").read_text() == "mine"
    assert multihot.load(tmp_path / "run").config.seed == 1


def test_what_a_killed_training_left_half_written_is_removed_by_the_next(copy):
    _, run = copy
    for folder in (run, run / "log", run / "checkpoints"):
        (folder / ".metrics.json-12-0123abcd.partial").write_text("half")
    resume(run)
    assert list(run.rglob("*.partial")) == []


@pytest.mark.parametrize("stripped", [["files"], ["sha256"], ["files", "sha256"]])
def test_a_run_without_its_checksums_says_so(svm, tmp_path, caplog, stripped):
    path = tmp_path / "run" / "metrics.json"
    content = json.loads(path.read_text())
    for name in stripped:
        content.pop(name)
    content["test"]["micro_f1"] = 1.0
    path.write_text(json.dumps(content))
    for words in (
        ["evaluate", str(path.parent)],
        ["compare", str(path.parent)],
        ["report", str(path.parent), "--out", str(tmp_path / "r")],
    ):
        done = CliRunner().invoke(app, [*words, str(path.parent)])
        assert done.exit_code == 2, words
        assert "was altered since the training: it lacks its checksums" in done.stderr.splitlines()[-1]
    environment = json.loads((path.parent / "environment.json").read_text())
    (path.parent / "environment.json").write_text(json.dumps(environment | {"run_format": 1}))
    if stripped == ["files", "sha256"]:
        with caplog.at_level(logging.WARNING):
            assert multihot.load(path.parent).metrics["test"]["micro_f1"] == 1.0
        assert [record.message for record in caplog.records] == [
            f"{path.parent}: an older run without checksums; whether its files are as they were written is not known"
        ]
    else:
        with pytest.raises(RunError, match="lacks its checksums"):
            multihot.load(path.parent)
