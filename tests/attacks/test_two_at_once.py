"""Two processes at the same work at the same time: nobody's result is spoiled."""

from __future__ import annotations

import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from commands import READING, Command, Ended, Forks, difference
from small import small_rows, write_csv


def test_two_read_the_same_data(row, size, draw, forks, tmp_path):
    rows = size(6_000, 60_000)
    source = write_csv(tmp_path / "many.csv", small_rows(rows))
    table = row(f"two processes prepare the same data ({rows:,} rows, fresh cache)")
    command = Command(("data", "stats", str(source), *READING), folder=str(tmp_path))
    alone = forks.together(replace(command, environment={"MULTIHOT_CACHE": str(tmp_path / "alone")}))[0]
    for number in range(size(1, 3)):
        cache = tmp_path / f"cache-{number}"
        one = replace(command, environment={"MULTIHOT_CACHE": str(cache)})
        delay = draw.choice([0.0, draw.random() * alone.seconds])
        both = forks.together(one, replace(one, delay=delay))
        [again] = forks.together(one)
        fault = next((ended.fault or "prints something else" for ended in (*both, again) if ended.out != alone.out), "")
        left = [path.name for path in cache.rglob("*.partial")]
        table.tried(f"the second {delay:.3f} s later", fault or (f"{left} stays behind" if left else ""))
    assert table.faults == []


def one_of_two(both: list[Ended], folder: Path, runs: list[Path]) -> str:
    """One training is done as if it were alone, the other refused in one line; the fault, or nothing."""
    outcomes = [ended.outcome for ended in both]
    if sorted(outcomes) != ["done", "refused"]:
        return "; ".join(ended.fault or f"{ended.outcome} {' '.join(ended.said)}" for ended in both)
    refusal = both[outcomes.index("refused")].said[0]
    if folder.name not in refusal:
        return f"the refusal does not name the folder: {refusal}"
    return difference(folder, runs[outcomes.index("done")])


@pytest.mark.parametrize("more", [[], ["--overwrite"]], ids=["train", "overwrite"])
def test_two_train_into_the_same_folder(more, row, size, draw, training, undisturbed, forks, tmp_path):
    runs = [undisturbed("br", seed) for seed in (0, 1)]
    table = row("two processes train into the same --out")
    for number in range(size(1, 4)):
        folder = tmp_path / f"run-{number}"
        delay = draw.choice([0.0, draw.random() * runs[0][1]])
        first, second = (training("br", folder, "--seed", seed, *more, delay=wait) for seed, wait in ((0, 0.0), (1, delay)))
        both = forks.together(first, second)
        if delay and both[0].seconds < delay and both[0].outcome == "done":  # the first had ended: nothing was at once
            table.tried(f"{more} the second {delay:.3f} s later", difference(folder, runs[1 if more else 0][0]), "one after the other")
        else:
            table.tried(f"{more} the second {delay:.3f} s later", one_of_two(both, folder, [run for run, _ in runs]), "the second refused")
    assert table.faults == []


def test_two_go_on_with_the_same_run(row, size, draw, training, undisturbed, forks, later, tmp_path):
    whole, _ = undisturbed("br")
    table = row("two processes --resume the same run")
    for number in range(size(1, 3)):
        folder = tmp_path / f"run-{number}"
        forks.together(training("br", folder, "--seed", 0, signal=signal.SIGKILL, at=str(folder / "checkpoints/last.ckpt")))
        command = Command(("train", "--resume", str(folder)), folder=str(folder.parent))
        delay = draw.random() * 0.3
        both = later.together(command, replace(command, delay=delay))
        fault = (
            difference(folder, whole) if [ended.outcome for ended in both] == ["done", "done"] else one_of_two(both, folder, [whole, whole])
        )
        table.tried(f"the second {delay:.3f} s later", fault)
    assert table.faults == []


def sweep(place: Path, folder: Path) -> Command:
    plan = {
        "data": [{"name": "small", "source": str(place / "train.csv"), "text": "body", "labels": "tags"}],
        "methods": {"svm": "linear-svm", "logistic": "logistic-regression"},
        "seeds": [0],
    }
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    return Command(("sweep", str(folder / "plan.yaml"), "--out", str(folder / "out")), folder=str(folder), seconds=300)


def test_the_same_sweep_twice(row, place, forks: Forks, tmp_path):
    table = row("the same sweep started twice at once")
    command = sweep(place, tmp_path)
    both = forks.together(command, command)
    fault = next((ended.fault or ended.outcome for ended in both if ended.outcome != "done"), "")
    for name in ("svm", "logistic"):
        alone = tmp_path / name
        [ended] = forks.together(replace(command, words=("train", str(tmp_path / f"out/small/{name}/0.yaml"), "--out", str(alone))))
        begun = (tmp_path / f"out/small/{name}/0.log").read_text().count("labels, ")
        fault = (
            fault or ended.fault or difference(tmp_path / f"out/small/{name}/0", alone) or (f"trained {begun} times" if begun != 1 else "")
        )
    table.tried("two cells", fault, "each run trained once")
    shutil.rmtree(tmp_path / "out")
    assert table.faults == []
