"""Whatever happens to the files of a run folder, reading it succeeds or ends in one line that names the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import one_line, quick, slow
from sources import spoiled

import multihot
from multihot.errors import MultihotError

ROWS = [("wheat corn", ["grain"]), ("gold mine", ["metal"]), ("wheat gold", ["grain", "metal"]), ("bank", [])] * 6
FILES = ["config.yaml", "data.json", "environment.json", "labels.json", "metrics.json", "classical.json", "features.json",
         "model.safetensors", "predictions/test.parquet"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    texts, labels = zip(*ROWS, strict=True)
    return multihot.fit(list(texts), list(labels), out=tmp_path_factory.mktemp("runs") / "run", method="linear-svm").folder


def check_run(folder: Path, named: str = "") -> str:
    """Read all of a run folder; the reason why it could not be read, or nothing."""
    try:
        run = multihot.load(folder)
        assert run.config
        assert len(run.labels) == run.statistics.num_labels
        run.prediction("test")
        run.predict(["wheat"])
    except MultihotError as error:
        return one_line(error, named)
    return ""


def check_spoiled(run: Path, name: str, content: bytes) -> None:
    """A sealed file that was changed is named; a measure file in another layout is none that was changed."""
    whole = (run / name).read_bytes()
    (run / name).write_bytes(content)
    try:
        same = content == whole or (name == "metrics.json" and _values(content) == json.loads(whole))
        assert (check_run(run, "" if same or name == "environment.json" else name) == "") is same
    finally:
        (run / name).write_bytes(whole)


def _values(content: bytes) -> object:
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def changes(run: Path) -> st.SearchStrategy[tuple[str, bytes]]:
    return st.sampled_from(FILES).flatmap(lambda name: st.tuples(st.just(name), spoiled((run / name).read_bytes())))


def test_the_files_are_those_of_a_run(run):
    assert check_run(run) == ""
    assert sorted(FILES) == sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())


def test_spoiled_runs(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")

    @quick(150)
    @given(changes(copy))
    def read(change):
        check_spoiled(copy, *change)

    read()
    assert check_run(copy) == ""


@pytest.mark.slow
def test_many_spoiled_runs(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")

    @slow(5000)
    @given(changes(copy))
    def read(change):
        check_spoiled(copy, *change)

    read()
    assert check_run(copy) == ""
