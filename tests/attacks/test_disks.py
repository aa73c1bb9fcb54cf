"""Disks that are full or may not be written: one line, exit code 2, nothing lost, and all goes on when there is room.

The disks are small file systems in memory, which only root may mount.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from commands import READING, Command, difference, whole_process

PAGE = 4096
DISK = 8 * 2**20
# name -> (words, what it writes)
WRITERS = {
    "predict jsonl": (["predict", "{run}", "{new}", "--out", "{disk}/o.jsonl"], "o.jsonl"),
    "predict csv": (["predict", "{run}", "{new}", "--out", "{disk}/o.csv"], "o.csv"),
    "predict parquet": (["predict", "{run}", "{new}", "--out", "{disk}/o.parquet"], "o.parquet"),
    "evaluate": (["evaluate", "{run}", "--out", "{disk}/o.json"], "o.json"),
    "report": (["report", "{run}", "--out", "{disk}/o.html"], "o.html"),
    "compare": (["compare", "{run}", "--out", "{disk}/c.html"], "c.html"),
    "stats": (["data", "stats", "{train}", *READING, "--picture", "{disk}/o.png"], "o.png"),
    "longtail": (["data", "longtail", "{train}", *READING, "--out", "{disk}/lt"], ""),
    "decode": (["decode", "{run}", "--decoding", "threshold", "--out", "{disk}/decoded"], ""),
}


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root mounts a small disk")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, left: int) -> Path:
    """Fill a disk but for some pages; the file that does it."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    filler.write_bytes(b"\0" * max(free - left * PAGE, 0))
    return filler


def pages(folder: Path) -> int:
    return sum(-(-path.stat().st_size // PAGE) for path in folder.rglob("*") if path.is_file())


def test_training_on_a_full_disk(row, size, training, undisturbed, forks, later, tmp_path):
    whole, _ = undisturbed("br")
    table, told = row("full disk during training, at every level; then room, and --resume"), row("... and the line names the full disk")
    with disk(tmp_path / "disk") as folder:
        levels = size(3, 17)
        for level in range(levels):
            left = round(1.6 * pages(whole) * level / levels)
            filler = fill(folder, left)
            command = training("br", folder / "run", "--seed", 0)
            [ended] = forks.together(command)
            fault = ended.fault
            filler.unlink()
            if ended.outcome == "refused":
                told.tried(f"{left} pages of {PAGE} left", names_the_disk(ended.said[0], folder), "named")
            if ended.outcome != "done":
                [again] = [later.run("train", "--resume", folder / "run", folder=str(tmp_path))]
                if again.outcome == "refused" and not (folder / "run/config.yaml").exists():
                    [again] = later.together(command)
                fault = fault or again.fault or ("" if again.outcome == "done" else f"then {again.said}")
            table.tried(f"{left} pages of {PAGE} left", fault or difference(folder / "run", whole), f"{ended.outcome}, then the same")
            shutil.rmtree(folder / "run", ignore_errors=True)
    assert table.faults + told.faults == []


def names_the_disk(line: str, folder: Path) -> str:
    return "" if "full" in line and str(folder) in line else f"the line does not name it: {line}"


def test_writing_on_a_full_disk(row, size, undisturbed, forks, place, tmp_path):
    """What lay there before is still there, nothing half-written stays, and the message names the disk."""
    run, _ = undisturbed("br")
    table = row("full disk for predict, evaluate, report, compare, picture, longtail, decode and the cache")
    told = row("... and the line names the full disk, and nothing half-written stays")
    names = {"run": run, "new": place / "new.csv", "train": place / "train.csv", "disk": tmp_path / "disk"}
    with disk(tmp_path / "disk") as folder:
        for left in (0, 1, 2, 4)[: size(1, 4)]:
            for name, (words, wanted) in WRITERS.items():
                if wanted:
                    (folder / wanted).write_text("before")
                filler = fill(folder, left)
                command = Command(tuple(word.format(**names) for word in words), folder=str(tmp_path))
                [ended] = forks.together(command)
                fault = ended.fault
                if ended.outcome == "refused":
                    lost = bool(wanted) and (folder / wanted).read_text(errors="replace") != "before"
                    fault = f"{wanted} as it was before is lost" if lost else ""
                    told.tried(f"{name}, {left} pages left", names_the_disk(ended.said[0], folder) or half_written(folder), "named")
                filler.unlink()
                [again] = forks.together(command) if ended.outcome != "done" else [ended]
                table.tried(
                    f"{name}, {left} pages left",
                    fault or again.fault or ("" if again.outcome == "done" else f"then {again.said}"),
                    ended.outcome,
                )
                empty(folder)
            filler = fill(folder, left)
            cached = Command(("data", "stats", str(place / "train.csv"), *READING), environment={"MULTIHOT_CACHE": str(folder / "cache")})
            [ended] = forks.together(cached)
            filler.unlink()
            [again] = forks.together(cached)
            table.tried(
                f"the cache, {left} pages left",
                ended.fault or again.fault or ("" if again.outcome == "done" else str(again.said)),
                ended.outcome,
            )
            empty(folder)
    assert table.faults + told.faults == []


def half_written(folder: Path) -> str:
    left = [path.name for path in folder.rglob("*") if "partial" in path.name]
    return f"{', '.join(left)} stays on the full disk" if left else ""


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


TALKERS = {"predict": ["predict", "{run}", "{new}"], "evaluate": ["evaluate", "{run}"], "stats": ["data", "stats", "{train}", *READING],
           "compare": ["compare", "{run}"], "list": ["list", "losses"]}  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_printing_on_a_full_disk(row, size, undisturbed, place):
    run, _ = undisturbed("br")
    table = row("standard output on /dev/full")
    names = {"run": run, "new": place / "new.csv", "train": place / "train.csv"}
    for name in list(TALKERS)[: size(2, len(TALKERS))]:
        with open("/dev/full", "wb") as full:
            ended = whole_process([word.format(**names) for word in TALKERS[name]], place, stdout=full)
        table.tried(f"{name} > /dev/full", ended.fault or ("" if ended.outcome == "refused" else "not a word"), ended.outcome)
    assert table.faults == []


def tree(folder: Path) -> dict[str, str]:
    """The content of a folder, to see whether anything in it is changed or lost."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


READ_ONLY = {name: words for name, (words, _) in WRITERS.items()} | {
    "train": ["train", "{train}", *READING, "--method", "linear-svm", "--out", "{disk}/new"],
    "train --resume": ["train", "--resume", "{disk}/begun"],
    "train --overwrite": ["train", "{train}", *READING, "--method", "linear-svm", "--out", "{disk}/run", "--overwrite"],
    "sweep": ["sweep", "{disk}/plan.yaml", "--out", "{disk}/sweep"],
    "the cache": ["data", "stats", "{train}", *READING],
    "predict": ["predict", "{run}", "{new}"],
}


def test_a_read_only_disk(row, training, undisturbed, forks, place, tmp_path):
    whole, _ = undisturbed("br")
    table = row("read-only disk: every command that writes or reads there")
    with disk(tmp_path / "disk") as folder:
        shutil.copytree(whole, folder / "run")
        for name in ("train.csv", "new.csv"):
            shutil.copy(place / name, folder)
        begun = training("br", folder / "begun", "--seed", 0)
        forks.together(replace(begun, signal=signal.SIGKILL, at=str(folder / "begun/checkpoints/last.ckpt")))
        plan = {
            "data": [{"source": str(folder / "train.csv"), "name": "t", "text": "body", "labels": "tags"}],
            "methods": {"svm": "linear-svm"},
        }
        (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
        before = tree(folder)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        names = {"run": folder / "run", "new": folder / "new.csv", "train": folder / "train.csv", "disk": folder}
        for name, words in READ_ONLY.items():
            environment = {"MULTIHOT_CACHE": str(folder / "cache")} if name in ("the cache", "predict") else {}
            ended = forks.run(*(word.format(**names) for word in words), folder=str(folder), environment=environment)
            table.tried(name, ended.fault or ("" if ended.outcome == "refused" else f"it was {ended.outcome}"), ended.outcome)
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        after = tree(folder)
        resumed = forks.run("train", "--resume", folder / "begun", folder=str(folder))
        lost = "" if after == before else f"{sorted(set(before.items()) ^ set(after.items()))} changed"
        table.tried("then written again: --resume", lost or resumed.fault or difference(folder / "begun", whole))
    assert table.faults == []
