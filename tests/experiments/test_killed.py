"""A training killed at any moment goes on as if nothing had happened; a killed reading leaves nothing broken."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from small import QUICK, small_rows, write_csv

import multihot
from multihot.data import load

PROGRAM = Path(__file__).with_name("killed.py")
MOMENTS = {"a checkpoint": "checkpoints/", "the predictions": "predictions", "the measures": "metrics.json", "anything": ""}


def execute(commands: list[dict]) -> list[dict]:
    """Run commands, each in a process of its own, and tell how they ended and what they did to files."""
    finished = subprocess.run([sys.executable, PROGRAM], input=json.dumps(commands), capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def training(csv_file: Path, folder: Path) -> dict:
    settings = QUICK | {"training.epochs": 2, "training.validate_every": "5 updates"}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    return {"words": ["train", str(csv_file), "--text", "body", "--labels", "tags", "--out", str(folder), *words], "folder": str(folder)}


def resuming(folder: Path) -> dict:
    return {"words": ["train", "--resume", str(folder)], "folder": str(folder)}


def assert_same_run(folder: Path, whole: Path) -> None:
    """The same weights, measures and predictions, a whole seal, and nothing left of the killed process."""
    run, first = multihot.load(folder), multihot.load(whole)
    assert (folder / "log" / "metrics.csv").read_bytes() == (whole / "log" / "metrics.csv").read_bytes()
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    for split in ("validation", "test"):
        assert run.metrics[split] == first.metrics[split]
        assert (run.prediction(split)[0].scores == first.prediction(split)[0].scores).all()
    assert run.metrics["cost"]["best_update"] == first.metrics["cost"]["best_update"]
    assert set(run.metrics["files"]) == set(first.metrics["files"])
    assert [path.name for path in folder.rglob("*.partial")] == []
    assert not (folder / "checkpoints").exists()


def kill_and_resume(tmp_path: Path, moments: list[tuple[str, int, float]]) -> None:
    """Kill a training at each moment (kind, which of its events, seconds after it), go on with it, and compare."""
    csv_file = write_csv(tmp_path / "train.csv", small_rows(100))
    [whole] = execute([training(csv_file, tmp_path / "whole")])
    assert whole["ended"] == 0
    points = []
    for kind, number, later in moments:
        events = [i for i, event in enumerate(whole["events"], start=1) if MOMENTS[kind] in event]
        points.append((events[number % len(events)], later))
    folders = [tmp_path / f"killed-{i}" for i in range(len(points))]
    commands = [training(csv_file, folder) | {"at": at, "later": later} for folder, (at, later) in zip(folders, points, strict=True)]
    assert {one["ended"] for one in execute(commands)} == {-9}
    for point, folder, resumed in zip(points, folders, execute([resuming(folder) for folder in folders]), strict=True):
        moment = (whole["events"][point[0] - 1], point[1])
        if not (folder / "config.yaml").exists():  # nothing had begun: there is nothing to go on with, and a new training may begin
            assert resumed["ended"] == 2, moment
            resumed = execute([training(csv_file, folder)])[0]
        assert resumed["ended"] == 0, moment
        assert_same_run(folder, tmp_path / "whole")


def test_a_killed_training_gives_the_same_run(tmp_path):
    draw = random.Random(4)
    kill_and_resume(tmp_path, [(kind, draw.randrange(1000), 0.0) for kind in ("a checkpoint", "the measures")])
    assert multihot.load(tmp_path / "killed-0").metrics["cost"]["updates"] > 0


def test_a_training_killed_three_times_gives_the_same_run_and_the_same_log(tmp_path):
    csv_file = write_csv(tmp_path / "train.csv", small_rows(100))
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    [first] = execute([training(csv_file, whole)])
    saved = [number for number, event in enumerate(first["events"], start=1) if event == "os.rename /checkpoints/last.ckpt"]
    commands = [training(csv_file, folder) | {"at": saved[1] + 1}, *(resuming(folder) | {"at": at} for at in (12, 20, None))]
    assert [one["ended"] for one in execute(commands)] == [-9, -9, -9, 0]
    assert_same_run(folder, whole)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_training_killed_anywhere_gives_the_same_run(tmp_path, seed):
    draw = random.Random(seed)
    kill_and_resume(tmp_path, [("anything", draw.randrange(1000), draw.choice([0.0, draw.random() * 0.05])) for _ in range(10)])
    assert multihot.load(tmp_path / "killed-9").metrics["cost"]["updates"] > 0


def test_a_killed_reading_leaves_nothing_broken(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    csv_file = write_csv(tmp_path / "train.csv", small_rows(120))
    command = {"words": ["data", "stats", str(csv_file), "--text", "body", "--labels", "tags"], "folder": str(tmp_path / "cache")}
    killed = execute([command | {"at": at} for at in (2, 3, 4)])
    assert {one["ended"] for one in killed} == {-9}
    assert load(csv_file, text="body", labels="tags").split("train")["id"][:] == [row["id"] for row in small_rows(120)]
