"""One training read in several ways at every validation: the log has the curve of each, and nothing else changes."""

import csv

import pytest
import torch
from small import QUICK, small_rows, write_csv

import multihot
from multihot.errors import ConfigurationError
from multihot.experiments import Run, override
from multihot.experiments.config import Config
from multihot.experiments.methods import check_experiment
from multihot.experiments.redecode import redecode
from multihot.labels import LabelStatistics
from multihot.learners.readings import readings_of
from multihot.metrics.registry import headlines, of_label_sets
from multihot.report.reading import read_log
from multihot.report.training import training_curves

HEADLINES = list(filter(of_label_sets, headlines()))

SIZES = {"hidden_size": 16, "embedding_size": 8, "attention_size": 8}
MTL = {"name": "ocd-mtl", "decoder": {"name": "recurrent", **SIZES}, "decoding": "beam"}
READINGS = ["threshold", {"name": "rescoring", "width": 3}, "joint"]
EPOCHS = 4


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    """The same training, read in one way and in four."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("readings")
    source = write_csv(folder / "train.csv", small_rows(160))
    precision = "32-true"  # a curve is of scores in the training's precision, a run that is read again computes in this one
    settings = QUICK | {"training.epochs": EPOCHS, "training.precision": precision, "data.id": "id"}
    return {
        name: multihot.fit(source, text="body", labels="tags", method=MTL, settings=settings | more, out=folder / name, seed=5)
        for name, more in {"plain": {}, "read": {"training.readings": READINGS}}.items()
    }


def test_they_change_neither_weights_nor_predictions(runs):
    for name in ("model.safetensors", "predictions/test.parquet"):
        assert (runs["plain"].folder / name).read_bytes() == (runs["read"].folder / name).read_bytes()
    assert not any(name.startswith("reading/") for name in read_log(runs["plain"].log))
    assert runs["plain"].metrics["test"] == runs["read"].metrics["test"]


def test_each_curve_is_that_of_the_decoding_alone(runs, tmp_path):
    """At the update whose weights were kept, by reading these again; a decision is tuned at every validation."""
    read, log = runs["read"], read_log(runs["read"].log)
    kept = read.metrics["cost"]["best_update"]
    for name, decoding in (("threshold", "threshold"), ("rescoring width 3", READINGS[1]), ("joint", "joint")):
        config = Config.from_dict(override(runs["plain"].config.to_dict(), [f"method.decoding={decoding}"]))
        again = redecode(read, config, tmp_path / name.split()[0]).metrics["validation"]  # readings are no part of what was trained
        for measure in HEADLINES:
            curve = dict(log[f"reading/{name}/{measure}"])
            assert len(curve) == EPOCHS
            assert curve[kept - 1] == pytest.approx(again[measure], abs=1e-6)


def test_the_report_draws_them(runs):
    found = training_curves(read_log(runs["read"].log), runs["read"].metrics["cost"]["best_update"])
    assert set(found["readings"]) == set(HEADLINES)
    assert set(found["readings"]["micro_f1"]) == {"threshold", "rescoring width 3", "joint"}
    assert len(found["readings"]["subset_accuracy"]["joint"][0]) == EPOCHS
    assert "micro_f1" in found["measures"]
    assert training_curves(read_log(runs["plain"].log), None)["readings"] == {}
    with runs["read"].log.open(newline="") as file:
        assert not any("reading/" in name and name.removeprefix("reading/") in found["losses"] for name in next(csv.reader(file)))


def test_label_sets_are_as_never_empty_as_elsewhere():
    wanted = {"name": "ocd-mtl"}, ["threshold", "beam"]
    full, some = LabelStatistics.from_targets([[1, 0], [1, 1]]), LabelStatistics.from_targets([[1, 0], [0, 0]])
    never = readings_of(*wanted, full)
    assert never["threshold"].decision["at_least"] == 1
    assert never["beam"].decoding["constraints"] == {"at_least": 1}
    assert readings_of(*wanted, some)["beam"].decoding == "beam"


@pytest.mark.parametrize(
    ("method", "readings", "message"),
    [
        ("ocd", ["beam", "threshold"], r"training.readings\[1\]: decoding 'threshold' needs a scorer, but this method has only a decoder"),
        ("ocd", ["beem"], r"training.readings\[0\]: there is no decoding 'beem'; did you mean 'beam'"),
        ("ocd", ["beam", "beam"], r"training.readings\[1\]: 'beam' is there already"),
        ("ocd", [5], r"training.readings\[0\]: decoding must be a name or a mapping"),
        ("linear-svm", ["threshold"], "a classical method trains in no epochs"),
        ("ocd+seq2seq", [{"name": "beam", "decoder": "third"}], "reads the decoder 'third'; it is one of first, second"),
    ],
)
def test_readings_that_do_not_fit_are_refused_before_any_data_is_read(method, readings, message):
    with pytest.raises(ConfigurationError, match=message):
        check_experiment(Config.from_dict({"method": {"name": method}, "training": {"readings": readings}}))
