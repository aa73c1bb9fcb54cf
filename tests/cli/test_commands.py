"""The commands as a newcomer types them: what they print, and what bad input gets."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from multihot.cli import app

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
from small import QUICK, small_rows, write_csv

SETTINGS = [word for key, value in QUICK.items() for word in ("--set", f"{key}={json.dumps(value)}")]


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def run(folder):
    write_csv(folder / "train.csv", small_rows())
    result = call("train", folder / "train.csv", "--text", "body", "--labels", "tags", "--out", folder / "first", *SETTINGS)
    assert result.exit_code == 0, result.output
    assert "micro-F1" in result.stdout
    return folder / "first"


def test_predict_writes_json_lines_csv_and_parquet(run, folder):
    new = write_csv(folder / "new.csv", small_rows(5, seed=8), labelled=False)
    result = call("predict", run, new, "--top", 2)
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert [row["id"] for row in rows] == [f"n{i}" for i in range(5)]
    assert all(len(row["scores"]) == 2 for row in rows)
    for suffix in ("jsonl", "csv", "parquet"):
        assert call("predict", run, new, "--out", folder / f"tags.{suffix}").exit_code == 0
        assert (folder / f"tags.{suffix}").stat().st_size > 0
    assert (folder / "tags.csv").read_text().splitlines()[0] == "id,labels"


def test_evaluate_prints_measures_and_writes_them(run, folder):
    more = write_csv(folder / "more.csv", small_rows(40, seed=4))
    result = call("evaluate", run, more, "--out", folder / "more.json")
    assert "subset_accuracy" in result.stdout
    assert json.loads((folder / "more.json").read_text())["measures"]["micro_f1"] > 0.9
    assert "subset_accuracy" in call("evaluate", run).stdout


def test_list_names_what_there_is():
    assert "zlpr" in call("list", "losses").stdout
    everything = call("list").stdout
    assert all(name in everything for name in ("text_lstm", "binary_relevance", "linear-svm", "global"))


def test_a_yaml_configuration_trains(folder, run):
    source = folder / "train.csv"
    (folder / "job.yaml").write_text(f"data: {{source: {source}, text: body, labels: tags}}\nmethod: {{name: br, loss: zlpr}}\nseed: 3\n")
    result = call("train", folder / "job.yaml", "--out", folder / "job", *SETTINGS, "--set", "training.epochs=1")
    assert result.exit_code == 0, result.output
    assert yaml.safe_load((folder / "job" / "config.yaml").read_text())["method"]["loss"]["name"] == "zlpr"


BAD = {
    "a missing file": (["train", "nowhere.csv"], "nowhere"),
    "an unknown data set": (["train", "reuters"], "reuters21578"),
    "an unknown method": (["train", "{train}", "--method", "brr"], "there is no method 'brr'"),
    "an unknown setting": (["train", "{train}", "--set", "training.epoch=3"], "did you mean 'epochs'"),
    "a setting of the wrong kind": (
        ["train", "{train}", "--set", "training.epochs=many"],
        "training.epochs must be int or null, got 'many'",
    ),
    "a setting without a value": (["train", "{train}", "--set", "training.epochs"], "--set takes key=value"),
    "a wrong column": (["train", "{train}", "--text", "bodi", "--labels", "tags"], "body"),
    "no run": (["predict", "no-run", "{train}"], "there is no run folder"),
    "an unfinished run": (["predict", "{empty}", "{train}"], "holds no finished run"),
    "nothing to resume": (["train", "--resume", "{empty}"], "holds no training to go on with"),
    "an output of unknown kind": (["predict", "{run}", "{train}", "--out", "tags.xlsx"], "must end in .jsonl, .csv or .parquet"),
    "a run that is there": (["train", "{train}", "--text", "body", "--labels", "tags", "--out", "{run}"], "finished run already"),
    "an unknown kind to list": (["list", "lossses"], "did you mean 'losses'"),
    "an empty file": (["train", "{blank}", "--out", "{other}"], "blank.csv"),
    "a folder with nothing in it": (["train", "{empty}", "--out", "{other}"], "empty"),
    "broken JSON": (["train", "{broken}", "--out", "{other}"], "broken.jsonl"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_line(case, run, folder):
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "blank.csv").write_text("")
    (folder / "broken.jsonl").write_text('{"text": "a", "labels": ["x"]}\n{"text": "b", "labels": ["x"\n')
    places = {"train": folder / "train.csv", "empty": folder / "empty", "run": run, "blank": folder / "blank.csv"}
    places |= {"broken": folder / "broken.jsonl", "other": folder / "other"}
    words, message = BAD[case]
    result = call(*[word.format(**places) for word in words])
    errors = [line for line in result.stderr.splitlines() if line.startswith("multihot:")]
    assert result.exit_code == 2, result.output
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in result.output


def test_ctrl_c_keeps_what_is_done_and_resume_finishes_it(folder, run):
    out = folder / "stopped"
    words = ["train", folder / "train.csv", "--text", "body", "--labels", "tags", "--out", out, *SETTINGS, "--set", "training.epochs=400"]
    command = [sys.executable, "-c", "from multihot.cli import main; main()", *map(str, words)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    deadline = time.monotonic() + 120
    while not (out / "checkpoints" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert f"nothing is lost: `multihot train --resume {out}` goes on" in errors
    assert "Traceback" not in errors
    result = call("train", folder / "train.csv", "--text", "body", "--labels", "tags", "--out", out)
    assert "--resume" in result.stderr
    # the rest of 400 epochs would take too long here, so the training is told that it is nearly done
    config = out / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 400", "epochs: 12"))
    assert call("train", "--resume", out).exit_code == 0
    assert (out / "metrics.json").exists()


def test_votes_are_trained_on_and_counted(tmp_path):
    rows = [f"{number % 3},{number},{number % 3}|{number % 3}|{(number + 1) % 3}" for number in range(60)]
    (tmp_path / "votes.csv").write_text("\n".join(["f,g,votes", *rows]))
    counted = call("data", "stats", tmp_path / "votes.csv", "--distribution", "votes")
    assert counted.exit_code == 0, counted.output
    trained = call(
        "train",
        tmp_path / "votes.csv",
        "--method",
        "ldl",
        "--distribution",
        "votes",
        "--set",
        "training.epochs=1",
        "--out",
        tmp_path / "run",
    )
    assert trained.exit_code == 0, trained.output
    assert "KL divergence" in trained.output
    wrong = call("train", tmp_path / "votes.csv", "--distribution", "counts")
    assert wrong.exit_code == 2
    assert "data.distribution must be one of null, degrees, votes, mean_spread, got 'counts'" in wrong.output
