"""A finished run read by another decoding: the same weights, predictions that are those of the model asked directly."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from small import QUICK, small_rows, write_csv
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.data.batches import make_loader
from multihot.decoding import JointDecoding
from multihot.errors import ConfigurationError, DataError, RunError
from multihot.experiments import Run, override
from multihot.experiments.compare import compare
from multihot.experiments.config import Config
from multihot.experiments.fit import fit
from multihot.experiments.redecode import redecode
from multihot.parts import spelt_out
from multihot.report import make_report

PARTS = {
    "name": "br",
    "scorer": "binary_relevance",
    "decoder": {"name": "recurrent", "hidden_size": 32, "embedding_size": 16, "attention_size": 16},
    "objective": "multitask",
    "decoding": "beam",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Both decoders trained on texts whose words give their labels away; read by beam search."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("redecode")
    source = write_csv(folder / "train.csv", small_rows(240))
    settings = QUICK | {"training.epochs": 15, "data.id": "id"}
    return multihot.fit(source, text="body", labels="tags", method=PARTS, settings=settings, out=folder / "beam", seed=5)


def read_by(run: Run, *settings: str) -> Config:
    return Config.from_dict(override(run.config.to_dict(), settings))


@pytest.mark.parametrize("decoding", ["joint", "rescoring", "greedy", "threshold"])
def test_another_decoding_of_the_same_weights(trained: Run, tmp_path: Path, decoding: str) -> None:
    before = {path.name: path.read_bytes() for path in trained.folder.glob("*.*")}
    run = redecode(trained, read_by(trained, f"method.decoding={decoding}"), tmp_path / decoding)
    assert {path.name: path.read_bytes() for path in trained.folder.glob("*.*")} == before
    assert (run.folder / "model.safetensors").read_bytes() == before["model.safetensors"]
    assert run.config.method["decoding"]["name"] == decoding
    assert set(run.metrics) == set(trained.metrics)
    kept, _ = run.prediction("test")
    asked = Run(run.folder).predict([{"id": "new", "text": "gold bank rate copper said the"}])  # the folder stands on its own
    assert (kept.sequences is None) == (asked.sequences is None) == (decoding == "threshold")
    assert run.metrics["test"]["micro_f1"] > 0.8
    cost = run.metrics["cost"]
    assert cost["seconds"] == trained.metrics["cost"]["seconds"]
    assert cost["decoding_seconds"] > 0


def test_predictions_are_those_of_the_decoding_asked_directly(trained: Run, tmp_path: Path) -> None:
    run = redecode(trained, read_by(trained, "method.decoding={name: joint, width: 3}"), tmp_path / "joint")
    kept, _ = run.prediction("test")
    model, own = trained.predictor.model.eval(), trained.predictor
    space = trained.labels
    rows = {row["id"]: row for row in small_rows(240)}
    texts = [{"id": name, "text": rows[name]["body"], "labels": []} for name in kept.ids]
    prepared = own.processor.prepare(trained.rows(texts))
    from multihot.losses import BinaryCrossEntropyLoss

    decoding = JointDecoding(space, BinaryCrossEntropyLoss(), width=3)
    for batch in make_loader(prepared, own.processor, space, batch_size=1):
        direct = decoding(model, batch)
        row = kept.ids.index(direct.ids[0])
        assert kept.sequences[row] == direct.sequences[0]
        np.testing.assert_allclose(kept.scores[row], direct.scores[0], atol=1e-4)


def test_a_decision_is_fitted_on_validation_data(trained: Run, tmp_path: Path) -> None:
    config = read_by(trained, "method.decoding=threshold", "method.decision=global")
    run = redecode(trained, config, tmp_path / "threshold")
    prediction, targets = run.prediction("validation")
    truth = targets.toarray().astype(bool)
    f1 = lambda cut: 2 * ((prediction.scores > cut) & truth).sum() / ((prediction.scores > cut).sum() + truth.sum())  # noqa: E731
    best = max(f1(cut - 1e-6) for cut in np.unique(prediction.scores))
    assert run.metrics["validation"]["micro_f1"] == pytest.approx(best)
    assert json.loads((run.folder / "decision.json").read_text())


def test_the_run_stands_beside_the_one_it_was_made_from(trained: Run, tmp_path: Path) -> None:
    run = redecode(trained, read_by(trained, "method.decoding=greedy"), tmp_path / "greedy")
    (data,) = compare([trained.folder, run.folder], "br decoding=beam", ["micro_f1"], samples=50, swaps=50).data_sets
    assert [method.name for method in data.methods] == ["br decoding=beam", "br decoding=greedy"]
    assert data.methods[1].pairs == 1
    assert '"decoding":{"name":"greedy"' in make_report([trained.folder, run.folder])
    assert (run.folder / "log" / "metrics.csv").read_bytes() == (trained.folder / "log" / "metrics.csv").read_bytes()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.epochs=3", "trained with training.epochs 15, not 3"),
        ("method.objective=optimal_completion", "does not train the scorer"),
        ("method.decoder.hidden_size=48", "method.decoder.hidden_size 32, not 48"),
        ("seed=1", "seed 5, not 1"),
        ("method.decoding=treshold", "did you mean 'threshold'"),
    ],
)
def test_what_would_need_another_training_is_refused(trained: Run, tmp_path: Path, setting: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        redecode(trained, read_by(trained, setting), tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_other_data_and_taken_folders_are_refused(trained: Run, tmp_path: Path) -> None:
    config = read_by(trained, "method.decoding=greedy")
    other = multihot.data.load(write_csv(tmp_path / "other.csv", small_rows(240, seed=1)), text="body", labels="tags", id="id")
    with pytest.raises(DataError, match="validation split is not the one"):
        redecode(trained, config, tmp_path / "never", other)
    with pytest.raises(ConfigurationError, match="is the run to read"):
        redecode(trained, config, trained.folder, overwrite=True)
    redecode(trained, config, tmp_path / "taken")
    with pytest.raises(RunError, match="holds a finished run already"):
        redecode(trained, config, tmp_path / "taken")
    assert redecode(trained, config, tmp_path / "taken", overwrite=True).metrics["test"]


def test_a_classical_run_is_read_by_another_decision(tmp_path: Path) -> None:
    rows = [row for row in small_rows(120) if row["tags"]]
    source = write_csv(tmp_path / "train.csv", rows)
    said: list[str] = []
    config = Config.from_dict(
        {"data": {"source": str(source), "text": "body", "labels": "tags", "id": "id"}, "method": {"name": "linear-svm"}}
    )
    run = fit(config, tmp_path / "svm", say=said.append)
    assert any("every training row carries a label" in line for line in said)
    assert run.config.method["decision"] == {"name": "own_rule", "at_least": 1}
    settings = ["method.decision={name: subset_correction, measure: micro_f1}", "method.calibration=platt"]
    read = redecode(run, read_by(run, *settings), tmp_path / "sets")
    assert read.config.method["decision"] == spelt_out("decision", {"name": "subset_correction", "measure": "micro_f1", "at_least": 1})
    trained = fit(Config.from_dict(override(config.to_dict(), settings)), tmp_path / "trained")
    for ours, theirs in ((read, trained), (Run(read.folder), Run(trained.folder))):
        asked = ours.predict([{"id": "new", "text": "gold bank rate copper said the"}]), ours.prediction("test")[0]
        other = theirs.predict([{"id": "new", "text": "gold bank rate copper said the"}]), theirs.prediction("test")[0]
        for one, two in zip(asked, other, strict=True):
            np.testing.assert_array_equal(one.chosen, two.chosen)
            np.testing.assert_allclose(one.scores, two.scores)
    assert read.prediction("test")[0].chosen.any(axis=1).all()
    assert (read.folder / "model.safetensors").read_bytes() == (run.folder / "model.safetensors").read_bytes()
    with pytest.raises(ConfigurationError, match=r"trained with method\.C None, not 2"):
        redecode(run, read_by(run, "method.C=2"), tmp_path / "never")


def test_a_neural_run_is_read_by_whole_label_sets(trained: Run, tmp_path: Path) -> None:
    run = redecode(trained, read_by(trained, "method.decoding=threshold", "method.decision=subset_correction"), tmp_path / "sets")
    prediction, targets = run.prediction("validation")
    assert run.metrics["validation"]["subset_accuracy"] == (prediction.chosen == targets.toarray()).all(axis=1).mean()
    again = Run(run.folder).predict([{"id": "new", "text": "gold bank rate copper said the"}])
    assert run.labels.decode(again.chosen) == [["metal", "money"]]


def test_sequence_decoders_leave_no_label_set_empty_where_training_has_none(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "train.csv", [row for row in small_rows(120) if row["tags"]])
    settings = QUICK | {"training.epochs": 1, "training.learning_rate": 1e-5}
    run = multihot.fit(source, text="body", labels="tags", method=PARTS, settings=settings, out=tmp_path / "run")
    assert run.config.method["decoding"] == spelt_out("decoding", {"name": "beam", "constraints": {"at_least": 1}})
    for split in ("validation", "test"):
        assert run.prediction(split)[0].chosen.any(axis=1).all()


def test_the_command(trained: Run, tmp_path: Path) -> None:
    def call(*words):
        return CliRunner().invoke(app, ["decode", str(trained.folder), *map(str, words)])

    done = call("--set", "method.decoding={name: beam, width: 2}", "--out", tmp_path / "narrow")
    assert done.exit_code == 0, done.output
    assert Run(tmp_path / "narrow").config.method["decoding"] == spelt_out("decoding", {"name": "beam", "width": 2})
    stated = yaml.safe_load((trained.folder / "config.yaml").read_text())
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(override(stated, ["method.decoding=joint"])))
    by_file = call(tmp_path / "mine.yaml", "--out", tmp_path / "joint")
    assert by_file.exit_code == 0, by_file.output
    assert Run(tmp_path / "joint").config.method["decoding"]["name"] == "joint"
    without = call()
    assert (without.exit_code, "needs to know how" in without.output) == (2, True)
    assert call("--decoding", "greedy").exit_code == 0
    assert Run(trained.folder.with_name("beam-greedy")).config.method["decoding"]["name"] == "greedy"


def test_attention_is_kept_for_some_instances_and_is_that_of_the_decoder_run_word_by_word(trained: Run) -> None:
    prediction, _ = trained.prediction("test")
    kept = trained.attention
    assert set(kept) == set(prediction.ids)  # fewer than the most that are kept
    model, rows = trained.predictor.model.eval(), {row["id"]: row["body"] for row in small_rows(240)}
    name = max(prediction.ids, key=lambda one: len(prediction.sequences[prediction.ids.index(one)]))
    assert kept[name]["words"] == rows[name].split()
    prepared = trained.predictor.processor.prepare(trained.rows([{"id": name, "text": rows[name], "labels": []}]))
    (batch,) = make_loader(prepared, trained.predictor.processor, trained.labels, batch_size=1)
    encoding = model.encode(batch)
    state, previous = model.decoder.start(encoding), len(trained.labels) + 1
    for label, weights in zip(prediction.sequences[prediction.ids.index(name)], kept[name]["weights"], strict=True):
        _, state = model.decoder.step(torch.tensor([previous]), state, encoding)
        np.testing.assert_allclose(weights, state["attention"][0].detach().numpy(), atol=6e-4)
        previous = label
