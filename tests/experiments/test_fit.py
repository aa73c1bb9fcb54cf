"""The whole job in Python: fit, load, predict, evaluate, resume, and what a run folder says of itself."""

import json
import shutil

import numpy as np
import pytest
import yaml
from sklearn.metrics import f1_score
from small import QUICK, TOPICS, small_rows, write_csv

import multihot
from multihot.data.in_memory import from_rows
from multihot.errors import ConfigurationError, DataError, RunError
from multihot.experiments.data_settings import DataSettings
from multihot.experiments.fit import read_data, set_aside
from multihot.predictions import load_prediction


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "train.csv", small_rows())


@pytest.fixture(scope="module")
def run(csv_file, tmp_path_factory):
    return multihot.fit(csv_file, text="body", labels="tags", out=tmp_path_factory.mktemp("runs") / "first", settings=QUICK)


def test_the_run_folder_holds_what_the_plan_says(run):
    names = {path.name for path in run.folder.iterdir()}
    assert {"config.yaml", "environment.json", "labels.json", "model.safetensors", "predictions", "metrics.json", "log"} <= names
    assert "checkpoints" not in names
    assert {path.name for path in (run.folder / "predictions").iterdir()} == {"validation.parquet", "test.parquet"}
    assert not list(run.folder.rglob("*.partial"))
    assert yaml.safe_load((run.folder / "config.yaml").read_text())["method"]["encoder"]["width"] == 32


def test_it_learns_and_its_figures_are_those_of_its_predictions(run):
    prediction, targets = load_prediction(run.folder / "predictions" / "test.parquet")
    truth = targets.toarray()
    assert run.metrics["test"]["micro_f1"] == pytest.approx(f1_score(truth, prediction.chosen, average="micro"), abs=1e-9)
    assert run.metrics["test"]["micro_f1"] > 0.9
    assert run.metrics["data"]["rows"] == {"train": 194, "validation": 22, "test": 24}
    assert {"seconds", "updates", "parameters", "peak_memory_bytes", "predictions_per_second"} <= set(run.metrics["cost"])


def test_a_loaded_run_predicts_what_it_predicted(run, csv_file):
    loaded = multihot.load(run.folder)
    stored, _ = loaded.prediction("test")
    rows = {row["id"]: row for row in small_rows()}
    again = loaded.predict([rows[name]["body"] for name in stored.ids])
    np.testing.assert_allclose(again.scores, stored.scores, atol=1e-5)
    assert (again.chosen == stored.chosen).all()


def test_new_texts_get_their_labels_in_order(run, tmp_path):
    texts = ["gold copper mine gold copper", "the of and said", "wheat corn wheat corn bank rate currency bank"]
    prediction = run.predict(texts)
    alone = [run.labels.decode(run.predict([text]).chosen)[0] for text in texts]
    assert run.labels.decode(prediction.chosen) == alone
    best = [
        {run.labels.names[label] for label in np.argsort(-scores)[:count]}
        for scores, count in zip(prediction.scores, (1, 0, 2), strict=True)
    ]
    assert best == [{"metal"}, set(), {"grain", "money"}]
    unlabelled = write_csv(tmp_path / "new.csv", small_rows(7, seed=5), labelled=False)
    assert run.predict(unlabelled).ids == [f"n{i}" for i in range(7)]


def test_evaluate_measures_a_new_file(run, tmp_path):
    result = run.evaluate(write_csv(tmp_path / "more.csv", small_rows(60, seed=9)))
    assert result["measures"]["micro_f1"] > 0.9
    assert result["rows"] == 60
    strange = small_rows(20, seed=9)
    strange[0]["tags"] = [*strange[0]["tags"], "weather"]
    assert run.evaluate(write_csv(tmp_path / "strange.csv", strange))["unseen_labels"] == {"weather": 1}


def test_the_same_seed_gives_the_same_run(run, csv_file, tmp_path):
    again = multihot.fit(csv_file, text="body", labels="tags", out=tmp_path / "again", settings=QUICK)
    assert (again.folder / "model.safetensors").read_bytes() == (run.folder / "model.safetensors").read_bytes()
    other = multihot.fit(csv_file, text="body", labels="tags", out=tmp_path / "other", settings=QUICK, seed=1)
    assert (other.folder / "model.safetensors").read_bytes() != (run.folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("decision", ["fixed", "own_rule", "per_label", {"name": "top_k", "k": 1}])
@pytest.mark.parametrize("loss", ["bce", "zlpr"])
def test_every_decision_goes_with_every_loss_and_lives_in_the_run(csv_file, tmp_path, decision, loss):
    settings = QUICK | {"method.loss": loss, "method.decision": decision, "training.epochs": 2}
    run = multihot.fit(csv_file, text="body", labels="tags", out=tmp_path / "run", settings=settings)
    stored, _ = run.prediction("test")
    again = multihot.load(run.folder).predictor.decoding.decision(stored.scores)
    assert (again == stored.chosen).all()


def test_texts_and_label_sets_as_lists(tmp_path):
    rows = small_rows(80)
    settings = QUICK | {"training.epochs": 1}
    run = multihot.fit([row["body"] for row in rows], [row["tags"] for row in rows], out=tmp_path / "run", settings=settings)
    assert run.labels.names == tuple(sorted(TOPICS))
    with pytest.raises(ConfigurationError, match="80 texts, but 1 label sets"):
        multihot.fit([row["body"] for row in rows], [["grain"]], out=tmp_path / "other")


def test_a_run_that_is_there_is_not_lost(run, csv_file, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    with pytest.raises(RunError, match="holds a finished run already; choose another --out or pass --overwrite"):
        multihot.fit(csv_file, text="body", labels="tags", out=folder, settings=QUICK)
    with pytest.raises(DataError):
        multihot.fit(csv_file, text="nobody", labels="tags", out=folder, settings=QUICK, overwrite=True)
    assert multihot.load(folder).metrics == run.metrics
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="no run folder"):
        multihot.fit(csv_file, text="body", labels="tags", out=tmp_path / "mine", settings=QUICK, overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_method_that_cannot_work_is_refused_before_data_is_read(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no loss 'zlrp'"):
        multihot.fit("no/such/file.csv", out=tmp_path / "run", settings={"method.loss": "zlrp"})
    with pytest.raises(ConfigurationError, match=r"training has no setting 'epoch'; did you mean 'epochs'"):
        multihot.fit("no/such/file.csv", out=tmp_path / "run", settings={"training.epoch": 3})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "metrics.json").unlink(), "metrics.json is missing"),
        (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\0" * 100), "model.safetensors is damaged"),
        (lambda f: (f / "processor.json").write_text("{"), "processor.json is damaged or was altered"),
        (lambda f: (f / "labels.json").unlink(), "labels.json is missing"),
        (lambda f: (f / "config.yaml").unlink(), "config.yaml is missing"),
        (lambda f: (f / "environment.json").write_text(json.dumps({"run_format": 99, "multihot": "9.9"})), "multihot 9.9, which is newer"),
    ],
)
def test_a_damaged_run_is_named_clearly(run, tmp_path, damage, message):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    damage(folder)
    with pytest.raises(RunError, match=message):
        multihot.load(folder).predict(["wheat"])


def test_labels_never_seen_in_training_follow_the_stated_policy(tmp_path):
    train, test = small_rows(100), small_rows(30, seed=3)
    test[0]["tags"] = ["weather"]
    files = {"train": write_csv(tmp_path / "train.csv", train), "test": write_csv(tmp_path / "test.csv", test)}
    settings = QUICK | {"training.epochs": 1}
    run = multihot.fit(files, text="body", labels="tags", out=tmp_path / "ignore", settings=settings)
    assert run.metrics["data"]["unseen_labels"] == {"test": {"weather": 1}}
    assert "weather" not in run.labels.names
    wider = multihot.fit(files, text="body", labels="tags", out=tmp_path / "wide", settings=settings | {"data.unseen_labels": "include"})
    assert "weather" in wider.labels.names
    with pytest.raises(DataError, match="weather"):
        multihot.fit(files, text="body", labels="tags", out=tmp_path / "error", settings=settings | {"data.unseen_labels": "error"})


def test_training_splits_of_different_limits_are_never_taken_for_each_other():
    rows = [{"text": f"word {i}", "labels": ["a" if i % 2 else "b"]} for i in range(60)]
    data = from_rows(rows)
    cut = {limit: set_aside(data, DataSettings(limit=limit), seed=0) for limit in (20, 40)}
    assert len({part.fingerprint for part in cut.values()} | {data.fingerprint}) == 3
    assert len({part.splits["train"]._fingerprint for part in cut.values()}) == 2


def test_the_validation_prediction_that_is_kept_is_the_one_that_the_run_makes(run):
    """It is made once, while the decision is fitted, and not again when the run is measured."""
    kept, _ = run.prediction("validation")
    again = run.predict(read_data(run.config).splits["validation"])
    assert again.ids == kept.ids
    np.testing.assert_allclose(again.scores, kept.scores, atol=1e-5)
    assert (again.chosen == kept.chosen).all()
