"""What stands in a report follows from what the run says of its scores, and whether label sets mean something."""

from pathlib import Path

import numpy as np
import pytest
from run_folders import content_of, make_distribution_run, make_run, random_degrees, random_problem
from scipy import sparse
from test_content import check_diagram

from multihot.cli.tables import print_measures
from multihot.experiments import Run
from multihot.experiments.compare import compare
from multihot.metrics.registry import of_distributions
from multihot.predictions import TrueDegrees
from multihot.report import make_report

AGES = np.arange(20.0, 26.0)[:, None]


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("kind", ["log_odds", "log_probabilities", "probabilities"])
def test_scores_that_stand_for_probabilities_are_read_as_such(tmp_path: Path, kind: str, is_sparse: bool) -> None:
    """The same probabilities, however a run writes them, give the same diagram, thresholds and figures beside labels."""
    targets, scores = random_problem(200, 4)
    probabilities = (1 / (1 + np.exp(-scores.astype(np.float64)))).clip(1e-4, 1 - 1e-4)
    written = {
        "log_odds": np.log(probabilities / (1 - probabilities)),
        "log_probabilities": np.log(probabilities),
        "probabilities": probabilities,
    }[kind]
    kept = sparse.csr_matrix(written) if is_sparse else written.astype(np.float32)
    assert not is_sparse or kept.nnz == written.size
    chosen = probabilities >= 0.4
    folder = make_run(tmp_path / "a", targets, kept, chosen=sparse.csr_matrix(chosen), described={"scores": kind, "label_sets": True})
    content = content_of(make_report([folder]))
    (run,) = content["runs"]
    assert run["unit"] == "probability"
    check_diagram(run["reliability"]["groups"]["all"]["now"], probabilities.ravel(), targets.ravel())
    assert content["labelSets"]["curves"][0]["all"]["chosen"]["threshold"] == pytest.approx(probabilities[chosen].min(), abs=1e-4)
    for row, (_, truth, given, (shown,), _) in enumerate(content["instances"]["rows"]):
        assert shown == pytest.approx(probabilities[row, sorted({*truth, *given[0]})], abs=6e-4)


@pytest.mark.parametrize(
    ("described", "unit", "reason", "hint"),
    [
        ({"scores": "margins", "label_sets": True}, "margin", "promise no probability", True),
        ({"scores": "margins", "label_sets": True, "sequences": True}, "margin", "promise no probability", False),
        ({}, "score", "older multihot", False),
    ],
)
def test_no_diagram_where_scores_promise_no_probability(tmp_path: Path, described: dict, unit: str, reason: str, hint: bool) -> None:
    targets, scores = random_problem(60, 4)
    said = {key: value for key, value in described.items() if key in ("scores", "label_sets")}
    sequences = [np.flatnonzero(row > 0).tolist() for row in scores] if "sequences" in described else None
    folder = make_run(tmp_path / "a", targets, scores, sequences=sequences, described=said)
    content = content_of(make_report([folder]))
    (run,) = content["runs"]
    assert set(run["reliability"]) == {"without"}
    assert reason in run["reliability"]["without"]
    assert ("calibration" in run["reliability"]["without"]) == hint
    assert run["unit"] == unit
    for row, (_, truth, given, (shown,), _) in enumerate(content["instances"]["rows"]):
        assert shown == pytest.approx(scores[row, sorted({*truth, *given[0]})], abs=6e-4)


@pytest.mark.parametrize(("before", "keys"), [("margins", {"now"}), ("log_odds", {"now", "before"}), (None, {"now"})])
def test_margins_have_no_diagram_before_a_calibration_either(tmp_path: Path, before: str | None, keys: set[str]) -> None:
    """None: an older run, of which only the calibrated scores are known to be log-odds."""
    targets, scores = random_problem(60, 4)
    described = {"scores": "log_odds", "uncalibrated": before, "label_sets": True} if before else {}
    folder = make_run(tmp_path / "a", targets, scores, uncalibrated=3 * scores, described=described)
    (run,) = content_of(make_report([folder]))["runs"]
    assert set(run["reliability"]["groups"]["all"]) == keys


def test_a_report_without_label_sets_has_no_measures_of_them(tmp_path: Path) -> None:
    ages = make_distribution_run(tmp_path / "ages", AGES, [f"{age:.0f}" for age in AGES[:, 0]], random_degrees(60, 6))
    content = content_of(make_report([ages]))
    assert content["labelSets"] is None
    (run,) = content["runs"]
    assert run["unit"] == "degree"
    assert all(map(of_distributions, run["measures"]))
    assert {"mean_absolute_error", "kullback_leibler"} <= set(run["measures"])
    assert set(run["intervals"]) <= set(run["measures"])


def test_a_report_with_some_runs_of_label_sets_shows_theirs_alone(tmp_path: Path) -> None:
    names = [f"{age:.0f}" for age in AGES[:, 0]]
    degrees = random_degrees(60, 6)
    mixed = make_distribution_run(tmp_path / "dldl", AGES, names, degrees, settings={"method": {"name": "dldl"}})
    targets = np.eye(6, dtype=bool)[np.random.default_rng(7).integers(0, 6, 60)]
    sets = make_run(tmp_path / "svm", targets, np.log(degrees), names=names, method="svm")
    first, second = content_of(make_report([mixed, sets]))["runs"]
    assert "micro_f1" not in first["measures"]
    assert "micro_f1" in second["measures"]
    ours, theirs = compare([mixed, sets], baseline="linear-svm").data_sets[0].methods
    assert "micro_f1" not in ours.spread.keys() | ours.intervals.keys() | ours.p_values.keys()
    assert not ours.label_sets
    assert {"micro_f1"} <= theirs.spread.keys() & theirs.intervals.keys()
    assert theirs.label_sets
    asked = compare([mixed, sets], measures=["micro_f1"]).data_sets[0].methods  # what is asked for by name is shown
    assert all("micro_f1" in method.spread for method in asked)


@pytest.mark.parametrize("label_sets", [True, False])
def test_the_terminal_leaves_out_what_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture, label_sets: bool) -> None:
    degrees = random_degrees(60, 6)
    folder = make_run(
        tmp_path / "a", np.eye(6, dtype=bool)[degrees.argmax(axis=1)], np.log(degrees), degrees=degrees,
        truth=TrueDegrees(sparse.csr_matrix(degrees)), described={"scores": "log_probabilities", "label_sets": label_sets},
    )  # fmt: skip
    print_measures({"": Run(folder).metrics})
    shown = capsys.readouterr().out
    assert "KL divergence" in shown
    assert ("micro-F1" in shown) == label_sets


def test_degrees_are_no_probabilities_of_labels_where_instances_mix_them(tmp_path: Path) -> None:
    degrees, single = random_degrees(60, 6), np.eye(6, dtype=bool)[np.random.default_rng(7).integers(0, 6, 60)]
    drawn = []
    for name, truth in {"mixed": degrees, "single": single.astype(float)}.items():
        folder = make_run(tmp_path / name, single, np.log(degrees), degrees=degrees, truth=TrueDegrees(sparse.csr_matrix(truth)))
        drawn.append(content_of(make_report([folder]))["runs"][0]["reliability"])
    assert "how much of an instance each label holds" in drawn[0]["without"]
    check_diagram(drawn[1]["groups"]["all"]["now"], degrees.ravel(), single.ravel())
