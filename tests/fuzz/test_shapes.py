"""Whatever kind of value stands where YAML or JSON is read, every command takes it or refuses it in one line that names the key."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from profiles import one_line, quick, slow
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.errors import ConfigurationError, MultihotError
from multihot.experiments.compare import compare
from multihot.experiments.config import Config, load_config, override
from multihot.experiments.data_settings import DataSettings
from multihot.experiments.seal import seal
from multihot.experiments.sweep import plan_sweep
from multihot.report import write_report
from multihot.storage.json_files import read_json, write_json
from multihot.training.settings import TrainingSettings

WRONG = {"a number": "5", "nothing in it": "0", "a word": "train.csv", "an empty word": "''", "a list": "[x]", "an empty list": "[]",
         "yes": "true", "no": "false", "a date": "2001-02-03", "not a number": ".nan", "bytes": "!!binary eA==", "a set": "!!set {a}",
         "pairs": "!!pairs [a: b]", "deep": "[[[[5]]]]"}  # fmt: skip
SECTIONS = ("data", "training", "published")
EXPERIMENT = {
    "data": {"source": "nowhere.csv", "text": "body", "labels": "tags"},
    "method": {"name": "br"},
    "training": {"epochs": 1},
    "seed": 0,
}
SWEEP = {
    "data": ["mulan/emotions", {"source": "nowhere.csv", "name": "own"}],
    "methods": {"svm": "linear-svm", "br": {"name": "br", "loss": "zlpr"}},
    "seeds": [0],
    "training": {"epochs": 1},
    "overrides": [{"when": {"data": "own", "method": ["br"]}, "set": {"training.epochs": 2}}],
}
VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, -1, 5, 2**70, 0.5, float("nan"), "", "x", "br", "a.b", "train.csv", "\x00"]),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["name", "source", "a", "0"]), inner, max_size=2)),
    max_leaves=3,
)
PATHS = list[object]


def refused(*words: object) -> str:
    """What a command says of what it refuses: one line, without a traceback."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit), result.exception
    assert len(result.stderr.splitlines()) == 1, result.stderr
    return result.stderr


def places(content: object) -> list[tuple]:
    """The paths of all values in nested settings, the whole among them."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [(), *((key, *path) for key, value in inner for path in places(value))]


def changed(content: object, path: tuple, value: object) -> object:
    """A copy with another value at one place."""
    if not path:
        return value
    made = copy.deepcopy(content)
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_is_no_mapping(tmp_path, section, wrong):
    file = tmp_path / "a.yaml"
    file.write_text(f"{section}: {wrong}\n")
    for words in (("train", file), ("train", file, "--text", "body", "--seed", 1), ("recipes", "validate", file)):
        assert f"{section} must be a mapping" in refused(*words)
    if section != "published":
        assert f"{section} must be a mapping" in refused("train", file, "--set", f"{section}.limit=3")


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_file_that_is_no_mapping(tmp_path, wrong):
    file = tmp_path / "a.yaml"
    file.write_text(f"{wrong}\n")
    for words in (("train", file), ("sweep", file), ("recipes", "validate", file)):
        assert f"{file} must be a mapping of settings" in refused(*words).replace("\n", " ")


def test_an_empty_file_or_section_leaves_everything_as_it_is(tmp_path):
    for content in ("", "# nothing\n", "null\n", "data:\ntraining:\nmethod:\npublished:\n"):
        (tmp_path / "a.yaml").write_text(content)
        assert Config.from_dict(load_config(tmp_path / "a.yaml")) == Config()


def test_what_was_wrong_before_a_setting_stays_wrong():
    for wrong in (5, [], "train.csv", False):
        with pytest.raises(ConfigurationError, match="training must be a mapping"):
            override({"training": wrong}, ["training.epochs=3"])
        with pytest.raises(ConfigurationError, match=r"method\.loss must be a mapping") if not isinstance(wrong, str) else quiet():
            override({"method": {"loss": wrong}}, ["method.loss.gamma=3"])


def quiet():
    import contextlib

    return contextlib.nullcontext()


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("text", [BOMB, "data: &a {source: *a}\n", "method: &a [*a]\n", "&a [*a]\n", f"{BOMB}data: *i\n"])
def test_aliases_that_repeat_without_end(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    for words in (("train",), ("sweep",), ("recipes", "validate")):
        assert str(tmp_path) in refused(*words, tmp_path / "a.yaml")
    assert "aliases" in refused("train", "x.csv", "--set", "method.loss=&a [*a]")


def settled(content: object) -> bool:
    try:
        Config.from_dict(content)
    except MultihotError as error:
        one_line(error)
        return False
    return True


def planned(content: object, folder: Path) -> bool:
    try:
        plan_sweep(content, folder, where="sweep.yaml")
    except MultihotError as error:
        one_line(error, "sweep.yaml")
        return False
    return True


FULL = EXPERIMENT | {
    "data": vars(DataSettings()),
    "training": {name: getattr(TrainingSettings(), name) for name in TrainingSettings.__dataclass_fields__},
}


def test_what_is_changed_below_is_valid_as_it_stands(tmp_path):
    assert settled(EXPERIMENT)
    assert settled(FULL)
    assert planned(SWEEP, tmp_path)


@quick(150)
@given(st.sampled_from(places(FULL)), VALUES)
def test_any_value_in_an_experiment(path, value):
    assert settled(changed(FULL, path, value)) in (True, False)


@quick(80)
@given(st.sampled_from(places(SWEEP)), VALUES)
def test_any_value_in_a_sweep(tmp_path, path, value):
    assert planned(changed(SWEEP, path, value), tmp_path) in (True, False)


@quick(25)
@given(st.sampled_from([path for path in places(EXPERIMENT) if path != ("data", "source")]), VALUES)
def test_any_value_in_a_file_that_is_trained_on(tmp_path, path, value):
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(changed(EXPERIMENT, path, value)))
    assert refused("train", tmp_path / "a.yaml", "--out", tmp_path / "out")


ONE_EPOCH = {"training.epochs": 1, "training.device": "cpu"}
METHODS = {"classical": "linear-svm", "neural": {"name": "br", "encoder": {"name": "text_bag", "width": 4}}}


@pytest.fixture(scope="module", params=METHODS)
def run(tmp_path_factory, request):
    rows = [("wheat corn", ["grain"]), ("gold mine", ["metal"]), ("wheat gold", ["grain", "metal"]), ("bank", [])] * 6
    texts, labels = zip(*rows, strict=True)
    return multihot.fit(
        list(texts), list(labels), out=tmp_path_factory.mktemp("runs") / "run", method=METHODS[request.param], settings=ONE_EPOCH
    ).folder


def read_all(folder: Path) -> str:
    """Use all of a run folder; the one line that says why it could not be used, or nothing."""
    try:
        opened = multihot.load(folder)
        assert opened.config
        assert opened.statistics.num_labels == len(opened.labels)
        opened.predict(["wheat"])
        opened.evaluate([{"text": "wheat", "labels": ["grain"]}])
        compare([folder])
        write_report([folder], folder.parent / "report.html")
    except MultihotError as error:
        return one_line(error)
    return ""


def check_altered(run: Path, name: str, path: tuple, value: object) -> str:
    """What using a run says whose file holds another value, with checksums that hold."""
    before = {file: file.read_bytes() for file in (run / name, run / "metrics.json")}
    try:
        write_json(run / name, changed(json.loads(before[run / name]), path, value))
        metrics = json.loads((run / "metrics.json").read_text())
        if isinstance(metrics, dict):
            write_json(run / "metrics.json", seal(run, {key: one for key, one in metrics.items() if key not in ("files", "sha256")}))
        return read_all(run)
    finally:
        for file, content in before.items():
            file.write_bytes(content)


def altered(run: Path) -> st.SearchStrategy[tuple]:
    """A file of the run, a place in it, and another value for it; places of every depth alike often."""
    names = st.sampled_from(sorted(file.name for file in run.glob("*.json")))

    def below(name: str) -> st.SearchStrategy[tuple]:
        paths = places(read_json(run / name))
        return st.sampled_from(sorted({len(path) for path in paths})).flatmap(lambda depth: st.tuples(
            st.just(name), st.sampled_from([path for path in paths if len(path) == depth]), VALUES))  # fmt: skip

    return names.flatmap(below)


def test_wrong_kinds_in_run_folders(run, tmp_path):
    copied = shutil.copytree(run, tmp_path / "run")
    assert read_all(copied) == ""
    assert "names.0 must be a string, got 5" in check_altered(copied, "labels.json", ("names", 0), 5)
    assert "test.micro_f1 must be a number" in check_altered(copied, "metrics.json", ("test", "micro_f1"), "x")
    assert "data is missing" not in check_altered(copied, "metrics.json", ("data",), None)

    @quick(60)
    @given(altered(copied))
    def read(change):
        check_altered(copied, *change)

    read()
    assert read_all(copied) == ""


@pytest.mark.slow
def test_many_wrong_kinds_in_run_folders(run, tmp_path):
    copied = shutil.copytree(run, tmp_path / "run")

    @slow(3000)
    @given(altered(copied))
    def read(change):
        check_altered(copied, *change)

    read()
    assert read_all(copied) == ""


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"source": {"train": 5}}, "data.source.train must be str, got 5"),
        ({"source": {"train": "a.csv", "test": None}}, "data.source.test must be str, got None"),
        ({"source": "a.csv", "labels": ["tags", 3.5]}, "data.labels.1 must be str, got 3.5"),
        ({"source": "a.csv", "features": [["x"]]}, r"data.features.0 must be str, got \['x'\]"),
    ],
)
def test_what_lies_inside_a_setting_is_checked_too(section: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Config.from_dict({"data": section})
