"""Label distributions of a report in a real browser: slider and names lead to an instance, and what is drawn is what was predicted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import LOG, make_distribution_run, make_run, random_degrees
from scipy import sparse
from test_browser import choose, driver, media, resize, settled, texts  # noqa: F401  # driver is a fixture

from multihot.predictions import TrueDegrees
from multihot.report import write_report

AGES = np.arange(20.0, 26.0)[:, None]
GRID = np.array([[x, y] for x in (-15.0, 0.0, 15.0) for y in (-30.0, 30.0)])


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    ages, poses = [f"{age:.0f}" for age in AGES[:, 0]], [f"{x:.0f},{y:.0f}" for x, y in GRID]
    features = {"points": {f"n{i}": [i % 5 - 2, i % 3 - 1] for i in range(30)}, "explained": [0.5, 0.25]}
    log = LOG.replace("micro_f1", "mean_absolute_error")
    runs = [
        make_distribution_run(
            folder / name / str(rows), AGES, ages, random_degrees(30, 6, rows + len(name)), features=features, log=log,
            settings={"method": {"name": name}}, trained_rows=rows,
        )
        for name in ("dldl", "softmax") for rows in (30, 100)
    ]  # fmt: skip
    two = make_distribution_run(folder / "poses", GRID, poses, random_degrees(30, 6), features=features)
    degrees = random_degrees(30, 6)
    targets, moods = np.eye(6, dtype=bool)[degrees.argmax(axis=1)], [f"</b>{name}" for name in "abcdef"]
    bare = make_run(
        folder / "moods", targets, np.log(degrees + 1e-6), names=moods, degrees=degrees, truth=TrueDegrees(sparse.csr_matrix(degrees)),
        features=features,
    )  # fmt: skip
    kinds = {"ages": runs, "poses": [two], "moods": [bare]}
    return {name: write_report(own, folder / f"{name}.html") for name, own in kinds.items()}


@pytest.mark.parametrize("kind", ["ages", "poses", "moods"])
def test_it_opens_quietly_and_fits_a_phone(driver: Any, reports: dict[str, Path], kind: str) -> None:  # noqa: F811
    resize(driver, 375)
    media(driver, "dark")
    driver.get(reports[kind].as_uri())
    settled(driver)
    assert [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    assert texts(driver, "nav.sections a")[1] == "Label distributions"
    assert driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]") == [375, 375]
    assert len(texts(driver, ".features .dot")) == (60 if kind == "ages" else 30)
    resize(driver, 1200)
    media(driver, "light")


def test_an_instance_is_found_by_slider_and_name(driver: Any, reports: dict[str, Path]) -> None:  # noqa: F811
    driver.get(reports["ages"].as_uri())
    degrees = [random_degrees(30, 6, rows + len(name)) for name in ("dldl", "softmax") for rows in (30, 100)]
    truth = 20 + np.random.default_rng(7).integers(0, 6, 30)
    errors = np.mean([np.abs(one @ AGES[:, 0] - truth) for one in degrees], axis=0)
    driver.execute_script(
        "const box = document.getElementById('distribution-slider'); box.value = box.max; box.dispatchEvent(new Event('input'))"
    )
    worst = int(errors.argmax())
    (told,) = texts(driver, "#distribution-told")
    assert told.startswith(f"n{worst}: truly at {truth[worst]}; Mean absolute error, mean over runs, {errors[worst]:.4g}"[:-1])
    choose(driver, "#distribution-drawing", "Instance", "0")
    (told,) = texts(driver, "#distribution-told")
    assert told.startswith(f"n{errors.argmin()}: ")
    settled(driver)
    best = int(errors.argmin())
    names = texts(driver, "#distribution-drawing .legend li")
    assert names[0] == f"true, {truth[best]}"
    read = [float(name.rpartition(" ")[2]) for name in names[1:]]
    assert read == pytest.approx([float(one[best] @ AGES[:, 0]) for one in degrees], abs=0.01)
    assert len(texts(driver, "#distribution-drawing svg path")) == 4


def test_error_over_rows_and_validation_error_are_drawn(driver: Any, reports: dict[str, Path]) -> None:  # noqa: F811
    driver.get(reports["ages"].as_uri())
    settled(driver)
    assert "30 to 100 train, 30 test" in texts(driver, "#top .lead")[0]
    assert texts(driver, "#training-sizes thead th") == ["method", "30", "100"]
    assert texts(driver, "#training-sizes .legend li") == ["dldl", "softmax"]
    assert len(texts(driver, "#training-sizes svg path")) == 2
    assert "Validation Mean absolute error" in texts(driver, "#training h3")


def test_labels_on_no_axis_are_bars(driver: Any, reports: dict[str, Path]) -> None:  # noqa: F811
    driver.get(reports["moods"].as_uri())
    (name,) = texts(driver, "#distribution-told bdi")
    degrees = random_degrees(30, 6)[int(name[1:])]
    order = np.argsort(-degrees, kind="stable")
    shown = texts(driver, "#distribution-drawing .group bdi")
    assert shown == [f"</b>{'abcdef'[label]}" for label in order[: len(shown)]]
    figures = [float(text) for text in texts(driver, "#distribution-drawing .figure .small")]
    assert figures[::2] == pytest.approx(degrees[order[: len(shown)]], abs=1e-3)
    assert figures[::2] == figures[1::2]


def test_two_axes_are_maps(driver: Any, reports: dict[str, Path]) -> None:  # noqa: F811
    driver.get(reports["poses"].as_uri())
    settled(driver)
    titles = texts(driver, "#distribution-drawing rect title")
    assert len(titles) == 12  # six labels in truth and as predicted
    (name,) = texts(driver, "#distribution-told bdi")
    degrees = random_degrees(30, 6)[int(name[1:])]
    assert [float(title.rpartition(" ")[2]) for title in titles[6:]] == pytest.approx(degrees, abs=1e-3)
    assert len(texts(driver, ".expectation")) == 2
    assert texts(driver, ".features option") == ["first position", "second position"]
