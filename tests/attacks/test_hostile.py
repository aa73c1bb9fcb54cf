"""Nothing that comes from a stranger executes code: no pickle, no name of a function, no name of a module."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import torch
import yaml
from commands import READING, Ended, whole_process
from foreign import Bomb, configuration, foreign_run, pickled, plan, plant, sealed_again
from rows import Row

KEYS = ["method.encoder", "method.scorer", "method.loss", "method.objective", "method.decoding", "method.decision", "method.calibration",
        "method.processor", "training.sampler"]  # fmt: skip


def check_refused(table: Row, case: str, ended: Ended, mark: Path) -> None:
    """The command was refused in one line, or read no more than it needs, and nothing was executed."""
    table.tried(case, "it was executed" if mark.exists() else ended.fault, f"{ended.outcome}, nothing executed")
    mark.unlink(missing_ok=True)


def test_pickles(row, training, undisturbed, forks, place, tmp_path):
    whole, _ = undisturbed("br")
    table = row("pickle as model.safetensors (sealed, resealed), last.ckpt (2), best.ckpt")
    mark = tmp_path / "executed"
    for name in ("sealed", "resealed"):
        copy = shutil.copytree(whole, tmp_path / name)
        (copy / "model.safetensors").write_bytes(pickled(mark))
        if name == "resealed":
            sealed_again(copy)
        check_refused(table, f"model.safetensors {name}", forks.run("predict", copy, place / "new.csv"), mark)
    begun = tmp_path / "begun"
    forks.together(training("br", begun, "--seed", 0, signal=signal.SIGKILL, at=str(begun / "checkpoints/last.ckpt")))
    for name in ("last.ckpt", "last.ckpt beside tensors", "best.ckpt"):
        copy = shutil.copytree(begun, tmp_path / name.replace(" ", "-"))
        path = copy / "checkpoints" / name.split()[0]
        if "tensors" in name:
            torch.save(torch.load(path, weights_only=True) | {"more": Bomb(mark)}, path)
        else:
            path.write_bytes(pickled(mark))
        check_refused(table, name, forks.run("train", "--resume", copy), mark)
    assert table.faults == []


def test_names_of_functions(row, undisturbed, forks, place, tmp_path):
    whole, _ = undisturbed("br")
    table = row("dotted path to a callable (os.system, Popen, eval), YAML tag")
    mark = tmp_path / "executed"
    shell = {"name": "subprocess.Popen", "args": f"touch {mark}", "shell": True}
    run = foreign_run(whole, tmp_path / "gift", "method.encoder", shell)
    check_refused(table, "Popen in a run", forks.run("predict", run, place / "new.csv"), mark)
    told = {
        "os.system": {"name": "os.system", "command": f"touch {mark}"},
        "eval": {"name": "builtins.eval", "source": f"open({str(mark)!r}, 'w')"},
    }
    for name, value in told.items():
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(configuration(place / "train.csv", "method.loss", value)))
        check_refused(table, f"{name} in a configuration", forks.run("train", path, folder=str(tmp_path)), mark)
    (tmp_path / "tag.yaml").write_text(f"data: !!python/object/apply:os.system ['touch {mark}']\nmethod: br\n")
    for command in ("train", "sweep"):
        check_refused(table, f"YAML tag, {command}", forks.run(command, tmp_path / "tag.yaml", folder=str(tmp_path)), mark)
    assert table.faults == []


def readings(run: Path, place: Path) -> list[list[Any]]:
    """Every command that reads a run."""
    with_data = [["predict", run, place / "new.csv"], ["evaluate", run, place / "more.csv"]]
    return [*with_data, ["decode", run, "--decoding", "threshold"], ["report", run], ["compare", run], ["cite", run]]


def test_names_of_modules(row, size, undisturbed, forks, place, tmp_path):
    """The working folder is on the path, as with ``PYTHONPATH=.``, and the module lies in it or in the gift itself."""
    whole, _ = undisturbed("br")
    table = row("dotted path to a module with effects on import, in a run, a configuration and a sweep")
    mark = tmp_path / "executed"
    given: dict[str, Any] = {"folder": str(tmp_path), "on_path": str(tmp_path)}
    for key in KEYS[: size(2, len(KEYS))]:
        name = key.rpartition(".")[2]
        gift = foreign_run(whole, tmp_path / f"gift_{name}", key, "")
        shutil.rmtree(gift)
        dotted = plant(tmp_path, f"gift_{name}.notes", mark)
        shutil.rmtree(gift)
        foreign_run(whole, gift, key, dotted)
        plant(tmp_path, f"gift_{name}.notes", mark)
        for words in readings(gift, place):
            check_refused(table, f"{key} in a run, {words[0]}", forks.run(*words, **given), mark)
        for kind, content in (
            ("train", configuration(place / "train.csv", key, dotted)),
            ("sweep", plan(place / "train.csv", key, dotted)),
        ):
            path = tmp_path / f"{kind}-{name}.yaml"
            path.write_text(yaml.safe_dump(content))
            ended = forks.run(kind, path, "--out", tmp_path / f"{kind}-{name}", **given)
            if ended.code == 1 and kind == "sweep":  # its table says that the run failed, and why
                ended = Ended(2, ended.out, "multihot: a run of the sweep was refused")
            check_refused(table, f"{key} in a file, {kind}", ended, mark)
    assert table.faults == []


STARTS = {
    "console script, the standard library": ("console", "this.X"),
    "console script, a program of the standard library": ("console", "venv.__main__.X"),
    "python -m, the working folder": ("module", "notes.X"),
    "PYTHONPATH=., the working folder": ("console", "notes.X"),
}


def test_modules_from_the_first_moment(row, size, undisturbed, place, tmp_path):
    """Whole processes, for the path and the standard library are then as users have them."""
    whole, _ = undisturbed("br")
    table = row("dotted path to a module, by console script, python -m and a sweep's own processes")
    mark = tmp_path / "executed"
    plant(tmp_path, "notes", mark)
    for number, (name, (start, dotted)) in enumerate(list(STARTS.items())[: size(2, len(STARTS))]):
        gift = foreign_run(whole, tmp_path / f"gift-{number}", "method.encoder", dotted)
        before = sorted(tmp_path.iterdir())
        environment = {"PYTHONPATH": f".:{os.environ.get('PYTHONPATH', '')}"} if "PYTHONPATH" in name else {}
        ended = whole_process(["predict", gift, place / "new.csv"], tmp_path, start, environment=environment)
        made = [path.name for path in sorted(tmp_path.iterdir()) if path not in before and path != mark]
        shown = "the module ran" if "Zen of Python" in ended.out or made else ""
        table.tried(name, shown or ("it was executed" if mark.exists() else ended.fault), f"{ended.outcome}, nothing executed")
        mark.unlink(missing_ok=True)
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(plan(place / "train.csv", "training.sampler", "notes.X")))
    whole_process(["sweep", path, "--out", tmp_path / "out"], tmp_path)
    table.tried("a sweep, the working folder", "it was executed" if mark.exists() else "", "nothing executed")
    assert table.faults == []


def test_the_canary_sings(forks, place, tmp_path):
    """What is typed is consent: then the module is imported, so the attacks above would be seen."""
    mark = tmp_path / "executed"
    dotted = plant(tmp_path, "notes", mark)
    words = ("train", place / "train.csv", *READING, "--set", f"method.encoder={dotted}", "--out", tmp_path / "run")
    ended = forks.run(*words, folder=str(tmp_path), on_path=str(tmp_path))
    assert mark.exists()
    assert ended.outcome == "refused"  # it is no encoder
