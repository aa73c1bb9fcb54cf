"""Label distributions from file to comparison: ages with annotators' spreads, and votes for moods that lie on no axis."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.errors import ConfigurationError
from multihot.experiments import Run, override
from multihot.experiments.compare import compare
from multihot.experiments.config import Config
from multihot.experiments.fit import read_data, settle
from multihot.experiments.methods import settled_like
from multihot.experiments.redecode import redecode
from multihot.experiments.sweep import plan_sweep
from multihot.report import make_report

QUICK = {
    "data.distribution": "mean_spread",
    "method.encoder": {"name": "tabular", "hidden_size": 32},
    "training.epochs": 6,
    "training.batch_size": 16,
    "training.learning_rate": 0.01,
    "training.device": "cpu",
    "training.precision": "32-true",
}


def aged(rows: int, seed: int) -> list[dict]:
    """Features that give an age away, and what annotators say of it: their mean is no whole number."""
    draw = np.random.default_rng(seed)
    means = draw.uniform(20, 32, rows).round(2)
    return [
        {"id": f"n{i}", "f0": mean / 10, "f1": float(draw.normal()), "mean": mean, "spread": round(draw.uniform(1, 3), 2)}
        for i, mean in enumerate(means.tolist())
    ]


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    made = tmp_path_factory.mktemp("ages")
    write(made / "train.jsonl", aged(200, 0))
    write(made / "test.jsonl", aged(60, 1))
    return made


def train(folder: Path, name: str, **parts) -> Run:
    source = {"train": str(folder / "train.jsonl"), "test": str(folder / "test.jsonl")}
    out = folder / f"{name}-{len(list(folder.iterdir()))}"  # a fixture may be made twice, where tests are dealt out among processes
    return multihot.fit(source, method={"name": name, **parts}, settings=QUICK, out=out)


@pytest.fixture(scope="module")
def ldl(folder: Path) -> Run:
    return train(folder, "ldl")


@pytest.fixture(scope="module")
def softmax(folder: Path) -> Run:
    return train(folder, "softmax")


def test_the_measures_are_those_of_the_file(ldl: Run) -> None:
    rows = aged(60, 1)
    prediction, targets = ldl.prediction("test")
    truth = ldl.truth("test")
    ages = ldl.labels.positions[:, 0]
    assert prediction.ids == [row["id"] for row in rows]
    np.testing.assert_allclose(truth.values[:, 0], [row["mean"] for row in rows])
    np.testing.assert_allclose(truth.spreads, [row["spread"] for row in rows])
    errors, epsilons, divergences, hits = [], [], [], []
    for i, row in enumerate(rows):
        normal = np.exp(-((ages - row["mean"]) ** 2) / (2 * row["spread"] ** 2))
        normal /= normal.sum()
        np.testing.assert_allclose(truth.degrees[[i]].toarray()[0], normal, atol=1e-5)
        said = sum(degree * age for degree, age in zip(prediction.degrees[i].tolist(), ages, strict=True))
        errors.append(abs(said - row["mean"]))
        epsilons.append(1 - math.exp(-(errors[-1] ** 2) / (2 * row["spread"] ** 2)))
        divergences.append(sum(y * math.log(y / p) for y, p in zip(normal, prediction.degrees[i].tolist(), strict=True)))
        hits.append(ages[np.argmin(abs(ages - said))] == ages[normal.argmax()])
        assert targets[[i]].indices.tolist() == [normal.argmax()]  # one label stands for the row: the mode
    measured = ldl.metrics["test"]
    assert measured["mean_absolute_error"] == pytest.approx(np.mean(errors), abs=1e-4)
    assert measured["mean_absolute_error_expectation"] == pytest.approx(measured["mean_absolute_error"], abs=1e-6)
    assert measured["epsilon_error"] == pytest.approx(np.mean(epsilons), abs=1e-4)
    assert measured["kullback_leibler"] == pytest.approx(np.mean(divergences), abs=1e-4)
    assert measured["cumulative_score_5"] == pytest.approx(np.mean(np.array(errors) <= 5), abs=1e-6)
    assert measured["subset_accuracy"] == pytest.approx(np.mean(hits), abs=1e-6)
    assert measured["mean_absolute_error"] < 2


def test_the_configuration_says_which_measure_picked_the_checkpoint(ldl: Run) -> None:
    assert ldl.config.training.monitor == "mean_absolute_error"
    log = (ldl.folder / "log" / "metrics.csv").read_text().splitlines()
    column = log[0].split(",").index("validation/mean_absolute_error")
    values = [float(line.split(",")[column]) for line in log[1:] if line.split(",")[column]]
    assert ldl.metrics["validation"]["mean_absolute_error"] == pytest.approx(min(values), abs=1e-3)


def test_statistics_count_modes(ldl: Run) -> None:
    assert ldl.statistics.counts.sum() == ldl.metrics["data"]["rows"]["train"]
    assert ldl.statistics.cardinality == 1


def test_the_folder_stands_on_its_own(ldl: Run, folder: Path) -> None:
    again = Run(ldl.folder)
    kept, _ = again.prediction("test")
    asked = again.predict(folder / "test.jsonl")
    np.testing.assert_allclose(asked.degrees, kept.degrees, atol=1e-6)
    np.testing.assert_allclose(asked.values, kept.values, atol=1e-4)
    measured = again.evaluate(folder / "test.jsonl")["measures"]
    assert {name: round(value, 3) for name, value in measured.items()} == {
        name: round(value, 3) for name, value in again.metrics["test"].items()
    }


def test_another_reading_of_the_same_weights(ldl: Run, tmp_path: Path) -> None:
    config = Config.from_dict(override(ldl.config.to_dict(), ["method.decoding.read=mode"]))
    run = redecode(ldl, config, tmp_path / "mode")
    ours, theirs = run.prediction("test")[0], ldl.prediction("test")[0]
    np.testing.assert_allclose(ours.degrees, theirs.degrees, atol=1e-6)
    assert (ours.chosen.argmax(axis=1) == theirs.degrees.argmax(axis=1)).all()
    assert run.metrics["test"]["mean_absolute_error"] == pytest.approx(ldl.metrics["test"]["mean_absolute_error_mode"], abs=1e-4)


def test_compare_resamples_them_and_pairs_them(ldl: Run, softmax: Run) -> None:
    found = compare([ldl.folder, softmax.folder], baseline="softmax", samples=300, swaps=300)
    assert found.measures == ["mean_absolute_error", "cumulative_score_5", "epsilon_error", "kullback_leibler", "intersection"]
    ours = next(method for method in found.data_sets[0].methods if method.name == "ldl")
    for name in found.measures:
        low, high = ours.intervals[name]
        assert low <= ours.spread[name].mean <= high
    assert set(ours.p_values) == set(found.measures)
    assert ours.p_values["kullback_leibler"] < 0.05  # one-hot targets make distributions too sharp
    both = compare([ldl.folder], measures=["micro_f1", "clark"], samples=50).data_sets[0].methods[0]
    assert set(both.intervals) == {"micro_f1", "clark"}


def test_the_command_line_shows_them(ldl: Run, softmax: Run, folder: Path) -> None:
    def call(*words):
        return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})

    lines = [json.loads(line) for line in call("predict", ldl.folder, folder / "test.jsonl").stdout.splitlines() if line.startswith("{")]
    kept, _ = ldl.prediction("test")
    assert lines[3]["value"] == [pytest.approx(kept.values[3, 0], abs=1e-3)]
    assert sum(lines[3]["degrees"].values()) == pytest.approx(1, abs=0.02)
    assert call("predict", ldl.folder, folder / "test.jsonl", "--out", folder / "said.csv").exit_code == 0
    assert (folder / "said.csv").read_text().splitlines()[0] == "id,labels,value,degrees"
    assert "kullback_leibler" in call("evaluate", ldl.folder).stdout
    table = call("compare", ldl.folder, softmax.folder).stdout
    assert "MAE" in table
    assert "epsilon-error" in table


def test_a_report_takes_them(ldl: Run, softmax: Run) -> None:
    page = make_report([ldl.folder, softmax.folder])
    assert '"mean_absolute_error":' in page


def test_a_threshold_method_is_held_against_modes(folder: Path) -> None:
    run = train(folder, "br")
    _, targets = run.prediction("test")
    assert (np.diff(targets.indptr) == 1).all()
    assert "kullback_leibler" not in run.metrics["test"]
    assert run.config.training.monitor == "micro_f1"
    mixed = compare([run.folder, train(folder, "ldl").folder], samples=20)
    assert mixed.measures[:1] == ["micro_f1"]
    assert "mean_absolute_error" in mixed.measures


def test_votes_on_no_axis(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    moods = [[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]
    kinds = draw.integers(0, 2, 120)
    rows = [
        {"f0": float(kind), "f1": float(draw.normal()), "labels": list(draw.choice(["calm", "glad", "sad"], 9, p=moods[kind]))}
        for kind in kinds.tolist()
    ]
    write(tmp_path / "train.jsonl", rows)
    settings = QUICK | {"data.distribution": "votes", "training.epochs": 8}
    run = multihot.fit(str(tmp_path / "train.jsonl"), method={"name": "ldl"}, settings=settings, out=tmp_path / "run")
    assert run.config.training.monitor == "kullback_leibler"
    assert run.truth("test").axis is None
    assert "mean_absolute_error" not in run.metrics["test"]
    mean = run.predict([{"features": [0.0, 0.0]}]).degrees[0]
    np.testing.assert_allclose(mean, moods[0], atol=0.12)
    assert compare([run.folder], samples=20).measures == ["chebyshev", "clark", "canberra", "kullback_leibler", "cosine", "intersection"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"decoding": {"read": "mean"}}, "read must be one of expectation, median, mode, got 'mean'"),
        ({"distribution": {"name": "gaussian", "sigma": 0}}, "sigma"),
        ({"distribution": {"name": "gaussian_grid"}}, "gaussian_grid"),
        ({"scorer": "axis_value", "loss": None, "distribution": None}, "objective 'scoring' needs a loss"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(folder: Path, tmp_path: Path, parts: dict, message: str) -> None:
    source = str(folder / "train.jsonl")
    with pytest.raises(ConfigurationError) as error:
        multihot.fit(source, method={"name": "dldl", **parts}, settings=QUICK, out=tmp_path / "refused")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_auto_stands_for_what_it_came_to(ldl: Run) -> None:
    assert ldl.config.training.monitor == "mean_absolute_error"
    data = read_data(ldl.config)
    asked = replace(ldl.config, training=replace(ldl.config.training, monitor="auto", precision="auto"))
    assert settled_like(asked, ldl.config) == ldl.config
    by_hand = replace(ldl.config, training=replace(ldl.config.training, monitor="map"))
    assert settled_like(asked, by_hand).training.monitor == "auto"
    assert settle(by_hand, data) == by_hand  # what is named is left alone, whatever the data
    left_open = replace(ldl.config, training=replace(ldl.config.training, gradient_clip=None, gradient_clip_by=None, epochs=None))
    assert settled_like(left_open, ldl.config).training.gradient_clip == 0
    assert settle(left_open, data).training.epochs == 12
    emitting = replace(left_open, method={"name": "ocd"})
    assert settled_like(emitting, settle(by_hand, data)).training.gradient_clip is None  # a decoder's is another
    assert settled_like(emitting, replace(emitting, training=emitting.training.for_decoder(True))).training.epochs == 20


def test_a_sweep_knows_its_finished_runs_again(ldl: Run, folder: Path, tmp_path: Path) -> None:
    content = {"data": [{"name": "ages", **ldl.config.to_dict()["data"]}], "methods": {"ldl": ldl.config.method}, "seeds": [0]}
    content["training"] = {key.removeprefix("training."): value for key, value in QUICK.items() if key.startswith("training.")}
    (tmp_path / "ages" / "ldl").mkdir(parents=True)
    (tmp_path / "ages" / "ldl" / "0").symlink_to(ldl.folder.resolve())
    assert [cell.state for cell in plan_sweep(content, tmp_path).cells] == ["finished"]
