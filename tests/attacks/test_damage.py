"""Files of the cache and of run folders are cut, altered or deleted: every reading gives the same, or names the file in one line."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import TRACEBACK
from typer.testing import CliRunner

from multihot.cli import app

Damage = Callable[[Path, random.Random], None]


def emptied(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"")


def halved(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def another_word(path: Path, draw: random.Random) -> None:
    """The kind of damage that no reader can see: a letter, and in the description the name of a split or of a label."""
    content = path.read_bytes()
    old, new = next((old, new) for old, new in ((b"of", b"wf"), (b"body", b"bodz")) if old in content)
    path.write_bytes(content.replace(old, new))


def deleted(path: Path, draw: random.Random) -> None:
    path.unlink()


DAMAGES: dict[str, Damage] = {"emptied": emptied, "halved": halved, "flipped": flipped, "altered": another_word, "deleted": deleted}


def test_damaged_cache(row, size, draw, undisturbed, forks, place, tmp_path):
    """Whatever is damaged, the prediction is that of the undamaged cache, at the first reading and at the next."""
    run, _ = undisturbed("br")
    table = row("damaged cache files (emptied, halved, a bit flipped, a word altered, deleted) and a cache path that is a file")
    words = ("predict", run, place / "new.csv")
    good = tmp_path / "good"
    wanted = forks.run(*words, environment={"MULTIHOT_CACHE": str(good)})
    names = sorted(path.relative_to(good) for path in (good / "data").rglob("*") if path.suffix in (".json", ".arrow"))
    assert wanted.outcome == "done"
    assert len(names) >= 2
    for name in names:
        for way, damage in DAMAGES.items():
            for number in range(size(1, 10) if way == "flipped" else 1):
                cache = shutil.copytree(good, tmp_path / f"{name.stem}-{way}-{number}")
                damage(cache / name, draw)
                readings = [forks.run(*words, environment={"MULTIHOT_CACHE": str(cache)}) for _ in range(2)]
                fault = next((one.fault or f"another prediction or none: {one.said}" for one in readings if one.out != wanted.out), "")
                table.tried(f"{name.name} {way}", fault)
    (tmp_path / "file").write_text("")
    ended = forks.run(*words, environment={"MULTIHOT_CACHE": str(tmp_path / "file")})
    table.tried("MULTIHOT_CACHE is a file", ended.fault or ("" if ended.outcome == "refused" else ended.outcome), ended.outcome)
    assert table.faults == []


READERS = {
    "predict": ["predict", "{run}", "{new}", "--top", "2"],
    "evaluate new data": ["evaluate", "{run}", "{more}"],
    "evaluate": ["evaluate", "{run}"],
    "compare": ["compare", "{run}", "--format", "markdown"],
    "report": ["report", "{run}", "--out", "{out}"],
}


def read(name: str, run: Path, place: Path, out: Path) -> tuple[str, str, str]:
    """Call a command in this process: how it ended (a message, ``traceback`` or nothing), what it printed and what it wrote."""
    out.unlink(missing_ok=True)
    names = {"run": run, "new": place / "new.csv", "more": place / "more.csv", "out": out}
    result = CliRunner().invoke(app, [word.format(**names) for word in READERS[name]])
    written = hashlib.sha256(out.read_bytes()).hexdigest() if out.exists() else ""
    lines = [line for line in result.stderr.splitlines() if line.startswith("multihot: ")]
    unexpected = result.exception is not None and not isinstance(result.exception, SystemExit)
    if unexpected or TRACEBACK in result.output or (result.exit_code and (result.exit_code, len(lines)) != (2, 1)):
        return f"traceback {result.exception!r}", "", ""
    return lines[0] if result.exit_code else "", result.stdout + result.stderr * bool(not result.exit_code), written


@pytest.fixture
def runs(undisturbed, training, forks, place):
    """A neural run and a classical one."""
    svm = place / "whole-svm"
    if not svm.exists():
        ended = forks.run("train", place / "train.csv", "--text", "body", "--labels", "tags", "--method", "linear-svm", "--out", svm)
        assert ended.outcome == "done"
    return [undisturbed("br")[0], svm]


def in_place(folder: Path, run: Path, name: str) -> Path:
    """A copy of a run where every copy lies, so that what names the folder is the same."""
    shutil.rmtree(folder, ignore_errors=True)
    return shutil.copytree(run, folder / name)


def test_a_flipped_bit_in_a_run(row, size, draw, runs, place, tmp_path):
    table = row(f"flips in run folders, each read by {len(READERS)} commands")
    wanted = {}
    for run in runs:
        copy = in_place(tmp_path / "runs", run, "run")
        wanted[run] = {name: read(name, copy, place, tmp_path / "out.html") for name in READERS}
        assert wanted[run] == {name: read(name, copy, place, tmp_path / "out.html") for name in READERS}  # the same twice, if unharmed
        assert all(message == "" for message, _, _ in wanted[run].values())
    for number in range(size(8, 200)):
        run = runs[number % 2]
        files = sorted(path.relative_to(run) for path in run.rglob("*") if path.is_file())
        copy = in_place(tmp_path / "runs", run, "run")
        name = files[(number // 2) % len(files)]
        place_of_bit = draw.randrange(8 * (copy / name).stat().st_size)
        content = bytearray((copy / name).read_bytes())
        content[place_of_bit // 8] ^= 1 << place_of_bit % 8
        (copy / name).write_bytes(content)
        for reader in READERS:
            message, printed, written = read(reader, copy, place, tmp_path / "out.html")
            case = f"bit {place_of_bit} of {name} of {run.name}, {reader}"
            if message:
                table.tried(case, "" if name.name in message and "traceback" not in message else message, "named")
            else:
                table.tried(case, "" if ("", printed, written) == wanted[run][reader] else "another output without a word")
    assert table.faults == []


def without(content: dict, *keys: str) -> dict:
    return {key: value for key, value in content.items() if key not in keys}


STRIPPED = {
    "files and sha256 removed": lambda content: without(content, "files", "sha256"),
    "sha256 removed": lambda content: without(content, "sha256"),
    "files removed": lambda content: without(content, "files"),
    "files emptied": lambda content: content | {"files": {}},
}


def test_the_checksums_are_stripped(row, runs, place, tmp_path):
    table = row("checksums stripped and a measure set to 1: refused, or said")
    for run in runs:
        for name, strip in STRIPPED.items():
            copy = in_place(tmp_path / "runs", run, "run")
            content = json.loads((copy / "metrics.json").read_text())
            content["test"]["micro_f1"] = 1.0
            (copy / "metrics.json").write_text(json.dumps(strip(content)))
            for reader in READERS:
                message, printed, _ = read(reader, copy, place, tmp_path / "out.html")
                said = "metrics.json" in message or "checksum" in printed.replace(str(tmp_path), "")
                table.tried(f"{name} of {run.name}, {reader}", "" if said else message or "not a word", "named")
    assert table.faults == []
