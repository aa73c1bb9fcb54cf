"""What a report says of scores and decisions, in a real browser: percent or margins, how runs decide, no section without a meaning."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import RULE, make_distribution_run, make_run, random_degrees, random_problem
from test_browser import choose, driver, resize, settled, texts  # noqa: F401  # driver is a fixture

from multihot.report import write_report

AGES = np.arange(20.0, 26.0)[:, None]
OF_SETS = {"breakdowns", "labels", "curves", "pairs"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    targets, scores = random_problem(40, 6)
    sure = make_run(folder / "sure", targets, scores)
    margins = {"scores": "margins", "rule": "The two best labels are chosen.", "label_sets": True}
    best = np.argsort(np.argsort(-scores, axis=1), axis=1) < 2
    svm = make_run(folder / "svm", targets, scores, chosen=best, method="svm", described=margins)
    half = make_run(folder / "half", targets, scores, settings={"training": {"precision": "bf16-mixed"}})
    old = make_run(folder / "old", targets, scores, chosen=best, described={})
    ages = make_distribution_run(folder / "ages", AGES, [f"{age:.0f}" for age in AGES[:, 0]], random_degrees(30, 6))
    kinds = {"sure": [sure], "svm": [svm], "old": [old], "both": [sure, svm], "ages": [ages], "precisions": [half, svm]}
    return {name: write_report(runs, folder / f"{name}.html") for name, runs in kinds.items()}


def percent(value: float) -> str:
    rounded = round(100 * value)
    return "<1 %" if rounded == 0 else ">99 %" if rounded == 100 else f"{rounded} %"


def test_chips_show_probabilities_in_percent_and_margins_by_name(driver: Any, reports: dict[str, Path]) -> None:  # noqa: F811
    targets, scores = random_problem(40, 6)
    chips = """const figures = (one) => [...one.querySelectorAll('.chip small')].map((chip) => chip.textContent);
        return [...document.querySelectorAll('.instance')].map(figures)"""
    driver.get(reports["sure"].as_uri())
    for row, shown in enumerate(driver.execute_script(chips)):
        named = np.flatnonzero(targets[row] | (scores[row] > 0))
        assert sorted(shown) == sorted(percent(round(float(1 / (1 + np.exp(-scores[row, label]))), 3)) for label in named)
    driver.get(reports["svm"].as_uri())
    small = [text for chip in driver.execute_script(chips) for text in chip]
    assert small
    assert all(text.startswith("margin ") for text in small)
    assert "no probability" in texts(driver, "#instances .about")[0]


@pytest.mark.parametrize("width", [1200, 390])
def test_the_thresholds_section_says_how_each_run_decides(driver: Any, reports: dict[str, Path], width: int) -> None:  # noqa: F811
    resize(driver, width)
    _, scores = random_problem(40, 6)
    lowest = float(1 / (1 + np.exp(-scores[scores > 0].min())))
    driver.get(reports["sure"].as_uri())
    (words,) = texts(driver, "#curves > .note")
    assert words.startswith(f"{RULE} The lowest probability chosen is {round(lowest, 4):.4g} ")
    driver.get(reports["svm"].as_uri())
    assert texts(driver, "#curves > .note") == ["The two best labels are chosen."]
    driver.get(reports["old"].as_uri())
    assert "does not say how it decides" in texts(driver, "#curves > .note")[0]
    driver.get(reports["both"].as_uri())
    choose(driver, "#curves", "Run", "1")
    assert texts(driver, "#curves > .note") == ["svm: The two best labels are chosen."]
    settled(driver)
    assert "margin" in texts(driver, "#curves .plot text")


def test_runs_without_probabilities_have_no_diagram_and_a_reason(driver: Any, reports: dict[str, Path]) -> None:  # noqa: F811
    driver.get(reports["svm"].as_uri())
    settled(driver)
    assert texts(driver, "#reliability svg") == []
    assert "promise no probability" in texts(driver, "#reliability .note")[0]
    driver.get(reports["both"].as_uri())
    settled(driver)
    assert texts(driver, "#reliability .legend li") == ["exactly as promised", "sure"]
    assert texts(driver, "#calibration-errors tbody th") == ["sure"]
    assert texts(driver, "#reliability .note")[0].startswith("svm is not drawn: ")


@pytest.mark.parametrize("width", [1200, 390])
def test_distributions_show_no_section_of_label_sets(driver: Any, reports: dict[str, Path], width: int) -> None:  # noqa: F811
    resize(driver, width)
    shown = {}
    for kind in ("sure", "ages"):
        driver.get(reports[kind].as_uri())
        settled(driver)
        shown[kind] = set(driver.execute_script("return [...document.querySelectorAll('section')].map((one) => one.id)"))
        assert [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
        assert driver.execute_script("return document.documentElement.scrollWidth") == width
    assert shown["sure"] >= OF_SETS
    assert not shown["ages"] & OF_SETS
    assert {"overview", "distributions", "instances", "settings"} <= shown["ages"]
    tiles = texts(driver, "#overview .tile .name")
    assert tiles == ["Mean absolute error", "At most 5 off", "Kullback-Leibler"]
    assert texts(driver, "#instances .chip.wrong, #instances .chip.missed") == []
    assert len(texts(driver, "#instances .instance .chip.read")) + len(texts(driver, "#instances .instance .chip.hit")) == 20
    assert RULE in texts(driver, "#instances .about")[0]


def test_the_precision_of_a_training_is_said(driver: Any, reports: dict[str, Path]) -> None:  # noqa: F811
    script = "return [...document.querySelectorAll('tr')].find((row) => row.textContent.startsWith('Precision')).textContent"
    driver.get(reports["precisions"].as_uri())
    assert driver.execute_script(script) == "Precisionbfloat16, mixed\u2013"  # a run without a network has none
