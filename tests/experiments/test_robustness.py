"""A run folder with a piece missing, altered, planted or from a newer version; a full disk; a folder that may not be written."""

import ast
import contextlib
import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
from small import QUICK, small_rows, write_csv
from typer.testing import CliRunner

import multihot
import multihot.experiments.fit
import multihot.storage.files
from multihot.cli import app
from multihot.data.cache import SplitWriter
from multihot.errors import MultihotError, RunError
from multihot.experiments.fit import resume
from multihot.report.reading import read_log

SETTINGS = QUICK | {"training.epochs": 2}
SOURCES = sorted(Path(multihot.__file__).parent.rglob("*.py"))
LOADERS = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "train.csv", small_rows(100))


@pytest.fixture(scope="module")
def neural(csv_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "neural"
    return multihot.fit(csv_file, text="body", labels="tags", out=out, settings=SETTINGS).folder


@pytest.fixture(scope="module")
def classical(csv_file, tmp_path_factory):
    return multihot.fit(csv_file, text="body", labels="tags", out=tmp_path_factory.mktemp("runs") / "svm", method="linear-svm").folder


@pytest.fixture(params=["neural", "classical"])
def folder(request, tmp_path):
    """A copy of a finished run, to be damaged."""
    return shutil.copytree(request.getfixturevalue(request.param), tmp_path / "run")


def read_everything(folder):
    run = multihot.load(folder)
    assert run.metrics["files"]
    for split in set(run.metrics) & {"validation", "test"}:
        run.prediction(split)
    return run.config, run.labels, run.statistics, read_log(run.log), run.predict(["wheat corn"])


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_one_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def make_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [Path.unlink, cut, change_one_byte, make_folder, lambda path: path.write_bytes(b"")])
def test_every_damaged_file_is_named_in_one_line(folder, damage, tmp_path):
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert {"metrics.json", "config.yaml", "labels.json", "environment.json", "model.safetensors"} <= {path.name for path in files}
    for number, name in enumerate(files):
        copy = shutil.copytree(folder, tmp_path / str(number))
        damage(copy / name)
        with pytest.raises(RunError) as caught:
            read_everything(copy)
        assert name.as_posix() in str(caught.value), name
        assert len(str(caught.value).splitlines()) == 1


def test_an_altered_figure_is_noticed(folder):
    path = folder / "metrics.json"
    content = json.loads(path.read_text())
    content["test"]["micro_f1"] = 0.99
    path.write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"metrics\.json is damaged or was altered since the training"):
        multihot.load(folder)


def test_a_copy_and_a_new_layout_of_the_measures_are_no_alteration(folder, tmp_path):
    path = folder / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    (folder / "notes.txt").write_text("mine")
    assert len(read_everything(shutil.copytree(folder, tmp_path / "elsewhere"))) == 5


@pytest.mark.parametrize("name", ["attention.json", "feature_map.json", "predictions/other.parquet", "log/metrics.csv"])
def test_a_file_that_was_added_is_named(classical, tmp_path, name):
    folder = shutil.copytree(classical, tmp_path / "run")
    (folder / "log").mkdir()
    (folder / name).write_text("{}")
    run = multihot.load(folder)
    with pytest.raises(RunError, match=rf"{name} was added since the training"):
        _ = run.attention, run.feature_map, run.log, run.prediction("other")


@pytest.mark.parametrize("version", [99, "2.0", None, [1]])
def test_a_run_of_a_newer_version_is_named(folder, version):
    (folder / "environment.json").write_text(json.dumps({"run_format": version, "multihot": "9.9"}))
    with pytest.raises(RunError, match=r"written by multihot 9\.9, which is newer; upgrade multihot"):
        multihot.load(folder)


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_the_bomb_goes_off_when_it_is_unpickled(tmp_path):
    pickle.loads(pickle.dumps(Bomb(tmp_path / "exploded"))).close()
    assert (tmp_path / "exploded").exists()


def test_no_file_of_a_run_is_unpickled(folder, tmp_path):
    exploded, bomb = tmp_path / "exploded", pickle.dumps(Bomb(tmp_path / "exploded"))
    (folder / "metrics.json").write_text("{}")  # an old unsealed run: nothing but the reading itself stands in the way
    (folder / "environment.json").write_text(json.dumps({"run_format": 1}))
    for path in [path for path in folder.rglob("*") if path.is_file() and path.name != "metrics.json"]:
        content = path.read_bytes()
        path.write_bytes(bomb)
        with contextlib.suppress(MultihotError):
            read_unsealed(folder)
        path.write_bytes(content)
        assert not exploded.exists(), path


def read_unsealed(folder):
    run = multihot.load(folder)
    for split in ("validation", "test"):
        if (folder / "predictions" / f"{split}.parquet").exists():
            run.prediction(split)
    read_log(folder / "log" / "metrics.csv")
    return run.config, run.labels, run.statistics, run.predict(["wheat"])


def unfinished(csv_file, out, monkeypatch):
    """A training stopped with a checkpoint to go on from."""

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(multihot.learners.neural_predictor.NeuralPredictor, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            multihot.fit(csv_file, text="body", labels="tags", out=out, settings=SETTINGS)
    return out


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
@pytest.mark.parametrize("whole", [True, False])
def test_no_checkpoint_is_unpickled(csv_file, tmp_path, monkeypatch, name, whole):
    import torch

    folder = unfinished(csv_file, tmp_path / "run", monkeypatch)
    path = folder / "checkpoints" / name
    if whole:  # everything as it should be, and a bomb beside it
        torch.save(torch.load(path, weights_only=True) | {"more": Bomb(tmp_path / "exploded")}, path)
    else:
        path.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    with pytest.raises(RunError, match=rf"{name} is damaged or holds more than tensors and numbers.*--overwrite") as caught:
        resume(folder)
    assert "weights_only" not in str(caught.value)  # PyTorch's message advises to load it all the same
    assert not (tmp_path / "exploded").exists()


def test_nothing_in_the_sources_can_unpickle():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = {alias.name.partition(".")[0] for alias in getattr(node, "names", [])} if isinstance(node, ast.Import) else set()
            names |= {str(node.module).partition(".")[0]} if isinstance(node, ast.ImportFrom) and not node.level else set()
            if not (isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} == {"UnpicklingError"}):
                assert not names & LOADERS, path
            if isinstance(node, ast.Call):
                called, options = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert called != "torch.load" or options.get("weights_only") == "True", path
                assert called not in ("np.load", "numpy.load") or options.get("allow_pickle", "False") == "False", path
                assert called not in ("eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load"), path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize(
    "name",
    ["labels.json", "model.safetensors", "decision.json", "predictions/test.parquet", "metrics.json"],
)
def test_a_full_disk_is_one_line_and_nothing_is_lost(csv_file, neural, tmp_path, monkeypatch, name):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        full_disk_at(folder / name, patch)
        train_on_a_full_disk(csv_file, folder)
    assert list(folder.rglob(".*.partial")) == []
    run = resume(folder)
    assert run.metrics["test"] == multihot.load(neural).metrics["test"]


def full_disk_at(target, patch):
    """Every write to one file fails as on a full disk."""

    def aside(place, original=multihot.storage.files._aside):
        partial = original(place)
        if place == target:
            partial.symlink_to("/dev/full")
        return partial

    patch.setattr(multihot.storage.files, "_aside", aside)


@pytest.mark.parametrize("saved", range(3))
def test_a_disk_full_at_a_checkpoint_is_one_line_and_nothing_is_lost(csv_file, neural, tmp_path, monkeypatch, saved):
    import lightning.pytorch as pl

    save, count = pl.Trainer.save_checkpoint, iter(range(99))

    def fill(trainer, *arguments, **options):
        if next(count) == saved:
            raise OSError(28, "No space left on device", "best.ckpt")
        save(trainer, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pl.Trainer, "save_checkpoint", fill)
        train_on_a_full_disk(csv_file, tmp_path / "run")
    assert resume(tmp_path / "run").metrics["test"] == multihot.load(neural).metrics["test"]


def train_on_a_full_disk(csv_file, folder):
    words = [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    result = CliRunner().invoke(app, ["train", str(csv_file), "--text", "body", "--labels", "tags", "--out", str(folder), *words])
    last = result.stderr.rstrip().splitlines()[-1]
    assert result.exit_code == 2, result.exception
    assert "the disk is full" in last
    assert "nothing that was finished is lost" in last


def test_a_folder_that_may_not_be_written_is_one_line(csv_file, tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0:  # whom no mode keeps out
        make = Path.mkdir

        def refuse(path, *arguments, **options):
            if path.parent == closed:
                raise PermissionError(13, "Permission denied", str(path))
            make(path, *arguments, **options)

        monkeypatch.setattr(Path, "mkdir", refuse)
    result = CliRunner().invoke(app, ["train", str(csv_file), "--method", "linear-svm", "--out", str(closed / "run")])
    assert result.exit_code == 2
    assert "no permission to write or read there" in result.stderr.splitlines()[-1]
    assert str(closed / "run") in result.stderr.splitlines()[-1]


def test_an_interrupted_reading_leaves_nothing(csv_file, tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    add = SplitWriter.add

    def interrupt(writer, row):
        if writer.count == 50:
            raise KeyboardInterrupt
        add(writer, row)

    words = ["train", str(csv_file), "--text", "body", "--labels", "tags", "--method", "linear-svm", "--out", str(tmp_path / "run")]
    with monkeypatch.context() as patch:
        patch.setattr(SplitWriter, "add", interrupt)
        stopped = CliRunner().invoke(app, words)
    assert (stopped.exit_code, stopped.stderr.splitlines()[-1]) == (130, "multihot: stopped")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    assert not (tmp_path / "run").exists()
    assert CliRunner().invoke(app, words).exit_code == 0
