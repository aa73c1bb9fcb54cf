"""Whatever is typed, and whatever the file holds, a command ends in an answer or in one line: no traceback, no hang, no endless memory."""

from __future__ import annotations

import os
import random
import resource
import signal
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import quick
from sources import SOURCES, spoiled
from typer.testing import CliRunner

from multihot.cli import app

SECONDS = 60  # for one command
MEMORY = 2 << 30  # bytes that all commands together may add
ALLOWED = (0, 2)
SETTINGS = [
    "method.loss=zlpr", "method.loss=zlrp", "loss=zlpr", "epochs=3", "training.epochs=x", "training.device=cuda", "training.device=abacus",
    "training.precision=7", "training.monitor=f1", "training.batch_size=0", "method.decision=top_k", "method.decision.k=0", "method=5",
    "method.encoder=text_cnn", "method.encoder.width=-1", "method.encoder=image_cnn", "method.decoder=recurrent", "method.decoding=beam",
    "method.distribution=gaussian", "method.scorer=null", "method.calibration=platt", "data.features=a", "data.limit=1", "data.limit=-1",
    "data.validation=2", "data.train_share=0.01", "seed=-1", "seed=x", "=", "a", "data=3", "data.labels=[1]", "published=1", "..=1",
]  # fmt: skip
METHODS = ["br", "linear-svm", "logistic", "seq2seq", "ocd", "dldl", "ldl", "aa-knn", "softmax", "classifier-chain", "svn", ""]
VALUES = ["", "text", "labels", "body", "tags", "id", "f1", "1:2", "a,b", ",", "|", "no such", "\0", "-1", "99999999999", "x" * 5000, "é"]
READING = ["--text", "--labels", "--id", "--delimiter", "--missing", "--distribution"]
OPTIONS = {
    "train": [*READING, *["--method", "--set"] * 3, "--seed", "--validation", "--test", "--out"],
    "data stats": [*READING, "--features", "--format", "--encoding"],
    "predict": ["--top", "--out"],
    "evaluate": ["--split", "--out"],
    "decode": ["--decoding", "--set", "--set", "--out"],
    "compare": ["--baseline", "--measures"],
}
QUICK = ["--set", "training.updates=1", "--set", "data.limit=20"]


def command(draw: random.Random, places: list[str]) -> list[str]:
    """One command line, most of it sensible."""
    verb = draw.choice(["train"] * 4 + ["data stats", "predict", "evaluate", "decode", "compare", "report", "list", "recipes show", "cite"])
    words = verb.split() + draw.choices(places, k=2 if verb in ("predict", "evaluate", "compare") else 1)
    for _ in range(draw.randint(0, 3)):
        option = draw.choice(OPTIONS.get(verb, READING) if draw.random() < 0.95 else READING)
        value = draw.choice({"--set": SETTINGS, "--method": METHODS}.get(option, VALUES))
        words += [option, value]
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        place = draw.randrange(len(words) + 1)
        words[place : place + draw.randint(0, 1)] = draw.choice([[], [draw.choice(VALUES)], [draw.choice(places)], ["--"], ["--help"]])
    return words + (QUICK if words[:1] == ["train"] else [])


def check(words: list[str]) -> None:
    """Run a command in this process."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        result = CliRunner().invoke(app, words)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    broken = result.exception is not None and not isinstance(result.exception, SystemExit)
    trace = "".join(traceback.format_exception(result.exception)) if broken else ""
    assert not broken, f"{words}\n{result.output[-500:]}\n{trace}"
    assert result.exit_code in ALLOWED, f"{words}: exit {result.exit_code}\n{result.output[-500:]}"
    assert "Traceback" not in result.output, words


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Sources of every kind, good ones, spoiled ones and none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    for name in ("csv", "csv table", "jsonl", "mulan", "parquet"):
        _, _, files = SOURCES[name]
        for file, content in files.items():
            (tmp_path / name.replace(" ", "_") / file).parent.mkdir(exist_ok=True)
            (tmp_path / name.replace(" ", "_") / file).write_bytes(content)
    rows = "".join(f"{'water' if i % 2 else 'wheat'} {i},{'sea|sand' if i % 3 else 'corn'}\n" for i in range(40))
    Path("good.csv").write_text("text,labels\n" + rows)
    table = "".join(f"{i % 7},{i % 3},{'sea|sand' if i % 3 else 'corn'}\n" for i in range(40))
    Path("table.csv").write_text("a,b,labels\n" + table)
    Path("empty").mkdir()
    result = CliRunner().invoke(app, ["train", "good.csv", "--method", "linear-svm", "--out", "svm"])
    assert result.exit_code == 0, result.output
    return [*["good.csv", "table.csv"] * 3, "csv/x.csv", "csv_table", "jsonl/x.jsonl", "mulan/x.arff", "parquet", "empty", "svm", "no", "."]


def check_many(count: int, places: list[str], seed: int) -> None:
    draw, at_first, broken = random.Random(seed), memory(), []
    for number in range(count):
        words = command(draw, places)
        try:
            check(words)
        except AssertionError as error:
            broken.append(f"{number}: {error}")
    assert not broken, f"seed {seed}: {len(broken)} of {count} commands broke\n" + "\n".join(broken)
    assert memory() - at_first < MEMORY


def test_command_lines(places):
    check_many(40, places, seed=0)


@pytest.mark.slow
def test_many_command_lines(places):
    check_many(1000, places, seed=int(os.environ.get("FUZZ_SEED", "1")))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.slow
def test_many_files_of_every_format(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    kind, read, files = SOURCES[name]
    at_first = memory()

    @quick(300)
    @given(st.sampled_from(sorted(files)), st.data())
    def stats(file, data):
        changed = files | {file: data.draw(spoiled(files[file]))}
        for place, content in changed.items():
            (tmp_path / "source" / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "source" / place).write_bytes(content)
        check(["data", "stats", str(tmp_path / "source" / read), "--format", kind])

    stats()
    assert memory() - at_first < MEMORY
