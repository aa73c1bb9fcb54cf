"""Label distributions in a report, against loops over the figures that the run folders were made of."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import content_of, make_distribution_run, make_run, random_degrees, random_problem
from scipy import sparse

from multihot.predictions import TrueDegrees
from multihot.report import distributions as distributions_module
from multihot.report import make_report
from multihot.report.training import training_curves

AGES = np.arange(20.0, 26.0)[:, None]
NAMES = [f"{age:.0f}" for age in AGES[:, 0]]


def shown(*folders: Path) -> dict[str, Any]:
    return content_of(make_report(list(folders)))["distributions"]


def true_labels(rows: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, width, rows)


def as_dense(drawn: list, width: int) -> np.ndarray:
    dense = np.zeros(width)
    dense[drawn[0]] = drawn[1]
    return dense


def test_distributions_and_readings_are_those_of_the_runs(tmp_path: Path) -> None:
    first, other = random_degrees(40, 6, 0), random_degrees(40, 6, 1)
    found = shown(make_distribution_run(tmp_path / "a", AGES, NAMES, first), make_distribution_run(tmp_path / "b", AGES, NAMES, other))
    assert found["positions"] == AGES.tolist()
    assert found["measure"] == "mean_absolute_error"
    labels = true_labels(40, 6)
    assert sorted(row[0] for row in found["rows"]) == sorted(f"n{i}" for i in range(40))
    for name, true, value, predicted, error in found["rows"]:
        i = int(name[1:])
        assert true == [[labels[i]], [1.0]]
        assert value == [20.0 + labels[i]]
        misses = []
        for drawn, degrees in zip(predicted, (first, other), strict=True):
            assert as_dense(drawn[:2], 6) == pytest.approx(degrees[i], abs=6e-4)
            expected = sum((20 + k) * float(p) for k, p in enumerate(degrees[i]))
            assert drawn[2] == pytest.approx([expected], abs=1e-4)
            misses.append(abs(expected - value[0]))
        assert error == pytest.approx(sum(misses) / 2, abs=1e-3)
    errors = [row[4] for row in found["rows"]]
    assert errors == sorted(errors)


def test_a_label_that_one_run_never_saw(tmp_path: Path) -> None:
    whole, fewer = random_degrees(30, 6, 0), random_degrees(30, 5, 1)
    kept = true_labels(30, 6)
    wide = make_distribution_run(tmp_path / "wide", AGES, NAMES, whole)
    targets = np.eye(6, dtype=bool)[kept][:, :5]
    truth = TrueDegrees(sparse.csr_matrix(targets, dtype=np.float64), AGES[:5], np.where(kept < 5, 20.0 + kept, np.nan)[:, None])
    narrow = make_run(
        tmp_path / "narrow", targets[::-1], np.log(fewer + 1e-6)[::-1], names=NAMES[:5], ids=[f"n{i}" for i in range(30)][::-1],
        degrees=fewer[::-1], values=(fewer @ AGES[:5])[::-1], truth=TrueDegrees(truth.degrees[::-1], AGES[:5], truth.values[::-1]),
    )  # fmt: skip
    assert (kept == 5).any()
    found = shown(narrow, wide)
    for name, true, value, predicted, _ in found["rows"]:
        i = int(name[1:])
        assert true == [[kept[i]], [1.0]]  # also where the label is the one that the first run does not know
        assert value == [20.0 + kept[i]]
        assert as_dense(predicted[0][:2], 6)[:5] == pytest.approx(fewer[i], abs=6e-4)


def test_other_orders_of_labels_and_instances(tmp_path: Path) -> None:
    degrees, rows, columns = random_degrees(30, 6), np.random.default_rng(1).permutation(30), np.array([2, 0, 5, 3, 1, 4])
    first = make_distribution_run(tmp_path / "a", AGES, NAMES, degrees)
    labels = np.eye(6, dtype=bool)[true_labels(30, 6)][rows][:, columns]
    moved = degrees[rows][:, columns]
    truth = TrueDegrees(sparse.csr_matrix(labels, dtype=np.float64), AGES[columns], labels @ AGES[columns])
    other = make_run(
        tmp_path / "b", labels, np.log(moved + 1e-6), names=[NAMES[i] for i in columns], ids=[f"n{i}" for i in rows], degrees=moved,
        values=moved.astype(np.float64) @ AGES[columns], truth=truth,
    )  # fmt: skip
    forth, back = shown(first, other), shown(other, first)
    for found in (forth, back):
        assert found["expectation"][0] == found["expectation"][1]
        for name, true, value, (one, two), _ in found["rows"]:
            assert (as_dense(one[:2], 6) == as_dense(two[:2], 6)).all()
            assert one[2] == two[2]
            assert [found["positions"][true[0][0]], value] == [[20.0 + true_labels(30, 6)[int(name[1:])]]] * 2
    assert forth["positions"] != back["positions"]
    assert {row[0]: row[4] for row in forth["rows"]} == {row[0]: row[4] for row in back["rows"]}


def test_expectations_are_binned_alike_for_every_run(tmp_path: Path) -> None:
    degrees = [random_degrees(200, 6, seed) for seed in (0, 1)]
    found = shown(*(make_distribution_run(tmp_path / str(k), AGES, NAMES, one) for k, one in enumerate(degrees)))["expectation"]
    true = 20.0 + true_labels(200, 6)
    means = [one.astype(np.float64) @ AGES[:, 0] for one in degrees]
    low, high = min(one.min() for one in means), max(one.max() for one in means)
    for (drawn,), mean in zip(found, means, strict=True):
        expected, gap = [], 0.0
        for b in range(10):
            start, end = low + b * (high - low) / 10, low + (b + 1) * (high - low) / 10
            inside = [i for i in range(200) if start <= mean[i] < end or (b == 9 and mean[i] >= end)]
            if inside:
                expected.append([start, end, len(inside), np.mean(mean[inside]), np.mean(true[inside])])
                gap += abs(sum(mean[i] - true[i] for i in inside))
        np.testing.assert_allclose(drawn["bins"], expected, atol=1e-3)
        assert drawn["error"] == pytest.approx(gap / 200, abs=1e-3)


def test_two_axes(tmp_path: Path) -> None:
    grid = np.array([[x, y] for x in (-15.0, 0.0, 15.0) for y in (-30.0, 30.0)])
    degrees = random_degrees(50, 6)
    folder = make_distribution_run(tmp_path / "poses", grid, [f"{x:.0f},{y:.0f}" for x, y in grid], degrees)
    found = shown(folder)
    assert found["positions"] == grid.tolist()
    labels = true_labels(50, 6)
    assert all(value == grid[labels[int(name[1:])]].tolist() for name, _, value, *_ in found["rows"])
    ((first, second),) = found["expectation"]
    assert sum(count for _, _, count, *_ in first["bins"]) == sum(count for _, _, count, *_ in second["bins"]) == 50
    mean = sum(count * real for _, _, count, _, real in second["bins"]) / 50
    assert mean == pytest.approx(grid[labels, 1].mean(), abs=1e-2)


def test_labels_on_no_axis_are_ordered_by_divergence(tmp_path: Path) -> None:
    degrees, true = random_degrees(30, 3, 0), random_degrees(30, 3, 1).astype(np.float64)
    true /= true.sum(axis=1, keepdims=True)
    targets = np.eye(3, dtype=bool)[true.argmax(axis=1)]
    folder = make_run(
        tmp_path / "moods", targets, np.log(degrees + 1e-6), names=["calm", "glad", "sad"], degrees=degrees,
        truth=TrueDegrees(sparse.csr_matrix(true)),
    )  # fmt: skip
    found = shown(folder)
    assert [found["positions"], found["expectation"], found["sizes"], found["features"]] == [None] * 4
    assert found["measure"] == "kullback_leibler"
    for name, drawn, value, ((columns, kept, read),), error in found["rows"]:
        y, p = true[int(name[1:])], degrees[int(name[1:])]
        assert value is None
        assert read is None
        assert as_dense(drawn, 3) == pytest.approx(y, abs=6e-4)
        assert as_dense([columns, kept], 3) == pytest.approx(p, abs=6e-4)
        assert error == pytest.approx(sum(a * math.log(a / b) for a, b in zip(y, p, strict=True) if a), abs=2e-3)


def test_a_run_without_distributions_beside_one_with(tmp_path: Path) -> None:
    targets, scores = random_problem(30, 6)
    assert shown(make_run(tmp_path / "sets", targets, scores, names=NAMES)) is None
    labels = np.eye(6, dtype=bool)[true_labels(30, 6)]
    plain = make_run(tmp_path / "plain", labels, scores, names=NAMES)
    found = shown(plain, make_distribution_run(tmp_path / "ages", AGES, NAMES, random_degrees(30, 6)))
    assert all(predicted[0] is None and predicted[1] is not None for *_, predicted, _ in found["rows"])
    assert found["expectation"][0] is None


def test_error_over_training_rows(tmp_path: Path) -> None:
    folders = []
    for name in ("dldl", "softmax"):
        for rows, seeds in {400: (0, 1, 2), 100: (0,)}.items():
            for seed in seeds:
                degrees = random_degrees(25, 6, 10 * rows + seed + len(name))
                settings = {"method": {"name": name}, "seed": seed, "data": {"source": "synthetic", "train_share": rows / 400}}
                where = tmp_path / f"{name}-{rows}-{seed}"
                folders.append(make_distribution_run(where, AGES, NAMES, degrees, settings=settings, trained_rows=rows))
    found = shown(*folders)["sizes"]
    assert found["measure"] == "mean_absolute_error"
    assert [method["name"] for method in found["methods"]] == ["dldl", "softmax"]
    for method in found["methods"]:
        for rows, mean, deviation, seeds in method["points"]:
            own = [folder for folder in folders if folder.name.startswith(f"{method['name']}-{rows}-")]
            values = [json.loads((folder / "metrics.json").read_text())["test"]["mean_absolute_error"] for folder in own]
            assert seeds == len(values)
            assert mean == pytest.approx(np.mean(values), abs=1e-4)
            assert (deviation is None) if seeds == 1 else deviation == pytest.approx(np.std(values, ddof=1), abs=1e-4)
        assert [point[0] for point in method["points"]] == [100, 400]
    assert shown(*(folder for folder in folders if "-400-" in folder.name))["sizes"] is None


def test_maps_of_features_are_scaled_and_know_the_truth(tmp_path: Path) -> None:
    degrees, labels = random_degrees(20, 6), true_labels(20, 6)
    draw = np.random.default_rng(3)
    points = {f"n{i}": draw.normal(size=2).round(3).tolist() for i in range(0, 20, 2)}
    folder = make_distribution_run(tmp_path / "a", AGES, NAMES, degrees, features={"points": points, "explained": [0.5, 0.25]})
    found = shown(folder, make_distribution_run(tmp_path / "b", AGES, NAMES, degrees))["features"]
    assert found["instances"] == [[name, [20.0 + labels[int(name[1:])]], labels[int(name[1:])]] for name in points]
    assert found["runs"][1] is None
    largest = max(abs(value) for point in points.values() for value in point)
    assert found["runs"][0]["explained"] == [0.5, 0.25]
    np.testing.assert_allclose(
        found["runs"][0]["points"], [[k, x / largest, y / largest] for k, (x, y) in enumerate(points.values())], atol=1e-4
    )


def test_what_nobody_knows_is_left_out(tmp_path: Path) -> None:
    degrees, labels = random_degrees(20, 6), true_labels(20, 6)
    targets = np.eye(6, dtype=bool)[labels]
    targets[4] = False
    truth = TrueDegrees(sparse.csr_matrix(targets, dtype=np.float64), AGES, 20.0 + labels[:, None])
    truth.values[4] = np.nan
    features = {"points": {"n4": [1.0, 0.0], "n5": [0.0, 1.0]}, "explained": [0.5, 0.25]}
    folder = make_run(
        tmp_path / "a", targets, np.log(degrees + 1e-6), names=NAMES, degrees=degrees, values=degrees @ AGES, truth=truth, features=features
    )
    found = shown(folder)
    assert {row[0] for row in found["rows"]} == {f"n{i}" for i in range(20)} - {"n4"}
    assert sum(count for _, _, count, *_ in found["expectation"][0][0]["bins"]) == 19
    assert found["features"]["instances"] == [["n4", None, None], ["n5", [20.0 + labels[5]], labels[5]]]


def test_intervals_and_reliability_are_of_the_distributions(tmp_path: Path) -> None:
    degrees = random_degrees(300, 6)
    (run,) = content_of(make_report([make_distribution_run(tmp_path / "a", AGES, NAMES, degrees)]))["runs"]
    errors = np.abs(degrees @ AGES[:, 0] - 20 - true_labels(300, 6))
    half = 1.96 * errors.std(ddof=1) / math.sqrt(300)
    assert run["intervals"]["mean_absolute_error"] == pytest.approx([errors.mean() - half, errors.mean() + half], abs=0.05)
    true, probabilities = np.eye(6)[true_labels(300, 6)].ravel(), degrees.ravel()
    place = np.minimum((probabilities * 15).astype(int), 14)
    gap = sum(abs((true - probabilities)[place == b].sum()) for b in range(15)) / len(true)
    assert run["reliability"]["groups"]["all"]["now"]["error"] == pytest.approx(gap, abs=1e-3)


def test_many_labels_make_a_small_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions_module, "NUMBERS", 2 * 6 * 2 * 5)
    found = shown(make_distribution_run(tmp_path / "a", AGES, NAMES, random_degrees(40, 6)))
    assert len(found["rows"]) == 5
    every = sorted(abs(row @ AGES[:, 0] - 20 - label) for row, label in zip(random_degrees(40, 6), true_labels(40, 6), strict=True))
    assert [found["rows"][0][4], found["rows"][-1][4]] == pytest.approx([every[0], every[-1]], abs=1e-3)  # the best and the worst stay


def test_the_errors_of_distributions_are_drawn_over_updates() -> None:
    log = {"training/loss": [(1, 2.0)], "validation/mean_absolute_error": [(1, 7.5), (2, 6.0)], "validation/kullback_leibler": [(2, 0.5)]}
    assert training_curves(log, 2)["measures"] == {"mean_absolute_error": [[1, 2], [7.5, 6.0]], "kullback_leibler": [[2], [0.5]]}
