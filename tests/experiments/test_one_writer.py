"""Two trainings into one folder: the second is refused at once, in one line; a killed one is in nobody's way."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from small import QUICK, small_rows, write_csv
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.errors import MultihotError, RunError
from multihot.experiments.config import Config
from multihot.experiments.fit import fit, resume
from multihot.experiments.lock import is_written_to, only_writer

SETTINGS = [word for key, value in (QUICK | {"training.epochs": 1}).items() for word in ("--set", f"{key}={json.dumps(value)}")]


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "train.csv", small_rows(100))


@pytest.fixture(scope="module")
def finished(csv_file, tmp_path_factory):
    """A method with a decoding, which can be read by another one."""
    settings = QUICK | {"training.epochs": 1}
    return multihot.fit(csv_file, text="body", labels="tags", out=tmp_path_factory.mktemp("runs") / "br", settings=settings).folder


def content(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize(
    "words",
    [
        ["train", "{csv}", "--text", "body", "--labels", "tags", "--out", "{out}", *SETTINGS],
        ["train", "{csv}", "--text", "body", "--labels", "tags", "--out", "{out}", "--method", "linear-svm"],
        ["train", "{csv}", "--text", "body", "--labels", "tags", "--out", "{out}", "--method", "linear-svm", "--overwrite"],
        ["train", "--resume", "{out}"],
        ["decode", "{run}", "--decoding", "threshold", "--set", "method.decision={{name: fixed, threshold: 0.3}}", "--out", "{out}"],
        ["segment", "{voc}", "--out", "{out}"],
    ],
    ids=lambda words: " ".join(words[:2]) + (" --overwrite" if "--overwrite" in words else ""),
)
@pytest.mark.parametrize("there", ["nothing", "an unfinished run"])
def test_every_writer_is_refused_while_another_writes(csv_file, finished, tmp_path, words, there, monkeypatch):
    monkeypatch.setattr("multihot.experiments.segmentation.read_voc_masks", lambda *_: {"train": [], "val": []})
    out = tmp_path / "run"
    if there == "an unfinished run" or "--resume" in words:
        (out / "checkpoints").mkdir(parents=True)
        (out / "config.yaml").write_text(yaml.safe_dump(Config.from_dict({"data": {"source": str(csv_file)}}).to_dict()))
    before = content(tmp_path)
    with only_writer(out):
        given = {"csv": csv_file, "run": finished, "out": out, "voc": tmp_path}
        done = CliRunner().invoke(app, [word.format(**given) if "{" in word and word not in SETTINGS else word for word in words])
        assert done.exit_code == 2, done.exception
        (line,) = done.stderr.splitlines()
        assert line == f"multihot: {out} is being written to by another training; wait for it to end, or choose another --out"
        assert content(tmp_path) == sorted([*before, ".run.lock"])
    assert content(tmp_path) == before


def test_python_is_refused_too(csv_file, tmp_path):
    config = Config.from_dict({"data": {"source": str(csv_file), "text": "body", "labels": "tags"}, "method": {"name": "linear-svm"}})
    with only_writer(tmp_path / "run"):
        for write in (lambda: fit(config, tmp_path / "run"), lambda: fit(config, tmp_path / "run", overwrite=True)):
            with pytest.raises(RunError, match="being written to by another training"):
                write()
    assert fit(config, tmp_path / "run").metrics["test"]
    assert content(tmp_path)[0] == "run"


def test_other_folders_and_readers_are_free(finished, csv_file):
    with only_writer(finished), only_writer(finished.with_name("other")):
        assert multihot.load(finished).evaluate(csv_file)["rows"] == 100


def test_one_folder_under_two_names_is_one_folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    with only_writer(tmp_path / "run"):
        assert is_written_to(tmp_path / "run")
        assert is_written_to(tmp_path / "link")
        for other in ("link", "run/../run", "run/"):
            with pytest.raises(RunError, match="being written to"), only_writer(Path(f"{tmp_path}/{other}")):
                pass


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_written_to_all_the_same(tmp_path, monkeypatch, code):
    def refuse(descriptor, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    with only_writer(tmp_path / "run"):
        assert not is_written_to(tmp_path / "run")


HOLD = """
import os, sys, time
from pathlib import Path
from multihot.experiments.lock import is_written_to, only_writer
with only_writer(Path(sys.argv[1])):
    if os.fork() == 0:  # such as a process that prepares batches
        print("forked", os.getpid(), flush=True)
        time.sleep(600)
    time.sleep(600)
"""


def test_a_killed_writer_is_in_nobodys_way_though_its_workers_live_on(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    worker = int(holder.stdout.readline().split()[1])
    try:
        with pytest.raises(RunError, match="being written to"), only_writer(tmp_path / "run"):
            pass
        holder.kill()
        holder.wait()
        os.kill(worker, 0)  # it is still there
        assert content(tmp_path) == [".run.lock"]
        with only_writer(tmp_path / "run"):
            pass
        assert content(tmp_path) == []
    finally:
        os.kill(worker, signal.SIGKILL)
        holder.stdout.close()


def test_one_after_the_other_however_many(tmp_path):
    inside, most, refused = 0, 0, 0
    guard, begin = threading.Lock(), threading.Barrier(8)

    def work():
        nonlocal inside, most, refused
        begin.wait()
        for _ in range(300):
            try:
                with only_writer(tmp_path / "deep" / "run"):
                    with guard:
                        inside += 1
                        most = max(most, inside)
                    with guard:
                        inside -= 1
            except RunError:
                refused += 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert refused > 0
    assert list(tmp_path.rglob("*.lock")) == []


def test_a_failed_start_leaves_no_folders(tmp_path):
    with pytest.raises(MultihotError):
        multihot.fit(tmp_path / "missing.csv", out=tmp_path / "runs" / "deep" / "run", method="linear-svm")
    assert content(tmp_path) == []
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="would lie below a file"):
        multihot.fit(tmp_path / "missing.csv", out=tmp_path / "file" / "run", method="linear-svm")
    with pytest.raises(RunError, match="there is no run folder"):
        resume(tmp_path / "nothing")
