"""Sweeps: what is planned, what is skipped, what goes on, and what a kill or a failing run leaves."""

import json
import signal
import subprocess
import sys
import time

import pytest
import yaml
from small import QUICK, small_rows, write_csv
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.errors import ConfigurationError, RunError
from multihot.experiments import sweep as sweeps
from multihot.experiments.sweep import plan_sweep, run_sweep

CONTENT = {"data": ["letters", "mulan/emotions"], "methods": {"svm": "linear-svm", "br": {"loss": "zlpr"}}, "seeds": [0, 1]}

# stands in for `multihot train`: notes that it ran, takes a moment, fails where asked to, and leaves what a run leaves
TRAINER = """
import json, pathlib, shutil, sys, time
import filelock
config, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
place = folder.parents[2]
with (place / "trained.txt").open("a") as file:
    file.write(f"{folder.relative_to(place)}\\n")
lock = filelock.FileLock(folder.with_name(f".{folder.name}.lock"))
lock.acquire()
folder.mkdir(exist_ok=True)
shutil.copy(config, folder / "config.yaml")
time.sleep(float((place / "pause.txt").read_text()) if (place / "pause.txt").exists() else 0)
if (place / "fails.txt").exists() and str(folder.relative_to(place)) == (place / "fails.txt").read_text():
    print("multihot: training.jsonl, row 7: something is wrong", file=sys.stderr)
    sys.exit(2)
(folder / "metrics.json").write_text(json.dumps({"test": {"micro_f1": 0.5}}))
"""


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    (tmp_path / "trainer.py").write_text(TRAINER)
    monkeypatch.setattr(sweeps, "TRAIN", (sys.executable, str(tmp_path / "trainer.py")))
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def trained(out):
    return (out / "trained.txt").read_text().split()


def test_every_method_on_every_data_set_with_every_seed(tmp_path):
    overrides = [
        {"set": {"training.epochs": 7}},
        {"when": {"data": "mulan/emotions", "method": ["br"]}, "set": {"training.epochs": 9, "method.loss": "bce"}},
    ]
    sweep = plan_sweep(CONTENT | {"training": {"batch_size": 8}, "overrides": overrides}, tmp_path)
    assert [str(cell.folder.relative_to(tmp_path)) for cell in sweep.cells] == [
        f"{data}/{method}/{seed}" for data in ("letters", "mulan-emotions") for method in ("svm", "br") for seed in (0, 1)
    ]
    assert [cell.config.training.epochs for cell in sweep.cells] == [7, 7, 7, 7, 7, 7, 9, 9]
    assert {cell.config.training.batch_size for cell in sweep.cells} == {8}
    assert [cell.config.method.get("loss") for cell in sweep.cells if cell.method == "br"] == ["zlpr", "zlpr", "bce", "bce"]
    assert [cell.config.data.source for cell in sweep.cells[3:5]] == ["letters", "mulan/emotions"]
    assert {cell.state for cell in sweep.cells} == {"waiting"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"metods": {}}, "did you mean 'methods'"),
        ({"data": []}, "data must be a list"),
        ({"data": [{"text": "body"}]}, "source"),
        ({"data": ["letters", {"source": "x.csv", "name": "letters"}]}, "two data sets are called 'letters'"),
        ({"methods": {}}, "methods must map"),
        ({"methods": {"a/b": "br"}}, "'a/b' names a folder"),
        ({"methods": {"..": "br"}}, "names a folder"),
        ({"methods": {"x": "linear-svn"}}, "linear-svm"),
        ({"methods": {"x": {"loss": "zlrp"}}}, "zlpr"),
        ({"seeds": [0, 0]}, "seeds must be"),
        ({"seeds": ["a"]}, "seed must be an integer"),
        ({"training": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"overrides": [{"when": {"data": "leters"}, "set": {}}]}, "did you mean 'letters'"),
        ({"overrides": [{"sett": {}}]}, "an override must be"),
        ({"overrides": [{"set": {"training.epohs": 1}}]}, "did you mean 'epochs'"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_trained(tmp_path, change, word):
    with pytest.raises(ConfigurationError, match=word) as caught:
        plan_sweep(CONTENT | change, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_finished_is_not_made_again(trainer):
    states = []
    run_sweep(plan_sweep(CONTENT, trainer), lambda cell: states.append(cell.state))
    assert states == ["running", "finished"] * 8
    assert len(trained(trainer)) == 8
    again = plan_sweep(CONTENT | {"seeds": [0, 1, 2]}, trainer)
    assert [cell.state for cell in again.cells] == ["finished", "finished", "waiting"] * 4
    assert again.cells[0].measures == {"micro_f1": 0.5}
    run_sweep(again)
    assert trained(trainer)[8:] == [f"{data}/{method}/2" for data in ("letters", "mulan-emotions") for method in ("svm", "br")]


def test_a_failing_run_does_not_stop_the_others_and_is_tried_again(trainer, tmp_path):
    (trainer / "fails.txt").write_text("letters/br/0")
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(CONTENT))
    words = ["sweep", str(tmp_path / "plan.yaml"), "--out", str(trainer)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "row 7: something is wrong (exit code 2" in result.stderr
    assert "1 of 8 runs failed" in result.stderr
    assert "7 of 8 runs finished" in result.stdout
    assert "failed" in result.stdout
    (trainer / "fails.txt").unlink()
    assert CliRunner().invoke(app, words).exit_code == 0
    assert trained(trainer)[8:] == ["letters/br/0"]


def test_a_changed_setting_is_named(trainer):
    run_sweep(plan_sweep(CONTENT, trainer))
    with pytest.raises(RunError, match=r"letters/br/0 was made with other settings.*method\.loss\.name \"zlpr\" -> \"bce\""):
        plan_sweep(CONTENT | {"methods": {"br": {"loss": "bce"}}}, trainer)
    same = CONTENT | {"methods": {"br": {"name": "br", "loss": {"name": "zlpr"}}}}  # written in another way
    assert {cell.state for cell in plan_sweep(same, trainer).cells} == {"finished"}


def test_a_sweep_started_after_a_kill_waits_for_the_training_left_behind(trainer, tmp_path):
    (trainer / "pause.txt").write_text("2")
    program = f"from multihot.experiments import sweep as s; s.TRAIN = {sweeps.TRAIN!r}\n"
    program += f"s.run_sweep(s.plan_sweep({CONTENT | {'seeds': [0], 'data': ['letters']}!r}, {str(trainer)!r}))"
    process = subprocess.Popen([sys.executable, "-c", program])
    wait_for(lambda: (trainer / "letters" / "svm" / "0" / "config.yaml").exists())
    process.kill()
    process.wait()
    said = []
    sweep = run_sweep(plan_sweep(CONTENT | {"seeds": [0], "data": ["letters"]}, trainer), say=said.append)
    assert "waiting for it to end" in said[0]
    assert trained(trainer) == ["letters/svm/0", "letters/br/0"]
    assert [cell.state for cell in sweep.cells] == ["finished", "finished"]


def test_ctrl_c_saves_and_the_next_sweep_goes_on(tmp_path):
    settings = QUICK | {"training.epochs": 40, "training.validate_every": "4 epochs"}
    content = {
        "data": [{"name": "small", "source": str(write_csv(tmp_path / "t.csv", small_rows())), "text": "body", "labels": "tags"}],
        "methods": {"br": "br"},
        "overrides": [{"set": settings}],
    }
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "multihot.cli", "sweep", str(tmp_path / "plan.yaml"), "--out", str(tmp_path / "out")]
    first = tmp_path / "out" / "small" / "br" / "0"
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_interrupts)
    wait_for(lambda: (first / "checkpoints" / "last.ckpt").exists())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert f"`multihot sweep {tmp_path / 'plan.yaml'} --out {tmp_path / 'out'}` goes on" in said
    assert (first / "checkpoints" / "last.ckpt").exists()
    assert not (first / "metrics.json").exists()
    began = (first / "environment.json").stat().st_mtime_ns
    finished = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert finished.returncode == 0, finished.stderr
    assert (first / "environment.json").stat().st_mtime_ns == began  # it went on; a new start would have written it anew
    assert json.loads((first / "metrics.json").read_text())["cost"]["updates"] == 40 * -(-194 // 16)
    assert {cell.state for cell in plan_sweep(content, tmp_path / "out").cells} == {"finished"}


def hear_interrupts():
    """A shell that runs the tests in the background makes its children deaf to Ctrl-C; the terminal of a user does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(happened, seconds=90):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def test_a_sweep_knows_runs_again_whose_smallest_label_set_was_settled(tmp_path):
    source = write_csv(tmp_path / "t.csv", [row for row in small_rows() if row["tags"]])
    content = {
        "data": [{"name": "small", "source": str(source), "text": "body", "labels": "tags"}],
        "methods": {"svm": "linear-svm", "one": {"name": "linear-svm", "decision": {"name": "own_rule", "at_least": 0}}},
    }
    sweep = run_sweep(plan_sweep(content, tmp_path / "out"))
    assert [cell.state for cell in sweep.cells] == ["finished", "finished"]
    assert [cell.state for cell in plan_sweep(content, tmp_path / "out").cells] == ["finished", "finished"]
    assert multihot.load(tmp_path / "out" / "small" / "svm" / "0").config.method["decision"] == {"name": "own_rule", "at_least": 1}
