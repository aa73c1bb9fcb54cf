"""Code outside multihot runs only where the user has allowed it by name; where not, it is not even looked for."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.components import KINDS, UntrustedError, allowed, allowing, choices, dotted_paths, find
from multihot.errors import ConfigurationError
from multihot.experiments.config import Config
from multihot.experiments.fit import fit, resume
from multihot.experiments.methods import check_experiment
from multihot.experiments.recipes import check_recipe
from multihot.experiments.seal import seal
from multihot.experiments.sweep import plan_sweep, run_sweep
from multihot.parts import PARTS
from multihot.storage.json_files import read_json, write_json

sys.path.insert(0, str(Path(__file__).parent / "experiments"))
from small import small_rows, write_csv

NAME = "canary_outside.notes.X"
CANARY = """
from pathlib import Path
Path({made!r}).touch()
from multihot.losses import BinaryCrossEntropyLoss
class X(BinaryCrossEntropyLoss):
    "Binary cross entropy from elsewhere."
"""
FAST = {
    "method": {"name": "br", "encoder": {"name": "text_bag", "width": 16}},
    "training": {"epochs": 1, "batch_size": 64, "device": "cpu"},
}


class Watch:
    """A finder that finds nothing and notes which modules were looked for."""

    def __init__(self):
        self.sought: list[str] = []

    def find_spec(self, name, path=None, target=None):
        self.sought.append(name)

    @property
    def outside(self):
        return [name for name in self.sought if name.startswith(("canary_outside", "venv", "runs"))]


@pytest.fixture
def watch():
    finder = Watch()
    sys.meta_path.insert(0, finder)
    yield finder
    sys.meta_path.remove(finder)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with data, a finished run, and a module that leaves a mark when it is imported."""
    folder = tmp_path_factory.mktemp("desk")
    data = write_csv(folder / "train.csv", small_rows(80))
    fit(Config.from_dict({**FAST, "data": {"source": str(data), "text": "body", "labels": "tags"}}), folder / "runs" / "own")
    return folder


@pytest.fixture
def canary(desk, tmp_path, monkeypatch):
    """The module, importable from the working folder as it is with ``PYTHONPATH=.``; the path that its import would make."""
    package = tmp_path / "canary_outside"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "notes.py").write_text(CANARY.format(made=str(tmp_path / "made")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "made"
    for name in [name for name in sys.modules if name.startswith("canary_outside")]:
        del sys.modules[name]


def foreign(run: Path, to: Path, part: str, name: str) -> Path:
    """A copy of a run that names other code, with checksums that hold."""
    shutil.copytree(run, to)
    config = yaml.safe_load((to / "config.yaml").read_text())
    config["method"][part] = name
    (to / "config.yaml").write_text(yaml.safe_dump(config))
    metrics = {key: value for key, value in read_json(to / "metrics.json").items() if key not in ("files", "sha256")}
    write_json(to / "metrics.json", seal(to, metrics))
    return to


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def experiment(desk: Path, **method) -> dict:
    content = {**FAST, "data": {"source": str(desk / "train.csv"), "text": "body", "labels": "tags"}}
    return {**content, "method": {**FAST["method"], **method}}


@pytest.mark.parametrize(
    "name", ["venv.__main__.X", "runs.gift.notes.X", NAME, "antigravity.X", "multihot.__main__.X", "multihot.cli.__main__.X"]
)
@pytest.mark.parametrize("command", ["predict", "evaluate", "decode"])
def test_a_foreign_run_runs_nothing(desk, canary, watch, command, name):
    run = foreign(desk / "runs" / "own", canary.parent / "gift", "encoder", name)
    rest = ["--set", "method.decision=global"] if command == "decode" else [desk / "train.csv"]
    watch.sought.clear()
    result = call(command, run, *rest)
    assert result.exit_code == 2, result.output
    module = name.rpartition(".")[0]
    said = " ".join(result.stderr.split())
    assert f"method.encoder '{name}' is code outside multihot" in said
    assert f"add --trust {module}, or in Python allow=['{module}']" in said
    assert f"the command is then: multihot {command} {run}" in said
    assert said.endswith(f"--trust {module}")
    assert len(result.stderr.splitlines()) == 1
    assert watch.outside == []
    assert not canary.exists()


def test_a_foreign_run_in_python_runs_nothing(desk, canary, watch):
    run = multihot.load(foreign(desk / "runs" / "own", canary.parent / "gift", "loss", NAME))
    assert run.config.method["loss"] == NAME
    with pytest.raises(UntrustedError, match=rf"gift: method\.loss '{NAME}' is code outside multihot"):
        run.predict(["wheat"])
    assert watch.outside == []
    assert not canary.exists()


def test_a_classical_run_runs_nothing(desk, canary, watch):
    texts = [row["body"] for row in small_rows(60)]
    own = multihot.fit(texts, [row["tags"] for row in small_rows(60)], out=canary.parent / "svm", method="linear-svm").folder
    content = read_json(own / "classical.json")
    write_json(own / "classical.json", content | {"method": {"name": NAME}})
    metrics = {key: value for key, value in read_json(own / "metrics.json").items() if key not in ("files", "sha256")}
    write_json(own / "metrics.json", seal(own, metrics))
    with pytest.raises(UntrustedError, match=r"method\.name"):
        multihot.load(own).predict(["wheat"])
    assert watch.outside == []


@pytest.mark.parametrize("command", ["report", "compare", "cite"])
def test_what_only_shows_a_run_needs_no_trust_and_runs_nothing(desk, canary, watch, command):
    run = foreign(desk / "runs" / "own", canary.parent / "gift", "loss", NAME)
    rest = ["--out", canary.parent / "report.html"] if command == "report" else []
    result = call(command, run, *rest)
    assert result.exit_code == 0, result.output
    assert watch.outside == []


SWEEPS = {
    "a method": {"methods": {"m": {"name": "br", "loss": NAME}}},
    "common settings": {"methods": {"m": "br"}, "training": {"sampler": NAME}},
    "an override": {"methods": {"m": "br"}, "overrides": [{"set": {"method.scorer": NAME}}]},
    "an override's name": {"methods": {"m": "br"}, "overrides": [{"set": {"training.sampler.name": NAME}}]},
}


@pytest.mark.parametrize("content", SWEEPS.values(), ids=SWEEPS)
def test_a_foreign_sweep_runs_nothing(canary, watch, content):
    file = canary.parent / "sweep.yaml"
    file.write_text(yaml.safe_dump({"data": ["mulan/emotions"], "seeds": [0], **content}))
    result = call("sweep", file)
    assert result.exit_code == 2
    assert "is code outside multihot" in result.stderr
    assert str(file) in result.stderr
    assert f"multihot sweep {file} --trust canary_outside.notes" in " ".join(result.stderr.split())
    assert watch.outside == []
    assert not canary.exists()


def test_a_foreign_file_started_by_module_runs_nothing(desk, canary):
    """``python -m`` puts the working folder, where the module lies, on the path."""
    file = canary.parent / "foreign.yaml"
    file.write_text(yaml.safe_dump(experiment(desk, loss=NAME)))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, "-m", "multihot", "train", str(file)]
    older = [sys.executable, "-m", "multihot.cli", "train", str(file)]
    refused = subprocess.run(older, capture_output=True, text=True, env=environment, cwd=canary.parent)
    assert refused.returncode == 2
    assert "is code outside multihot" in refused.stderr
    # even trusted, it is not found by accident: the working folder is no place that was asked for
    missing = subprocess.run([*command, "--trust", "canary_outside"], capture_output=True, text=True, env=environment, cwd=canary.parent)
    assert missing.returncode == 2
    assert "cannot be imported" in missing.stderr
    assert not canary.exists()


PLACES = [*((kind, name) for kind in PARTS for name in (NAME, {"name": NAME}, {"name": NAME, "width": 3}))]
PLACES += [("objective", {"name": "multitask", "sequence": NAME}), ("sized_like", {"name": "br", "loss": NAME})]
PLACES += [("processor", {"name": NAME})]


@pytest.mark.parametrize(("part", "name"), PLACES)
def test_every_part_of_a_method_is_refused_before_it_is_imported(desk, canary, watch, part, name):
    method = {"name": "ocd-mtl" if part == "objective" else "br", "encoder": {"name": "text_bag", "width": 16}, part: name}
    content = {**experiment(desk), "method": method}
    with pytest.raises(UntrustedError, match=NAME):
        fit(Config.from_dict(content), canary.parent / "run")
    assert watch.outside == []


def test_a_sampler_is_refused_before_it_is_imported(desk, watch, tmp_path):
    content = experiment(desk)
    content["training"] = {**content["training"], "sampler": {"name": NAME}}
    with pytest.raises(UntrustedError, match=rf"training\.sampler '{NAME}'"):
        check_experiment(Config.from_dict(content))
    (tmp_path / "file.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UntrustedError, match=r"file\.yaml: training\.sampler"):
        check_recipe(tmp_path / "file.yaml")
    assert watch.outside == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_asks_for_consent(kind, watch):
    for name in (NAME, "os.system", "this.X", "multihot.x.X", "multihot_more.X"):
        with pytest.raises(UntrustedError):
            find(kind, name)
    for name in ("..x", ".x", "x.", "a..b", "\0.x", "a-b.c", "a.b c", "a/b.c"):
        with pytest.raises(ConfigurationError, match="no dotted path of a class"):
            find(kind, name)
    assert watch.outside == []
    assert all(find(kind, f"{cls.__module__}.{cls.__name__}") is cls for cls in choices(kind).values())


@pytest.mark.parametrize("name", ["canary", "canary_outside.not", "canary_outside.notes.Y", "canary_outside_more", "notes", "X"])
def test_consent_to_one_name_is_none_to_another(canary, watch, name):
    with allowing(name), pytest.raises(UntrustedError):
        find("loss", NAME)
    assert watch.outside == []


@pytest.mark.parametrize("name", ["canary_outside", "canary_outside.notes", NAME])
def test_consent_holds_for_what_lies_below(canary, name):
    with allowing(name):
        assert find("loss", NAME).__name__ == "X"
    with pytest.raises(UntrustedError):  # imported before or not
        find("loss", NAME)


@pytest.mark.parametrize("name", ["", ".", "a.", "*", "a/b", "a b", "--set", None, 3])
def test_what_names_no_package_cannot_be_trusted(name):
    with pytest.raises(ConfigurationError, match="names no package to trust"), allowing(name):
        pass


def test_dotted_paths_are_found_wherever_they_stand():
    content = {"a": "x.y", "b": [{"c": ("u.v.w", 1, None)}], "file.name": "a/b.csv", "d": "1.5", "e": 2.5, "f": "x. y", "g": b"m.n"}
    assert dotted_paths(content) == {"x.y", "u.v.w"}


class TestConsent:
    """By name, for this call alone, it works in every way there is."""

    def test_a_run_with_code_of_ones_own(self, desk, canary):
        settings = {"method.encoder": FAST["method"]["encoder"], "training.epochs": 1, "training.device": "cpu"}
        data = {"text": "body", "labels": "tags"}
        run = multihot.fit(desk / "train.csv", **data, out=canary.parent / "own", settings={**settings, "method.loss": NAME})
        assert canary.exists()
        assert len(run.predict(["wheat"])) == 1  # the run that this call gave
        again = multihot.fit(desk / "train.csv", **data, out=canary.parent / "two", method={"name": "br", "loss": NAME}, settings=settings)
        assert again.config.method["loss"]["name"] == NAME
        with pytest.raises(UntrustedError):  # opened by another call
            multihot.load(run.folder).predict(["wheat"])
        for allow in (["canary_outside"], "canary_outside.notes", (NAME,)):
            assert len(multihot.load(run.folder, allow=allow).predict(["wheat"])) == 1
        opened = multihot.load(run.folder, allow=["canary_outside"])
        with pytest.raises(UntrustedError):  # what was allowed stays with that run
            find("loss", NAME)
        assert len(opened.predict(["wheat"])) == 1

    def test_the_command_line(self, desk, canary):
        file, out = canary.parent / "own.yaml", canary.parent / "own"
        file.write_text(yaml.safe_dump(experiment(desk, loss=NAME)))
        assert call("recipes", "validate", file).exit_code == 2
        assert call("train", file, "--out", out).exit_code == 2
        assert not canary.exists()
        assert call("recipes", "validate", file, "--trust", "canary_outside").exit_code == 0
        assert call("train", file, "--out", out, "--trust", "other", "--trust", "canary_outside").exit_code == 0
        for words in (("predict", out, desk / "train.csv"), ("evaluate", out, desk / "train.csv")):
            assert call(*words).exit_code == 2
            assert call(*words, "--trust", "canary_outside.notes").exit_code == 0

    def test_what_is_typed_with_set(self, desk, canary):
        file = canary.parent / "plain.yaml"
        file.write_text(yaml.safe_dump(experiment(desk)))
        for number, value in enumerate((NAME, f"{{name: {NAME}}}")):
            result = call("train", file, "--out", canary.parent / f"set-{number}", "--set", f"method.loss={value}")
            assert result.exit_code == 0, result.output
        file.write_text(yaml.safe_dump(experiment(desk, loss={"name": NAME})))
        result = call("train", file, "--out", canary.parent / "other", "--set", "method.loss.reduction=sum")
        assert result.exit_code == 2  # a setting of it is typed, its name is not

    def test_going_on_asks_again_and_says_how(self, desk, canary):
        folder = canary.parent / "begun"
        folder.mkdir()
        (folder / "config.yaml").write_text(yaml.safe_dump(Config.from_dict(experiment(desk, loss=NAME)).to_dict()))
        result = call("train", "--resume", folder)
        assert result.exit_code == 2
        assert f"the command is then: multihot train --resume {folder} --trust canary_outside.notes" in " ".join(result.stderr.split())
        with pytest.raises(UntrustedError):
            resume(folder)
        assert not canary.exists()
        assert call("train", "--resume", folder, "--trust", "canary_outside.notes").exit_code == 0

    def test_a_sweep_hands_it_on(self, desk, canary, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(canary.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]))
        content = {"data": [{**experiment(desk)["data"], "name": "small"}], "methods": {"m": {**FAST["method"], "loss": NAME}}}
        content["training"] = FAST["training"]
        with allowing("canary_outside"):
            planned = plan_sweep(content, canary.parent / "sweep")
        assert [cell.reason for cell in run_sweep(planned).failed] == []
        assert json.loads((planned.cells[0].folder / "metrics.json").read_text())["test"]


def test_a_refused_option_leaves_nothing_allowed_and_no_loose_ends(monkeypatch):
    loose = []
    monkeypatch.setattr(sys, "unraisablehook", loose.append)
    before = allowed()
    result = CliRunner().invoke(app, ["decode", "run", "--decoding", "my_package.Mine", "--set", "no key", "--trust", "my_package"])
    assert result.exit_code == 2
    gc.collect()
    assert (loose, allowed()) == ([], before)
