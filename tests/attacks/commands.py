"""Runs `multihot` commands, says how they ended, and compares what they left behind."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("forks.py")
TRACEBACK = "Traceback (most recent call last)"
SURVIVED = ("done", "refused", "stopped")
GIBIBYTE = 2**30
TIMES = {"seconds", "instances_per_second", "predictions_per_second", "decoding_seconds", "peak_memory_bytes"}
LOGGED_TIMES = {"training/instances_per_second"}
READING = ("--text", "body", "--labels", "tags")


@dataclass(frozen=True)
class Command:
    """A command of the command line and what happens to it.

    Args:
        words: what is typed after ``multihot``.
        folder: the working folder.
        environment: variables set for it.
        delay: seconds after which it starts.
        signal: number of a signal that is sent to it once, or 0.
        at: a file at whose appearance the signal is sent; where it is empty, the start counts.
        later: seconds between that moment and the signal.
        deaf: whether it ignores Ctrl-C from the start, as after ``nohup``.
        memory: largest size of its data in bytes, or 0.
        seconds: of processor time, or five times as many by the clock, after which it is killed as hanging; so a busy machine is no fault.
        on_path: a folder whose modules can be imported, as with ``PYTHONPATH``.
        out: where its standard output goes, or nothing.
    """

    words: tuple[str, ...]
    folder: str = "."
    environment: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    signal: int = 0
    at: str = ""
    later: float = 0.0
    deaf: bool = False
    memory: int = 0
    seconds: float = 120.0
    on_path: str = ""
    out: str = ""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: its exit code, or minus the signal that killed it.
        out: its standard output.
        err: its standard error.
        seconds: how long it took.
        peak: its largest resident memory in bytes.
        signalled: whether the signal was sent before it ended.
        late: whether it hung.
    """

    code: int
    out: str = ""
    err: str = ""
    seconds: float = 0.0
    peak: int = 0
    signalled: bool = False
    late: bool = False

    @property
    def said(self) -> list[str]:
        """The lines in which multihot says what is wrong."""
        return [line for line in self.err.splitlines() if line.startswith("multihot: ")]

    @property
    def outcome(self) -> str:
        """``done``, ``refused`` (one clear line, exit code 2), ``stopped`` (130), or what no command should do."""
        if self.late or self.code == -signal.SIGXCPU:
            return "hung"
        if TRACEBACK in self.err or TRACEBACK in self.out:
            return "traceback"
        if self.code < 0:
            return signal.Signals(-self.code).name
        if self.code == 0:
            return "done"
        if self.code == 2 and (len(self.said) == 1 or "Usage: " in self.err):  # what no option can mean is said with the usage
            return "refused"
        return "stopped" if self.code == 130 and len(self.said) == 1 else f"exit code {self.code} and {len(self.said)} lines"

    @property
    def fault(self) -> str:
        """Nothing where the command was done, refused or stopped; else the outcome with the last words."""
        last = next((line for line in reversed(self.err.splitlines()) if line.strip()), "")
        return "" if self.outcome in SURVIVED else f"{self.outcome}: {last[:300]}"


class Forks:
    """A process that has imported everything and forks one for every command.

    Args:
        place: a folder for what the commands print.
        hash_seed: Python's, so that two can differ as two processes do.
    """

    def __init__(self, place: Path, hash_seed: int):
        self.place = place
        environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def together(self, *commands: Command) -> list[Ended]:
        """Run commands at once."""
        asked = []
        for command in commands:
            name = self.place / uuid.uuid4().hex
            given = {key: getattr(command, key) for key in Command.__dataclass_fields__}
            variables = {"MULTIHOT_CACHE": os.environ["MULTIHOT_CACHE"]} | command.environment
            asked.append(given | {"out": command.out or f"{name}.out", "err": f"{name}.err", "environment": variables})
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the process that forks the commands has ended; its last words are above"
        ended = json.loads(answer)
        return [self._ended(one, command, how) for one, command, how in zip(asked, commands, ended, strict=True)]

    def run(self, *words: Any, **more: Any) -> Ended:
        """Run one command; ``more`` are the other fields of ``Command``."""
        return self.together(Command(tuple(map(str, words)), **more))[0]

    def _ended(self, asked: dict[str, Any], command: Command, how: dict[str, Any]) -> Ended:
        out = "" if command.out else _taken(asked["out"])
        return Ended(how["ended"], out, _taken(asked["err"]), how["seconds"], how["peak"], how["signalled"], how["late"])

    def close(self) -> None:
        self.process.communicate()


def _taken(path: str) -> str:
    text = Path(path).read_text(errors="replace") if Path(path).exists() else ""
    Path(path).unlink(missing_ok=True)
    return text


def whole_process(words: list[Any], folder: Path, start: str = "console", **options: Any) -> Ended:
    """Run a command in a process of its own from its first moment.

    Args:
        words: what is typed after ``multihot``.
        folder: the working folder.
        start: ``console`` as the installed command starts, without the working folder on the path; ``module`` by ``python -m``.
        options: of ``subprocess.run``; ``environment`` adds variables.
    """
    command = [sys.executable, "-m", "multihot.cli"] if start == "module" else [sys.executable, "-P", "-c", CONSOLE]
    environment = os.environ | {"COLUMNS": "200"} | options.pop("environment", {})
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "timeout": 300} | options
    done = subprocess.run([*command, *map(str, words)], cwd=folder, env=environment, **options)
    return Ended(done.returncode, (done.stdout or b"").decode(errors="replace"), (done.stderr or b"").decode(errors="replace"))


CONSOLE = "import sys; sys.argv[0] = 'multihot'; from multihot.cli import main; sys.exit(main())"


def with_words(command: Command, *words: Any) -> Command:
    """The command with more words."""
    return replace(command, words=(*command.words, *map(str, words)))


def difference(folder: Path, whole: Path, log: bool = True) -> str:
    """In what a run differs from an undisturbed one, times apart; nothing where they are the same bit for bit.

    Compared are the files there are, every file's bytes, the values of ``metrics.json``, and the rows of the log.
    """
    names, others = _files(folder), _files(whole)
    if names != others:
        return f"only one of them has {', '.join(sorted(names ^ others))}"
    for name in sorted(names - {"metrics.json", "environment.json", "log/metrics.csv"}):
        if (folder / name).read_bytes() != (whole / name).read_bytes():
            return f"{name} differs"
    if _measured(folder) != _measured(whole):
        return "metrics.json differs"
    mine, wanted = (read_log(path) for path in (folder, whole))
    if log and len(mine) != len(wanted):
        return f"the log has {len(mine)} rows, of the undisturbed run {len(wanted)}"
    for one, other in zip(mine, wanted, strict=True) if log else ():
        if one != other:
            keys = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
            return f"log/metrics.csv differs at step {other['step']} in {', '.join(keys[:5])}"
    return ""


def read_log(folder: Path) -> list[dict[str, str]]:
    """The rows of a run's log without what is a time."""
    path = folder / "log" / "metrics.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: value for key, value in row.items() if key not in LOGGED_TIMES} for row in csv.DictReader(file)]


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _measured(folder: Path) -> dict[str, Any]:
    content = json.loads((folder / "metrics.json").read_text())
    content["cost"] = {key: value for key, value in content["cost"].items() if key not in TIMES}
    return {key: sorted(value) if key == "files" else value for key, value in content.items() if key != "sha256"}
