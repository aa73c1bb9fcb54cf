"""Spoiled data, configurations and command lines, by the command line itself, in processes of limited memory and time.

``tests/fuzz`` calls the readers and the checks of configurations with the same spoils, far more often; here the whole command runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import GIBIBYTE, Ended, Forks
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from rows import Row
from spoils import SOURCES, configurations, random_words, spoils

LIMITS = {"memory": 6 * GIBIBYTE, "seconds": 60.0}
READING = {"CSV": ("--text", "body", "--labels", "tags")}
VALID = """data: {{source: {source}, text: body, labels: tags}}
method: {{name: linear-svm, features: {{max_vocabulary: 100}}}}
training: {{epochs: 1, validate_every: 1 epoch}}
seed: 1
"""


@pytest.fixture
def drawn(request: pytest.FixtureRequest) -> Callable[[st.SearchStrategy, int, Callable[[Any], None]], None]:
    """``drawn(strategy, count, tried)`` hands that many examples to a function, the same for the same seed."""
    number = request.config.getoption("--attack-seed", 0)

    def run(strategy: st.SearchStrategy, count: int, tried: Callable[[Any], None]) -> None:
        @seed(number)
        @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(strategy)
        def one(example: Any) -> None:
            tried(example)

        one()

    return run


def note(table: Row, case: str, ended: Ended, content: bytes, kept: Path) -> None:
    """Count an example; what was not survived is kept as a file."""
    if ended.fault:
        kept.mkdir(exist_ok=True)
        path = kept / f"{table.content['tried']}"
        path.write_bytes(content)
        shown = repr(content) if len(content) < 200 else f"in {path}"
        table.tried(f"{case} {shown}", ended.fault)
    else:
        table.tried(case, "", ended.outcome)


@pytest.mark.parametrize("kind", SOURCES)
def test_spoiled_data(kind, row, size, drawn, forks: Forks, tmp_path):
    """A third of the examples is trained on, a third predicted for, a third counted."""
    table = row(f"fuzz {kind} (a third each: train, predict, stats)")
    name, whole = SOURCES[kind]
    (tmp_path / name).write_bytes(whole)
    reading = READING.get(kind, ())
    trained = forks.run("train", tmp_path / name, *reading, "--method", "linear-svm", "--out", tmp_path / "run")
    assert trained.outcome == "done", trained.err
    (tmp_path / "spoiled").mkdir()
    path = tmp_path / "spoiled" / name

    def tried(content: bytes) -> None:
        path.write_bytes(content)
        number = table.content["tried"]
        out = tmp_path / f"run-{number}"
        ways = [
            ["train", path, *reading, "--method", "linear-svm", "--out", out],
            ["predict", tmp_path / "run", path],
            ["data", "stats", path, *reading],
        ]
        note(table, ways[number % 3][0], forks.run(*ways[number % 3], **LIMITS), content, tmp_path / "kept")

    drawn(spoils(kind), size(9, 300), tried)
    assert table.faults == []


def test_spoiled_configurations(row, size, drawn, forks: Forks, place, tmp_path):
    table = row("fuzz YAML (a half each: train, sweep)")
    path = tmp_path / "x.yaml"

    def tried(content: bytes) -> None:
        path.write_bytes(content)
        number = table.content["tried"]
        words = [("train", "sweep")[number % 2], path, "--out", tmp_path / f"out-{number}"]
        note(table, words[0], forks.run(*words, folder=str(tmp_path), **LIMITS), content, tmp_path / "kept")

    drawn(configurations(VALID.format(source=place / "train.csv")), size(12, 300), tried)
    assert table.faults == []


def test_random_command_lines(row, size, draw: random.Random, undisturbed, forks: Forks, place, tmp_path):
    table = row("fuzz CLI options")
    run, _ = undisturbed("br")
    known = {"run": str(run), "data": str(place / "train.csv"), "new": str(place / "new.csv")}
    for number in range(size(12, 300)):
        folder = tmp_path / str(number)
        folder.mkdir()
        words = random_words(draw, known)
        ended = forks.run(*words, folder=str(folder), **LIMITS)
        table.tried(words, ended.fault, ended.outcome)
    assert table.faults == []
