"""Runs `multihot` commands in processes forked from one that has imported everything; a program, not a module.

Reads a JSON list of commands from each line of standard input, runs the commands of a list at once, and answers with a line that holds
the list of how they ended. A command is the mapping that ``commands.Command`` makes. Whatever Python reads before the command line of
multihot begins (its start-up, the imports) is over by then: that saves four seconds a command.
"""

import json
import math
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

import datasets  # noqa: F401 -- imported once, for all processes, as is what follows

import multihot.classical
import multihot.cli
import multihot.encoders
import multihot.experiments.compare
import multihot.experiments.fit
import multihot.report
import multihot.training.fit

POLL = 0.001  # seconds between two looks at the processes and at the files they make
WAITED = 5  # times the seconds of processor time that a command may take


def start(command: dict) -> int:
    """Fork; the child runs the command and ends as the interpreter would."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor, path in ((1, command["out"]), (2, command["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
        signal.signal(signal.SIGINT, signal.SIG_IGN if command["deaf"] else signal.default_int_handler)
        os.environ.update(command["environment"])
        os.chdir(os.fsencode(command["folder"]))
        if command["memory"]:
            resource.setrlimit(resource.RLIMIT_DATA, (command["memory"], command["memory"]))
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(command["seconds"]), resource.RLIM_INFINITY))
        sys.path[:0] = [command["on_path"]] if command["on_path"] else []
        sys.argv = ["multihot", *command["words"]]
        multihot.cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(flushed(code))


def flushed(code: int) -> int:
    """The exit code, or that of an interpreter that cannot write its last words."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return 120
    return code


def run(commands: list[dict]) -> list[dict]:
    """Start every command after its delay, send it its signal at its moment, and wait for all."""
    began = time.monotonic()
    states = [{"command": command, "appeared": None, "signalled": False} for command in commands]
    while any("ended" not in state for state in states):
        for state in states:
            if "ended" not in state:
                look_after(state, time.monotonic() - began)
        time.sleep(POLL)
    return [{key: state[key] for key in ("ended", "seconds", "peak", "signalled", "late")} for state in states]


def look_after(state: dict, now: float) -> None:
    """One look at one command."""
    command = state["command"]
    if "pid" not in state:
        if now >= command["delay"]:
            state |= {"pid": start(command), "started": now, "late": False}
        return
    pid, status, usage = os.wait4(state["pid"], os.WNOHANG)
    running = now - state["started"]
    if pid:
        state |= {"ended": os.waitstatus_to_exitcode(status), "seconds": running, "peak": usage.ru_maxrss * 1024}
    elif running > WAITED * command["seconds"]:
        state["late"] = True
        os.kill(state["pid"], signal.SIGKILL)
    elif command["signal"] and not state["signalled"]:
        if state["appeared"] is None and (not command["at"] or Path(command["at"]).exists()):
            state["appeared"] = running if command["at"] else 0.0
        if state["appeared"] is not None and running >= state["appeared"] + command["later"]:
            state["signalled"] = True
            os.kill(state["pid"], command["signal"])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
