"""Runs `multihot` commands in processes of their own and kills them (SIGKILL) at a chosen moment; a program, not a module.

Reads a JSON list of commands ``{"words": [...], "folder": ..., "at": n or null, "later": seconds}`` from standard input. Every process
counts what it is about to do to files below ``folder`` (open for writing, make a folder, move into place) and kills itself before the
n-th, or that many seconds after it, in the middle of whatever it does then. Writes a JSON list of ``{"ended": exit code or -signal,
"events": [...]}`` to standard output. The processes are forked from one that has imported everything, so that many take little time.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import multihot.cli
import multihot.experiments.fit
import multihot.training.fit  # imported once, for all processes


def watch(folder: Path, at: int | None, later: float, journal: Path) -> None:
    """Count the file events below a folder, note them in the journal, and kill this process at one of them."""
    count = 0

    def die() -> None:
        time.sleep(later)
        os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, (str, bytes, os.PathLike)) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event in ("os.mkdir", "os.rename"):
            path = arguments[1 if event == "os.rename" else 0]
        else:
            return
        name = os.fsdecode(path)
        if not name.startswith(str(folder)) or name == str(journal):
            return
        count += 1
        os.write(notes, f"{event} {name.removeprefix(str(folder))}\n".encode())
        if count == at:
            threading.Thread(target=die, daemon=True).start() if later else os.kill(os.getpid(), signal.SIGKILL)

    notes = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    sys.addaudithook(hook)


def run(command: dict) -> dict:
    folder = Path(command["folder"])
    journal = folder.with_name(folder.name + ".events")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(2, 1)
            watch(folder, command.get("at"), command.get("later", 0.0), journal)
            sys.argv = ["multihot", *command["words"]]
            multihot.cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return {"ended": os.waitstatus_to_exitcode(status), "events": journal.read_text().splitlines()}


if __name__ == "__main__":
    print(json.dumps([run(command) for command in json.load(sys.stdin)]))
