"""Methods x data sets x seeds, one run after another; what is finished is skipped, what was stopped goes on."""

from __future__ import annotations

import json
import re
import reprlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from ..components import UntrustedError, allowed, check_keys
from ..errors import ConfigurationError, RunError, nearest
from ..storage import write_text
from ..storage.json_files import read_json
from .config import Config, flatten, override, settings_of, stored_config
from .folds import each_fold, folder_name
from .lock import GLANCE, is_written_to
from .watching import Watch, last_line

NAME = re.compile(r"[\w.+-]+")
TRAIN = (sys.executable, "-P", "-m", "multihot.cli", "train")  # -P: modules of the working folder are not importable
EVERY = 1.0  # seconds between two looks at a training
SIGNALS = ("SIGTERM", "SIGHUP")  # those of them that the system has
PATIENCE = 120  # seconds that a stopped training has for saving where it is


@dataclass
class Cell:
    """One run of a sweep.

    Args:
        data: the data set's name.
        method: the method's name in the sweep.
        seed: the run's seed.
        fold: the fold it is tested on; None without folds.
        folder: its run folder.
        config: the whole experiment.
        state: "waiting", "running", "finished" or "failed".
        reason: why it failed, in one line.
        measures: those of the test split, once it is finished.
        progress: how far it is while it runs, such as "epoch 3/12, 0:00:40 left".
    """

    data: str
    method: str
    seed: int
    folder: Path
    config: Config
    state: str = "waiting"
    reason: str = ""
    measures: dict[str, float] = field(default_factory=dict)
    fold: int | None = None
    progress: str = ""

    @property
    def told(self) -> str:
        """Which of the method's runs it is."""
        return f"seed {self.seed}" + ("" if self.fold is None else f", fold {self.fold}")

    def finish(self) -> None:
        """Take over what the finished run measured."""
        self.state = "finished"
        self.measures = read_json(self.folder / "metrics.json").get("test", {})


@dataclass
class Sweep:
    """All runs of a sweep.

    Args:
        out: the folder of all its runs.
        cells: the runs, in the order in which they are made.
        trusted: the names outside multihot that were allowed when it was planned, and are in its runs.
    """

    out: Path
    cells: list[Cell] = field(default_factory=list)
    trusted: frozenset[str] = field(default_factory=allowed)

    @property
    def failed(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.state == "failed"]


def plan_sweep(content: Mapping[str, Any], out: str | Path, where: str = "the sweep", settings: Sequence[str] = ()) -> Sweep:
    """Every run that a sweep asks for, checked as a whole before anything is trained.

    Args:
        content: ``data`` (names, or mappings as in a configuration with an optional ``name``), ``methods`` (name -> a method's name or
            configuration), ``seeds``, ``training`` (common settings) and ``overrides``: a list of ``{when: {data: ..., method: ...}, set:
            {dotted.key: value}}``, later ones win.
        out: the folder of all runs; each lies in ``out/<data>/<method>/<seed>``, or ``.../<seed>-fold<number>``, one for every fold,
            where ``data.folds`` is set and ``data.fold`` is not.
        where: what error messages call it.
        settings: ``key=value`` for all runs, after the overrides.

    Returns:
        The sweep; runs that are finished under ``out`` are marked so.

    Raises:
        ConfigurationError: for a key, name or setting that cannot work.
        RunError: for a run under ``out`` that was made with other settings.
    """
    content = settings_of(content, where)
    check_keys(content, {"data", "methods", "seeds", "training", "overrides"}, where=where)
    data, methods = _data_sets(content.get("data"), where), _methods(content.get("methods"), where)
    seeds = content.get("seeds", [0])
    if not isinstance(seeds, list) or not seeds or len(set(map(str, seeds))) != len(seeds):
        raise ConfigurationError(f"{where}: seeds must be a list of different whole numbers, got {seeds!r}; for example [0, 1, 2]")
    entries = [] if content.get("overrides") is None else content["overrides"]
    if not isinstance(entries, list):
        raise ConfigurationError(f"{where}: overrides must be a list of {{when: ..., set: ...}}, got {reprlib.repr(entries)}")
    overrides = [_override(entry, data, methods, where) for entry in entries]
    training = settings_of(content.get("training"), f"{where}: training")
    sweep = Sweep(Path(out))
    for name, source in data.items():
        for method, parts in methods.items():
            common = {"data": source, "method": parts, "training": training}
            chosen = [line for datas, names, lines in overrides if name in datas and method in names for line in lines]
            chosen += settings
            for seed in seeds:
                content = override(common, chosen) | {"seed": seed}
                for fold, config in each_fold(_config(content, f"{where}: {name}, {method}"), named="fold" in content["data"]):
                    folder = sweep.out / name / method / folder_name(seed, fold)
                    sweep.cells.append(Cell(name, method, seed, folder, config, fold=fold))
    for cell in sweep.cells:
        _look_up(cell)
    return sweep


def run_sweep(
    sweep: Sweep,
    changed: Callable[[Cell], None] = lambda cell: None,
    say: Callable[[str], None] = lambda line: None,
    moved: Callable[[Cell], None] = lambda cell: None,
) -> Sweep:
    """Make the runs that are not finished, each in a process of its own, so that its peak memory is its own and a crash stops it alone.

    Args:
        sweep: the runs; their ``state`` is kept up to date.
        changed: told whenever a run starts, finishes or fails.
        say: told in one line what happens.
        moved: told every second that a run is on its way; its ``progress`` says how far.

    Returns:
        The same sweep; ``failed`` lists the runs that did not finish.

    Raises:
        KeyboardInterrupt: after Ctrl-C, when the running training has saved where it is; the next call goes on there.
    """
    with _alone(sweep.out, say):
        for cell in sweep.cells:
            _wait_for_others(cell, say)
            _look_up(cell)  # again: whoever held the lock until now may have finished it
            if cell.state == "finished":
                changed(cell)
                continue
            cell.state = "running"
            changed(cell)
            cell.reason = _train(cell, sweep.trusted, moved)
            cell.progress = ""
            if cell.reason:
                cell.state = "failed"
            else:
                cell.finish()
            changed(cell)
    return sweep


def _train(cell: Cell, trusted: Iterable[str], moved: Callable[[Cell], None]) -> str:
    """Train in a process of its own; the reason why it failed, or nothing."""
    beside = cell.folder.with_name(cell.folder.name + ".yaml")
    beside.parent.mkdir(parents=True, exist_ok=True)
    write_text(beside, yaml.safe_dump(cell.config.to_dict(), sort_keys=False, allow_unicode=True))
    started = (cell.folder / "checkpoints" / "last.ckpt").exists()
    words = ["--resume", str(cell.folder)] if started else [str(beside), "--out", str(cell.folder)]
    words += [f"--trust={name}" for name in sorted(trusted)]
    log = cell.folder.with_name(cell.folder.name + ".log")
    with log.open("ab") as output:
        # a process group of its own: Ctrl-C reaches it through us, once, so that it can save where it is
        process = subprocess.Popen(
            [*TRAIN, *words],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        watch = Watch(cell.folder)

        def look() -> None:
            cell.progress = watch.look()
            moved(cell)

        _wait(process, look)
    if process.returncode == 0 and (cell.folder / "metrics.json").exists():
        return ""
    ended = f"signal {-process.returncode}" if process.returncode < 0 else f"exit code {process.returncode}"
    return f"{last_line(log) or 'no word'} ({ended}; all of it in {log})"


def _wait(process: subprocess.Popen[bytes], look: Callable[[], None]) -> None:
    """Wait for a training, looking how far it is; when we are told to stop, let it save first."""
    try:
        while True:
            try:
                process.wait(EVERY)
                return
            except subprocess.TimeoutExpired:
                look()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        raise


@contextmanager
def _alone(out: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the sweep's folder, once no other sweep does; and be told of signals as of Ctrl-C."""
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another sweep is at work in {out}; waiting for it to end")
        lock.acquire(poll_interval=GLANCE)
    before = {number: signal.signal(number, _interrupt) for name in SIGNALS if (number := getattr(signal, name, None)) is not None}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        lock.release()


def _wait_for_others(cell: Cell, say: Callable[[str], None]) -> None:
    """Wait for a training that a killed sweep left behind, so that its run is not made twice."""
    if is_written_to(cell.folder):
        say(f"a training that another sweep left behind is at work in {cell.folder}; waiting for it to end")
        while is_written_to(cell.folder):
            time.sleep(GLANCE)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _look_up(cell: Cell) -> None:
    """Mark a run that is finished; refuse one that was made with other settings."""
    path = cell.folder / "config.yaml"
    finished = (cell.folder / "metrics.json").exists()
    if not path.exists():
        if finished:
            raise RunError(f"{cell.folder}: config.yaml is missing; the run was altered, remove the folder or choose another --out")
        return
    from .methods import settled_like

    made = stored_config(path)
    before, now = flatten(made.to_dict()), flatten(settled_like(cell.config, made).to_dict())
    keys = sorted(key for key in before.keys() | now.keys() if key.split(".")[0] != "published")  # quoted, not a setting
    other = [key for key in keys if before.get(key) != now.get(key)]
    if other and (finished or (cell.folder / "checkpoints" / "last.ckpt").exists()):
        changes = ", ".join(f"{key} {json.dumps(before.get(key))} -> {json.dumps(now.get(key))}" for key in other[:5])
        raise RunError(
            f"{cell.folder} was made with other settings than the sweep now asks for ({changes}); remove it or choose another --out"
        )
    if finished:
        cell.finish()


def _data_sets(entries: Any, where: str) -> dict[str, dict[str, Any]]:
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError(f"{where}: data must be a list of data sets, got {entries!r}; for example [reuters21578, mulan/emotions]")
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        settings = {"source": entry} if isinstance(entry, str) else dict(entry) if isinstance(entry, Mapping) else {}
        source = settings.get("source")
        name = settings.pop("name", source)
        if not source or not isinstance(name, str):
            raise ConfigurationError(f"{where}: a data set must be a name, or a mapping with source (and name, where that is no word)")
        name = _folder_name(name.replace("/", "-"), where)
        if name in found:
            raise ConfigurationError(f"{where}: two data sets are called '{name}'; give one of them another name")
        found[name] = settings
    return found


def _methods(entries: Any, where: str) -> dict[str, dict[str, Any]]:
    if not isinstance(entries, Mapping) or not entries:
        raise ConfigurationError(f"{where}: methods must map names to methods, got {entries!r}; for example {{svm: linear-svm}}")
    for name, method in entries.items():
        if not isinstance(method, (str, Mapping)):
            raise ConfigurationError(f"{where}: method '{name}' must be a method's name or its configuration, got {method!r}")
    return {
        _folder_name(str(name), where): {"name": method} if isinstance(method, str) else {"name": "br", **method}
        for name, method in entries.items()
    }


def _folder_name(name: str, where: str) -> str:
    if not NAME.fullmatch(name) or name.strip(".") == "":
        raise ConfigurationError(f"{where}: '{name}' names a folder, so it must be of letters, digits and . _ + - alone")
    return name


def _override(entry: Any, data: Mapping[str, Any], methods: Mapping[str, Any], where: str) -> tuple[list[str], list[str], list[str]]:
    """One override as (data sets, methods, settings)."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("set"), Mapping):
        raise ConfigurationError(f"{where}: an override must be {{when: {{data: ..., method: ...}}, set: {{key: value}}}}, got {entry!r}")
    check_keys(entry, {"when", "set"}, where=f"{where}: overrides")
    when = settings_of(entry.get("when"), f"{where}: overrides.when")
    check_keys(when, {"data", "method"}, where=f"{where}: overrides.when")
    chosen = [_chosen(when.get(key), names, key, where) for key, names in (("data", data), ("method", methods))]
    return chosen[0], chosen[1], [f"{key}={json.dumps(value, default=str)}" for key, value in entry["set"].items()]


def _chosen(given: Any, names: Sequence[str] | Mapping[str, Any], key: str, where: str) -> list[str]:
    if given is None:
        return list(names)
    wanted = [str(name).replace("/", "-") for name in (given if isinstance(given, list) else [given])]
    for name in wanted:
        if name not in names:
            raise ConfigurationError(f"{where}: overrides.when.{key}: there is no '{name}' in this sweep; {nearest(name, names)}")
    return wanted


def _config(content: Mapping[str, Any], where: str) -> Config:
    from .methods import check_experiment

    try:
        config = Config.from_dict(content)
        check_experiment(config)
    except UntrustedError as error:
        raise error.said_of(where) from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return config
