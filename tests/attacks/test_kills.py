"""A training that is killed or stopped at any moment goes on as if nothing had happened.

``tests/experiments/test_killed.py`` kills exactly at chosen file events; here the moments are random, and so is what is done then.
"""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import Command, Ended, Forks, difference, with_words
from rows import Row

LAST = "checkpoints/last.ckpt"
WRITTEN = ("config.yaml", "labels.json", "checkpoints/last.partial", LAST, "checkpoints/best.ckpt", "model.safetensors", "predictions",
           "predictions/test.parquet", "metrics.json.partial", "metrics.json")  # fmt: skip
METHODS = [("br", "text_bag br", 20, 10), ("br+wgan-gp", "br+wgan-gp", 5, 5), ("ocd-mtl", "ocd-mtl", 8, 5)]
ENDINGS = {"SIGTERM": (143, 130, -signal.SIGTERM, 0), "SIGINT": (130, 0)}


def state_of(folder: Path) -> str:
    """How far a stopped training had come, for the table."""
    if not (folder / "config.yaml").exists():
        return "before there was a folder"
    if (folder / "metrics.json").exists():
        return "after the end"
    return "after a checkpoint" if (folder / LAST).exists() else "before a checkpoint"


def go_on(later: Forks, command: Command, folder: Path) -> Ended:
    """Resume what a signal stopped, or begin anew where nothing had begun."""
    ended = later.run("train", "--resume", folder, folder=command.folder)
    if ended.outcome == "refused" and not (folder / "config.yaml").exists():
        [ended] = later.together(replace(command, signal=0))
    return ended


def check_same(row: Row, case: str, ended: Ended, folder: Path, whole: Path, state: str, log: bool = True) -> None:
    fault = ended.fault or ("" if ended.outcome == "done" else f"resuming was {ended.outcome}: {ended.said}")
    row.tried(case, fault or difference(folder, whole, log), f"{state}, then the same")
    shutil.rmtree(folder, ignore_errors=True)


def moments(draw: random.Random, seconds: float, count: int) -> Iterator[dict[str, Any]]:
    """When a signal comes: seconds after the start, spread over the whole of the run."""
    for number in range(count):
        yield {"later": seconds * (number + draw.random()) / count}


def stop_and_go_on(
    row: Row, command: Command, ways: list[dict[str, Any]], forks: Forks, later: Forks, whole: Path, allowed: tuple[int, ...] = (-9,)
) -> None:
    """Run a command once for each way to stop it, two at a time, go on with each, and compare with the undisturbed run."""
    out = Path(command.words[command.words.index("--out") + 1])
    folders = [out.with_name(f"{out.name}-{number}") for number in range(len(ways))]
    stopped = []
    for folder, way in zip(folders, ways, strict=True):
        words = tuple(str(folder) if word == str(out) else word for word in command.words)
        at = str(folder / way["at"]) if way.get("at") else ""
        stopped.append(replace(command, words=words, **(way | {"at": at})))
    for pair in range(0, len(ways), 2):
        for one, folder, ended in zip(stopped[pair:], folders[pair:], forks.together(*stopped[pair : pair + 2]), strict=False):
            case = f"{signal.Signals(one.signal).name} {one.later:.3f} s after {Path(one.at).name or 'the start'}"
            state = state_of(folder) if ended.signalled and ended.code else "ended first"
            if ended.code not in (0, *allowed) or ended.outcome in ("traceback", "hung"):
                row.tried(case, ended.fault or f"it ended with {ended.code}")
                continue
            check_same(row, case, go_on(later, one, folder), folder, whole, state)


@pytest.mark.parametrize(("method", "name", "count"), [(method, name, count) for method, name, count, _ in METHODS])
def test_killed_at_random(method, name, count, row, size, draw, training, undisturbed, forks, later, tmp_path):
    whole, seconds = undisturbed(method)
    table = row(f"{name}, SIGKILL at a random moment")
    ways = [way | {"signal": signal.SIGKILL} for way in moments(draw, seconds, size(1 + (method == "br"), count))]
    stop_and_go_on(table, training(method, tmp_path / "run", "--seed", 0), ways, forks, later, whole)
    assert table.faults == []


@pytest.mark.parametrize(("method", "name", "count"), [(method, name, count) for method, name, _, count in METHODS])
def test_killed_when_a_file_appears(method, name, count, row, size, draw, training, undisturbed, forks, later, tmp_path):
    whole, _ = undisturbed(method)
    table = row(f"{name}, SIGKILL on the appearance of a file")
    files = draw.sample(WRITTEN, size(1, min(count, len(WRITTEN))))
    ways = [{"signal": signal.SIGKILL, "at": name, "later": draw.choice([0.0, draw.random() * 0.02])} for name in files]
    stop_and_go_on(table, training(method, tmp_path / "run", "--seed", 0), ways, forks, later, whole)
    assert table.faults == []


@pytest.mark.parametrize("name", ENDINGS)
def test_asked_to_stop(name, row, size, draw, training, undisturbed, forks, later, tmp_path):
    whole, seconds = undisturbed("br")
    table = row(f"{name} with the default handler: no traceback, nothing lost")
    number = getattr(signal, name)
    places = [
        {"at": "config.yaml"},
        {"at": LAST},
        {"at": "model.safetensors"},
        {"later": draw.random() * 0.1},
        {"later": seconds * draw.random()},
    ]
    ways = [way | {"signal": number} for way in places[1 : 1 + size(1, 0)] or places]
    stop_and_go_on(table, training("br", tmp_path / "run", "--seed", 0), ways, forks, later, whole, ENDINGS[name])
    assert table.faults == []


def test_asked_to_stop_while_deaf(row, size, draw, training, undisturbed, forks, later, tmp_path):
    whole, seconds = undisturbed("br")
    table = row("SIGINT where the shell had set it to ignored (nohup)")
    ways = [{"at": LAST}, *moments(draw, seconds, size(0, 4))]
    command = training("br", tmp_path / "run", "--seed", 0, deaf=True)
    stop_and_go_on(table, command, [way | {"signal": signal.SIGINT} for way in ways], forks, later, whole, ENDINGS["SIGINT"])
    assert table.faults == []


def test_killed_and_resumed_twice(row, size, draw, training, undisturbed, forks, later, tmp_path):
    whole, _ = undisturbed("br")
    table = row("SIGKILL, resume, SIGKILL, resume: weights, predictions and the log")
    for number in range(size(1, 4)):
        folder = tmp_path / f"run-{number}"
        waits = [draw.random() * 0.5 for _ in range(2)]
        command = training("br", folder, "--seed", 0, signal=signal.SIGKILL, at=str(folder / LAST), later=waits[0])
        forks.together(command)
        state = state_of(folder)
        resumed = later.run(
            "train", "--resume", folder, folder=command.folder, signal=signal.SIGKILL, at=str(folder / "log/metrics.csv"), later=waits[1]
        )
        case = f"SIGKILL {waits[0]:.3f} s after the first checkpoint and {waits[1]:.3f} s into the second training"
        if resumed.outcome not in ("SIGKILL", "done"):
            table.tried(case, resumed.fault or f"resuming was {resumed.outcome}")
            continue
        check_same(table, case, go_on(forks, command, folder), folder, whole, f"{state}, {state_of(folder)}")
    assert table.faults == []


def test_a_killed_replacement_leaves_one_run(row, size, draw, training, undisturbed, forks, later, tmp_path):
    """``--overwrite`` killed: the old run or the new one is there, and nothing stays behind when the new one is finished."""
    whole, seconds = undisturbed("br", 1)
    old, _ = undisturbed("br", 0)
    table = row("--overwrite, SIGKILL at a random moment, then --overwrite again")
    for number, way in enumerate(moments(draw, seconds, size(1, 4))):
        folder = tmp_path / f"room-{number}" / "run"
        shutil.copytree(old, folder)
        command = training("br", folder, "--seed", 1, "--overwrite", signal=signal.SIGKILL, **way)
        forks.together(command)
        state = state_of(folder)
        [ended] = later.together(replace(command, signal=0))
        left = sorted(path.name for path in folder.parent.iterdir() if path.name != "run")
        case = f"SIGKILL {way['later']:.3f} s after the start"
        table.tried(
            case, ended.fault or difference(folder, whole) or (f"{', '.join(left)} stays behind" if left else ""), f"{state}, then the same"
        )
    assert table.faults == []


def test_the_comparison_sees_what_differs(undisturbed, tmp_path):
    """The attacks are worth what this comparison is worth."""
    whole, _ = undisturbed("br")
    other, _ = undisturbed("br", 1)
    assert difference(whole, whole) == ""
    assert "differs" in difference(other, whole)
    for name in ("model.safetensors", "predictions/test.parquet", "log/metrics.csv", "config.yaml"):
        copy = shutil.copytree(whole, tmp_path / name.replace("/", "-"))
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        assert name in difference(copy, whole)
        (copy / name).unlink()
        assert name in difference(copy, whole)
    assert with_words(Command(("a",)), 1).words == ("a", "1")
