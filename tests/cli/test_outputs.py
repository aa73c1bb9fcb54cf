"""Every command that writes a file: a pipe, a device or a link named by --out stays what it is, a folder is refused in one line."""

import errno
import json
import os
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

import multihot
from multihot.cli import app

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
from small import small_rows, write_csv

COMMANDS = {  # command -> ending of the file it writes
    "report {run} --out {out}": ".html",
    "compare {run} --out {out}": ".html",
    "compare {run} --out {out}  ": ".tex",
    "evaluate {run} {csv} --out {out}": ".json",
    "predict {run} {csv} --out {out}": ".csv",
    "predict {run} {csv} --out {out} ": ".jsonl",
    "predict {run} {csv} --out {out}  ": ".parquet",
    "data stats {csv} --text body --labels tags --picture {out}": ".png",
    "advise {csv} --text body --labels tags --out {out}": ".yaml",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    csv = write_csv(folder / "train.csv", small_rows(100))
    multihot.fit(csv, text="body", labels="tags", out=folder / "run", method="linear-svm")
    return {"csv": csv, "run": folder / "run"}


def call(command, places, out):
    return CliRunner().invoke(app, [word.format(**places, out=out) for word in command.split()])


def content_of(path):
    """What a file says, whatever moment it was made at."""
    content = path.read_bytes() if isinstance(path, Path) else path
    return json.loads(content) if content[:1] == b"{" and content.count(b"\n{") == 0 else len(content)


@pytest.mark.parametrize("command", COMMANDS)
def test_links_stay_and_pipes_are_written_through(command, places, tmp_path):
    ending = COMMANDS[command]
    plain, link, target, pipe = (tmp_path / f"{name}{ending}" for name in ("plain", "link", "target", "pipe"))
    done = call(command, places, plain)
    assert done.exit_code == 0, done.stderr
    whole = content_of(plain)
    target.write_text("old")
    link.symlink_to(target.name)
    assert call(command, places, link).exit_code == 0
    assert link.is_symlink()
    assert content_of(target) == whole
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    assert call(command, places, pipe).exit_code == 0
    reader.join(60)
    assert pipe.is_fifo()
    assert content_of(got[0]) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in (plain, link, target, pipe))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_and_a_full_disk_are_one_line(command, places, tmp_path):
    ending = COMMANDS[command]
    folder, full = tmp_path / f"folder{ending}", tmp_path / f"full{ending}"
    folder.mkdir()
    full.symlink_to("/dev/full")
    for out, said in ((folder, "is a folder; give the name of a file"), (full, "the disk is full")):
        done = call(command, places, out)
        assert done.exit_code == 2
        assert said in done.stderr.splitlines()[-1]
        assert str(out) in done.stderr.splitlines()[-1]
    assert full.is_symlink()
    assert list(folder.iterdir()) == []


def test_a_device_of_ones_own_stays_a_device(places, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root makes devices")
    for ending in (".html", ".json"):
        device = tmp_path / f"null{ending}"
        os.mknod(device, 0o020666, os.makedev(1, 3))
    assert call("report {run} --out {out}", places, tmp_path / "null.html").exit_code == 0
    assert call("evaluate {run} {csv} --out {out}", places, tmp_path / "null.json").exit_code == 0
    assert (tmp_path / "null.html").is_char_device()
    assert (tmp_path / "null.json").is_char_device()


def test_of_a_copy_the_full_disk_is_named_and_not_where_it_came_from(places, tmp_path, monkeypatch):
    def copy(*_):  # as shutil says it where the kernel copies
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "from"), None, "/dev/full")

    monkeypatch.setattr("multihot.experiments.Run.__init__", copy)
    done = CliRunner().invoke(app, ["evaluate", str(places["run"])])
    assert done.exit_code == 2
    assert "the disk is full (/dev/full)" in done.stderr


def test_a_folder_for_a_cut_that_may_not_be_written_is_not_blamed_on_the_cache(places, tmp_path, monkeypatch):
    make = Path.mkdir

    def refuse(path, *arguments, **options):
        if tmp_path in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        make(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    words = ["data", "longtail", str(places["csv"]), "--text", "body", "--labels", "tags", "--out", str(tmp_path / "cut")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert str(tmp_path / "cut") in done.stderr
    assert "MULTIHOT_CACHE" not in done.stderr
