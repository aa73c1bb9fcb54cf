"""What is advised for which label statistics, and whether the check of an advice measures what it says."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from made_runs import write_run
from scipy import sparse
from small import QUICK, small_rows, write_csv
from typer.testing import CliRunner

from multihot.cli import app
from multihot.components import build
from multihot.data.in_memory import from_rows
from multihot.errors import ConfigurationError, DataError
from multihot.experiments import Config
from multihot.experiments import ablation as ablations
from multihot.experiments.ablation import held_out, plan_ablation, run_ablation
from multihot.experiments.advise import MEASURES, advise
from multihot.experiments.candidates import MANY_FEATURES, candidates_for
from multihot.experiments.config import override
from multihot.experiments.run import Run
from multihot.labels import LabelStatistics
from multihot.learners import learner_of
from multihot.types import Encoding


def targets_with(counts, rows=400, seed=0):
    """Independent labels, each in exactly so many rows."""
    random = np.random.default_rng(seed)
    targets = np.zeros((rows, len(counts)))
    for label, count in enumerate(counts):
        targets[random.choice(rows, count, replace=False), label] = 1
    return targets


DENSE = targets_with([200, 150, 180, 120])
SPARSE = targets_with([30, 28, 25, 26, 24, 20] * 3)
LONG_TAILED = targets_with([300, 100, 40, 20, 10, 5, 3, 2])


@pytest.mark.parametrize(
    ("targets", "measure", "loss", "decision"),
    [
        (DENSE, "micro_f1", "zlpr", {"name": "global", "measure": "micro_f1"}),
        (DENSE, "example_f1", "zlpr", {"name": "global", "measure": "example_f1"}),
        (DENSE, "macro_f1", "zlpr", "per_label"),
        (SPARSE, "micro_f1", "binary_cross_entropy", {"name": "global", "measure": "micro_f1"}),
        (SPARSE, "map", "binary_cross_entropy", {"name": "global", "measure": "micro_f1"}),
        (SPARSE, "subset_accuracy", "zlpr", "subset_correction"),
        (LONG_TAILED, "micro_f1", "zlpr", {"name": "global", "measure": "micro_f1"}),
        (LONG_TAILED, "macro_f1", "zlpr", "per_label"),
    ],
)
def test_the_rules(targets, measure, loss, decision):
    advice = advise(LabelStatistics.from_targets(targets), measure)
    assert advice["method.loss"] == loss
    assert advice["method.decision"] == decision
    assert advice["training.monitor"] == measure
    assert all(len(choice.reason) > 20 for choice in advice.choices)
    assert loss not in advice.rejected


def test_every_row_is_drawn_once_an_epoch_and_the_reason_says_what_was_measured():
    apart = np.repeat(np.eye(4), [300, 100, 20, 5], axis=0)
    for measure, said in {"macro_f1": "helped in some", "micro_f1": "as they occur"}.items():
        advice = advise(LabelStatistics.from_targets(apart), measure)
        assert advice["training.sampler"] == "instance_balanced"
        assert said in next(choice.reason for choice in advice.choices if choice.key == "training.sampler")


def test_figures_are_those_of_the_targets():
    figures = advise(LabelStatistics.from_targets(LONG_TAILED)).figures
    counts = LONG_TAILED.sum(axis=0)
    assert figures.cardinality == pytest.approx(LONG_TAILED.sum() / len(LONG_TAILED))
    assert figures.density == pytest.approx(LONG_TAILED.mean())
    assert figures.mean_imbalance == pytest.approx((counts.max() / counts).mean())
    assert figures.tail == (counts < 20).sum()
    assert figures.empty == pytest.approx((LONG_TAILED.sum(axis=1) == 0).mean())
    assert figures.several == pytest.approx((LONG_TAILED.sum(axis=1) > 1).mean())
    rows = [tuple(row) for row in LONG_TAILED]
    assert figures.once == pytest.approx(sum(rows.count(row) == 1 for row in rows) / len(rows))
    assert (figures.modality, figures.features) == ("", None)


def test_the_initial_bias_is_what_the_scorer_starts_from_and_where_a_constant_has_least_cross_entropy():
    statistics = LabelStatistics.from_targets(SPARSE)
    advice = advise(statistics)
    scorer = build("scorer", advice["method.scorer"], num_labels=18, width=3, statistics=statistics, label_space=None, extra_logits=0)
    bias = scorer.output.bias.detach()
    assert advice.figures.lowest_bias == pytest.approx(bias.min().item(), abs=1e-5)
    assert advice.figures.highest_bias == pytest.approx(bias.max().item(), abs=1e-5)
    logits = torch.zeros(18, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=100, line_search_fn="strong_wolfe")
    loss = build("loss", "bce")

    def closure():
        optimiser.zero_grad()
        value = loss(logits.expand(len(SPARSE), -1), torch.from_numpy(SPARSE)).mean()
        value.backward()
        return value

    optimiser.step(closure)
    torch.testing.assert_close(bias.double(), logits.detach(), atol=0.05, rtol=0)  # half a row is added to either side
    scores = scorer.eval()(Encoding(torch.zeros(1, 1, 3), torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 3)))
    assert scores.shape == (1, 18)


def test_degrees_are_distributions_only_where_they_sum_to_one(monkeypatch):
    data = from_rows([{"text": "a", "labels": ["x", "y"]}, {"text": "b", "labels": ["x"]}] * 10)
    space = data.label_space()
    for rows, loss, bias in (
        ([[0.7, 0.3], [1.0, 0.0]], "label_distribution", False),
        ([[0.7, 0.6], [0.2, 0.0]], "binary_cross_entropy", True),
    ):
        targets = sparse.csr_matrix(np.tile(np.asarray(rows, dtype=np.float32), (10, 1)))
        monkeypatch.setattr(type(data), "targets", lambda *_, t=targets: (t, None))
        advice = advise(data)
        assert advice["method.loss"] == loss
        assert advice["method.scorer"]["prior_bias"] is bias
    assert len(space) == 2


def test_unannotated_entries_and_single_labels_get_a_note():
    rows = [{"text": "a", "labels": ["x"]}, {"text": "b", "labels": ["y"]}] * 10 + [{"text": "c"}] * 5
    advice = advise(from_rows(rows))
    assert advice.figures.unknown == pytest.approx(5 / 25)
    assert [note for note in advice.notes if "20.0% of the entries are not annotated" in note]
    assert [note for note in advice.notes if "multi-class" in note]
    assert [note for note in advice.notes if "2 of 2 labels have fewer than 20 rows" in note]


def test_missing_labels_ask_for_hill():
    advice = advise(LabelStatistics.from_targets(DENSE), missing=True)
    assert advice["method.loss"] == "hill"
    assert "splc" in advice.rejected


REPEATED = advise(LabelStatistics.from_targets([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1]] * 5)).figures
TEXT = replace(REPEATED, modality="text")


def named(figures, measure="micro_f1"):
    found, others = candidates_for(figures, measure, {"method.loss": "zlpr"})
    assert found[0].method == "br"
    assert found[0].settings == {"method.loss": "zlpr"}
    assert all(len(reason) > 20 for reason in [*(one.reason for one in found), *others.values()])
    assert not {one.method for one in found} & {name for names in others for name in names.split(", ")}
    return {one.method: one for one in found}, others


@pytest.mark.parametrize(
    ("change", "is_named", "said"),
    [
        ({"modality": "text"}, True, "sparse word counts"),
        ({"modality": "table", "features": MANY_FEATURES}, True, f"{MANY_FEATURES} columns: decided by label sets"),
        ({"modality": "table", "features": MANY_FEATURES - 1}, False, f"{MANY_FEATURES - 1} columns"),
        ({"modality": "image"}, False, "raw values"),
        ({"modality": "audio"}, False, "raw values"),
        ({"modality": ""}, False, "only label statistics are known"),
        ({"modality": "text", "degrees": "free"}, False, "targets are degrees"),
    ],
)
def test_linear_methods_are_named_for_texts_and_wide_tables(change, is_named, said):
    found, others = named(replace(REPEATED, **change))
    assert ("linear-svm" in found) is is_named
    assert said in (found["linear-svm"].reason if is_named else " ".join(others.values()))


def test_the_linear_svm_is_trained_and_read_for_what_is_wanted():
    settings = {measure: named(TEXT, measure)[0]["linear-svm"].settings for measure in MEASURES}
    assert settings["micro_f1"]["method.decision"] == {"name": "subset_correction", "measure": "micro_f1"}
    assert settings["macro_f1"] == {"method.cost_sensitive": "macro_f1"}
    assert settings["map"] == {}
    for measure in ("example_f1", "subset_accuracy"):
        wanted = {"method.calibration": "platt", "method.decision": {"name": "expected_utility", "measure": measure}}
        assert settings[measure] == wanted
    mostly_new = named(replace(TEXT, once=0.9), "example_f1")[0]["linear-svm"]
    assert mostly_new.settings == {"method.calibration": "platt", "method.decision": "expected_f1"}
    assert "90% of the rows carry a label set that no other row does" in mostly_new.reason


@pytest.mark.parametrize(
    ("change", "measure", "decoder", "said"),
    [
        ({}, "micro_f1", "ocd-mtl", "level with br in micro-F1"),
        ({}, "example_f1", "ocd-mtl", "ahead of br in example F1 on Reuters"),
        ({}, "subset_accuracy", "ocd-mtl", "more label sets wholly right"),
        ({}, "macro_f1", None, "judged label by label"),
        ({}, "map", None, "judged label by label"),
        ({"several": 0.05}, "example_f1", None, "only 5.0% of the rows carry two labels or more"),
        ({"once": 0.5}, "example_f1", None, "50% of the rows carry a label set that no other row does"),
        ({"once": 0.5}, "subset_accuracy", "ocd", "emits label sets that training lacks"),
    ],
)
def test_decoders_are_named_where_labels_stand_together_and_label_sets_repeat(change, measure, decoder, said):
    found, others = named(replace(REPEATED, **change), measure)
    assert set(found) == {"br"} | ({decoder} if decoder else set())
    assert said in (found[decoder].reason if decoder else " ".join(others.values()))
    if decoder:
        assert found[decoder].settings == {"training.monitor": measure}


@pytest.mark.parametrize("measure", MEASURES)
def test_every_candidate_is_a_method_that_can_be_trained(measure):
    for figures in (TEXT, replace(TEXT, once=0.9), replace(REPEATED, several=0.0)):
        advised = {choice.key: choice.value for choice in advise(LabelStatistics.from_targets(DENSE), measure).choices}
        for one in candidates_for(figures, measure, advised)[0]:
            lines = [f"{key}={json.dumps(value)}" for key, value in one.settings.items()]
            learner_of(Config.from_dict(override({"data": {"source": "letters"}, "method": {"name": one.method}}, lines)).method).check()


@pytest.mark.parametrize(("empty", "said"), [(0.0, "no prediction is left empty"), (0.25, "25.0% of the rows carry no label")])
def test_a_note_says_whether_predictions_may_be_empty(empty, said):
    rows = [[1, 1], [1, 0], [0, 1], [0, 0] if empty else [1, 0]] * 5
    assert [note for note in advise(LabelStatistics.from_targets(rows)).notes if said in note and "at_least" in note]


def test_what_cannot_be_advised_is_said_in_one_line():
    with pytest.raises(ConfigurationError, match="did you mean 'micro_f1'"):
        advise(LabelStatistics.from_targets(DENSE), "micro-f1")
    with pytest.raises(DataError, match="not one training row carries a label"):
        advise(LabelStatistics.from_targets(np.zeros((3, 2))))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("missing", [False, True])
def test_every_advice_is_a_configuration_that_can_be_trained(measure, missing):
    for targets in (DENSE, SPARSE, LONG_TAILED):
        advice = advise(LabelStatistics.from_targets(targets), measure, missing)
        config = Config.from_dict(advice.to_config(data={"source": "letters"}))
        learner_of(config.method).check()
        build("sampler", config.training.sampler, targets=LabelStatistics.from_targets(targets).sets)
        statistics = LabelStatistics.from_targets(targets)
        loss = build("loss", config.method["loss"], statistics=statistics, num_labels=targets.shape[1])
        assert torch.isfinite(loss(torch.zeros(targets.shape), torch.from_numpy(targets).float())).all()


def test_held_out_rows_come_from_training_alone_and_are_the_same_every_time():
    data = from_rows([{"id": f"n{i}", "text": f"text {i}", "labels": ["x"] if i % 3 else ["y"]} for i in range(200)])
    first, again, fewer = held_out(data, 100), held_out(data, 100), held_out(data, 60)
    ids = {name: list(rows["id"]) for name, rows in first.splits.items()}
    assert {name: len(rows) for name, rows in ids.items()} == {"train": 56, "validation": 14, "test": 30}
    assert len({row for rows in ids.values() for row in rows}) == 100
    assert ids == {name: list(rows["id"]) for name, rows in again.splits.items()}
    assert first.fingerprint != fewer.fingerprint
    with pytest.raises(ConfigurationError, match="at least 20 training rows, got 7"):
        held_out(data, 7)


def planned_with(noise, out, seeds=(0, 1)):
    """An ablation whose runs are invented: each method's label sets are wrong in a share of the entries."""
    advice = advise(LabelStatistics.from_targets(DENSE))
    planned = plan_ablation(advice, advice.to_config(data={"source": "letters"}), out, seeds)
    for cell in planned.cells:
        write_run(cell.folder, cell.config.method, cell.seed, noise=noise[cell.method])
        cell.state = "finished"
        cell.finish()
    return planned


def test_rivals_differ_in_loss_and_sampler_alone(tmp_path):
    apart = np.repeat(np.eye(4), [300, 100, 20, 5], axis=0)
    advice = advise(LabelStatistics.from_targets(apart), "macro_f1")
    base = override(advice.to_config(data={"source": "letters"}), ["training.epochs=3"])
    planned = plan_ablation(advice, base, tmp_path, [0, 1])
    methods = {cell.method: cell.config for cell in planned.cells}
    assert list(methods) == ["advised", "binary_cross_entropy", "asymmetric", "dab", "distribution_balanced", "class_aware"]
    assert len(planned.cells) == 12
    for name, config in methods.items():
        assert config.training.epochs == 3
        assert config.training.sampler == ("class_aware" if name == "class_aware" else "instance_balanced")
        assert {**config.method, "loss": None} == {**base["method"], "loss": None}


@pytest.mark.parametrize(
    ("noise", "first", "agrees"),
    [
        ({"advised": 0.05, "binary_cross_entropy": 0.3, "asymmetric": 0.3}, "advised", True),
        ({"advised": 0.4, "binary_cross_entropy": 0.02, "asymmetric": 0.4}, "binary_cross_entropy", False),
    ],
)
def test_the_check_agrees_unless_a_rival_is_significantly_better(tmp_path, noise, first, agrees):
    found = run_ablation(planned_with(noise, tmp_path), data=None, measure="micro_f1")
    assert found.ranking[0].name == first
    assert found.agrees is agrees
    means = {one.name: np.mean([Run(folder).metrics["test"]["micro_f1"] for folder in one.folders]) for one in found.ranking}
    assert list(means) == sorted(means, key=means.get, reverse=True)


def test_a_lead_by_chance_agrees_and_map_is_judged_over_seeds(tmp_path):
    noise = {"advised": 0.2, "binary_cross_entropy": 0.2, "asymmetric": 0.2}
    found = run_ablation(planned_with(noise, tmp_path, (0, 1, 2)), data=None, measure="micro_f1")
    assert found.agrees
    ranked = run_ablation(planned_with(noise, tmp_path / "map", (0, 1, 2)), data=None, measure="map")
    assert ranked.p_value is None
    assert ranked.agrees is (ranked.ranking[0].name == "advised" or not ranked.difference[0] > 0)


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def source(tmp_path):
    return write_csv(tmp_path / "train.csv", small_rows(150))


SETTINGS = [word for key, value in QUICK.items() for word in ("--set", f"{key}={json.dumps(value)}")]
SMALL = [*SETTINGS, "--set", "training.epochs=2"]


def test_the_command_prints_reasons_and_a_line_that_trains_the_same(source, tmp_path):
    result = call("advise", source, "--text", "body", "--labels", "tags", "--out", tmp_path / "advice.yaml")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.startswith("multihot train")]
    assert [shlex.split(line)[4] for line in lines[:2]] == ["br", "linear-svm"]
    line = lines[0]
    words = shlex.split(line)[1:]
    assert call(*words, *SMALL, "--out", tmp_path / "by-line").exit_code == 0
    assert call("train", tmp_path / "advice.yaml", *SMALL, "--out", tmp_path / "by-file").exit_code == 0
    by_line, by_file = (yaml.safe_load((tmp_path / name / "config.yaml").read_text()) for name in ("by-line", "by-file"))
    assert by_line == by_file
    assert by_file["method"]["loss"]["name"] == "zlpr"


def test_the_check_trains_rivals_ranks_them_and_goes_on_where_it_was(source, tmp_path):
    words = [
        "advise",
        source,
        "--text",
        "body",
        "--labels",
        "tags",
        "--check",
        "--seeds",
        "0",
        "--limit",
        "100",
        "--runs",
        tmp_path / "runs",
    ]
    result = call(*words, *SMALL)
    assert result.exit_code == 0, result.output
    assert "30 held-out rows" in result.stdout
    assert "The check " in result.stdout
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("metrics.json")}
    assert len(made) == 3
    assert call(*words, *SMALL).exit_code == 0
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("metrics.json")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--measure", "f1"], "there is no advice for 'f1'"),
        (["--seeds", "0,x"], "--seeds takes different whole numbers"),
        (["--seeds", "1,1"], "--seeds takes different whole numbers"),
        (["--out", "advice.json"], "must end in .yaml or .yml"),
        (["--set", "method.loss=zlrp"], "did you mean 'zlpr'"),
        (["--labels", "tgas"], "tgas"),
        (["--check", "--limit", "5"], "at least 20 training rows"),
    ],
)
def test_bad_input_gets_one_clear_line(source, words, message):
    result = call("advise", source, "--text", "body", "--labels", "tags", *words)
    errors = [line for line in result.stderr.splitlines() if line.startswith("multihot:")]
    assert result.exit_code == 2, result.output
    assert len(errors) == 1
    assert message in errors[0]


def test_an_ablation_goes_on_with_a_training_that_was_stopped(tmp_path, monkeypatch):
    planned = planned_with({"advised": 0.1, "binary_cross_entropy": 0.1, "asymmetric": 0.1}, tmp_path, [0])
    stopped = planned.cells[0]
    stopped.state = "waiting"
    (stopped.folder / "checkpoints").mkdir()
    (stopped.folder / "checkpoints" / "last.ckpt").touch()
    called = []
    monkeypatch.setattr(ablations, "resume", lambda folder, data: called.append(folder))
    run_ablation(planned, data=None, measure="micro_f1")
    assert called == [stopped.folder]
