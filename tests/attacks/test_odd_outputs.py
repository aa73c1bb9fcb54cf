"""``--out`` names what is no regular file: it stays what it is, or is refused in one line."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from commands import READING

COMMANDS = {
    "report": (["report", "{run}"], "--out", ".html"),
    "compare": (["compare", "{run}", "--format", "html"], "--out", ""),
    "evaluate": (["evaluate", "{run}"], "--out", ".json"),
    "predict jsonl": (["predict", "{run}", "{new}"], "--out", ".jsonl"),
    "predict csv": (["predict", "{run}", "{new}"], "--out", ".csv"),
    "predict parquet": (["predict", "{run}", "{new}"], "--out", ".parquet"),
    "stats": (["data", "stats", "{train}", *READING], "--picture", ".png"),
    "longtail": (["data", "longtail", "{train}", *READING], "--out", ""),
    "decode": (["decode", "{run}", "--decoding", "threshold"], "--out", ""),
    "train": (["train", "{train}", *READING, "--method", "linear-svm"], "--out", ""),
}


def device(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))


def link_to_file(path: Path) -> None:
    path.with_name("target").write_text("before")
    path.symlink_to(path.with_name("target"))


def link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


def link_to_device(path: Path) -> None:
    device(path.with_name("target"))
    path.symlink_to(path.with_name("target"))


KINDS = {"a FIFO": os.mkfifo, "a link to a file": link_to_file, "a link to nothing": link_to_nothing, "a device": device,
         "a link to a device": link_to_device}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_out_is_no_regular_file(kind, row, size, undisturbed, forks, place, tmp_path):
    run, _ = undisturbed("br")
    table = row(f"--out names {kind}")
    if "device" in kind and os.geteuid() != 0:
        pytest.skip("only root makes devices")
    for name in list(COMMANDS)[: size(3, len(COMMANDS))]:
        words, option, suffix = COMMANDS[name]
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        out = folder / f"n{suffix}"
        KINDS[kind](out)
        before = {path.name: os.lstat(path).st_mode for path in folder.iterdir()}
        reader = read_on(out) if kind == "a FIFO" else None
        names = {"run": run, "new": place / "new.csv", "train": place / "train.csv"}
        ended = forks.run(*(word.format(**names) for word in words), option, out, folder=str(folder), seconds=20)
        after = {path.name: os.lstat(path).st_mode for path in folder.iterdir() if path.name in before}
        fault = ended.fault or ("" if after == before else f"{sorted(set(before.items()) ^ set(after.items()))} was replaced or is gone")
        table.tried(name, fault, ended.outcome)
        if reader:
            reader()
    assert table.faults == []


def read_on(path: Path) -> object:
    """Read what comes through a FIFO, so that nobody waits for a reader; the returned function ends it."""
    descriptor = os.open(path, os.O_RDWR)
    thread = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(descriptor, 1 << 16), b"end")], daemon=True)
    thread.start()

    def end() -> None:
        os.write(descriptor, b"end")

    return end
