"""The sentence that a report opens with."""

import json
import re
from pathlib import Path

import numpy as np
from run_folders import content_of, make_distribution_run, make_run, random_degrees, random_problem
from sklearn.metrics import f1_score

from multihot.experiments.compare import compare
from multihot.report import make_report


def opening(*folders: Path) -> dict[str, str]:
    return content_of(make_report(folders))["outcome"]


def test_runs_side_by_side_are_told_as_compare_tells_them(tmp_path: Path) -> None:
    targets, scores = random_problem(200, 4)
    good = make_run(tmp_path / "good", targets, scores)
    poor = make_run(tmp_path / "poor", targets, -scores, method="svm")
    said = opening(good, poor)
    value = f1_score(targets, scores > 0, average="micro")
    points = 100 * (value - f1_score(targets, scores < 0, average="micro"))
    assert said["sentence"] == f"good leads in micro-F1 ({value:.3f}, one training each), ahead of poor by {points:.1f} points (p <0.001)."
    assert "Holm" in said["about"]
    (same,) = compare([good, poor]).outcome
    assert same == said["sentence"].replace("good", "br").replace("poor", "linear-svm")


def test_a_run_alone_says_what_it_reached(tmp_path: Path) -> None:
    targets, scores = random_problem(200, 4)
    said = opening(make_run(tmp_path / "alone", targets, scores))
    value, exact = f1_score(targets, scores > 0, average="micro"), ((scores > 0) == targets).all(axis=1).mean()
    interval = r"\(95% interval over test instances 0\.\d{3} to 0\.\d{3}\)"
    words = rf"alone reached {value:.3f} in micro-F1 {interval} and {exact:.3f} in subset accuracy \(one training\)\."
    assert re.fullmatch(words, said["sentence"]), said
    assert said["about"] == ""


def test_seeds_of_a_method_are_one(tmp_path: Path) -> None:
    targets, scores = random_problem(200, 4)
    for seed in range(2):
        make_run(tmp_path / "good" / str(seed), targets, scores, settings={"seed": seed})
        make_run(tmp_path / "poor" / str(seed), targets, -scores, method="svm", settings={"seed": seed})
    said = opening(*sorted(tmp_path.glob("*/*")))["sentence"]
    assert re.fullmatch(r"good leads in micro-F1 \(.*, 2 trainings each\), ahead of poor by .* points \(p <0\.001\)\.", said), said


def test_label_distributions_are_told_by_their_error(tmp_path: Path) -> None:
    """The axis is worth more than label sets, and less error is better."""
    positions = np.arange(8.0)[:, None]
    names = [str(place) for place in range(8)]
    wrong = random_degrees(150, 8)
    true = np.eye(8)[np.random.default_rng(7).integers(0, 8, 150)]  # the labels that make_distribution_run draws
    near = (0.8 * true + 0.2 * wrong).astype(np.float32)
    runs = [make_distribution_run(tmp_path / name, positions, names, degrees, method=method) for name, degrees, method in (
        ("near", near, "br"), ("far", wrong, "svm"))]  # fmt: skip
    errors = [np.abs(degrees.astype(float) @ positions[:, 0] - true @ positions[:, 0]).mean() for degrees in (near, wrong)]
    assert opening(*runs)["sentence"] == (
        f"near leads in MAE ({errors[0]:.3f}, one training each), ahead of far by {errors[1] - errors[0]:.3f} (p <0.001)."
    )


def test_nothing_in_common_leaves_no_leader(tmp_path: Path) -> None:
    positions, names = np.arange(4.0)[:, None], list("0123")
    first = make_distribution_run(tmp_path / "axis", positions, names, random_degrees(60, 4))
    targets = np.eye(4, dtype=bool)[np.random.default_rng(7).integers(0, 4, 60)]
    second = make_run(tmp_path / "sets", targets, np.where(targets, 1.0, -1.0).astype(np.float32), names=names, method="svm")
    assert opening(first, second)["sentence"] == "These methods have no measure in common, so none of them leads."


def test_the_validation_split_flatters(tmp_path: Path) -> None:
    targets, scores = random_problem(60, 4)
    folder = make_run(tmp_path / "alone", targets, scores)
    (folder / "predictions" / "test.parquet").rename(folder / "predictions" / "validation.parquet")
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics["validation"], metrics["breakdowns"] = metrics.pop("test"), {"validation": metrics["breakdowns"]["test"]}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    said = opening(folder)
    assert "interval over validation instances" in said["sentence"]
    assert "flatter" in said["about"]
