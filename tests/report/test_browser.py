"""The report in a real browser: it opens from a file, sorts, filters, searches, turns dark and fits a phone."""

import io
import re
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from run_folders import LOG, make_run, random_problem

from multihot.report import write_report

pytest.importorskip("selenium", reason="selenium drives the browser; it comes with multihot[dev]")
if not (shutil.which("chromium") and shutil.which("chromedriver")):
    pytest.skip("no chromium with chromedriver here (Debian: chromium, chromium-driver)", allow_module_level=True)

pictures = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "docs" / "pictures" / "make_pictures.py")))
NAMES = ["grain", "<b>bold</b>", "</script>", "ذرة", "oil 🚀", "rare"]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    targets, scores = random_problem(70, 6)
    texts = [f"text number {i} <i>markup</i> شحن {'needle' if i % 10 == 0 else 'hay'}" for i in range(70)]
    first = make_run(folder / "runs" / "first", targets, scores, names=NAMES, excerpts=texts, log=LOG, uncalibrated=3 * scores)
    other = make_run(
        folder / "runs" / "a-second-run-with-a-rather-long-name", targets, scores - 0.8, names=NAMES, excerpts=texts, method="svm"
    )
    return {"one": write_report([first], folder / "one.html"), "two": write_report([first, other], folder / "two.html")}


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with pictures.browser(1200, 900) as driver:
        yield driver


@pytest.fixture(params=["one", "two"])
def page(driver: Any, reports: dict[str, Path], request: pytest.FixtureRequest) -> Any:
    media(driver, "light")
    resize(driver, 1200)
    driver.get(reports[request.param].as_uri())
    driver.execute_script("window.localStorage.clear()")
    driver.refresh()
    return driver


def media(driver: Any, scheme: str) -> None:
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    given = [{"name": name, "value": value} for name, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": given})


def resize(driver: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def settled(driver: Any) -> None:
    driver.execute_async_script("setTimeout(arguments[0], 250)")


def texts(driver: Any, selector: str) -> list[str]:
    return driver.execute_script("return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent)", selector)


def choose(driver: Any, where: str, label: str, value: str) -> None:
    driver.execute_script(
        "const label = [...document.querySelectorAll(arguments[0] + ' label')].find((one) => one.textContent.startsWith(arguments[1]));"
        "const box = label.querySelector('select'); box.value = arguments[2]; box.dispatchEvent(new Event('change'))",
        where, label, value,
    )  # fmt: skip


def write(driver: Any, box: str, text: str) -> None:
    from selenium.webdriver.common.by import By

    field = driver.find_element(By.ID, box)
    field.clear()
    field.send_keys(text)
    settled(driver)


def test_it_opens_without_a_word_on_the_console(page: Any) -> None:
    settled(page)
    assert [entry for entry in page.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
    sections = texts(page, "nav.sections a")
    assert sections[:4] == ["Measures", "Where it works", "Labels", "Thresholds"]
    assert "Training" in sections
    assert page.execute_script("return performance.getEntriesByType('resource').filter((one) => !one.name.startsWith('data:')).length") == 0
    assert page.execute_script("return document.querySelectorAll('.plot svg').length") >= 6


def test_names_from_data_are_only_text(page: Any) -> None:
    assert {name.strip() for name in texts(page, "#label-table tbody td:first-child")} == set(NAMES)
    assert page.execute_script("return document.querySelectorAll('main b, main i:not(.bar i, .meter i)').length") == 0


def test_labels_sort_and_filter(page: Any) -> None:
    press = "document.querySelector('#label-table th[data-key=\"{}\"] button').click()"
    page.execute_script(press.format("support"))
    counts = [int(text) for text in texts(page, "#label-table tbody td:nth-child(3)")]
    assert counts == sorted(counts, reverse=True)
    page.execute_script(press.format("support"))
    assert [int(text) for text in texts(page, "#label-table tbody td:nth-child(3)")] == sorted(counts)
    assert texts(page, '#label-table th[aria-sort="ascending"]') == ["In test"]
    write(page, "label-search", "BOLD")
    assert texts(page, "#label-table tbody td:first-child") == ["<b>bold</b>"]
    write(page, "label-search", "ذرة")
    assert texts(page, "#label-table tbody td:first-child") == ["ذرة"]


def test_instances_are_found_by_text(page: Any) -> None:
    write(page, "instance-search", "needle")
    assert texts(page, "#instance-count") == ["7 of 7 found"]
    assert set(texts(page, "#instances mark")) == {"needle"}
    write(page, "instance-search", "number 33 <I>mark")
    assert texts(page, ".instance .id") == ["n33"]
    write(page, "instance-search", "no such thing")
    assert texts(page, "#instance-count") == ["Nothing fits; loosen a filter."]


def number_found(driver: Any) -> int:
    (text,) = texts(driver, "#instance-count")
    match = re.search(r"of ([\d,]+) found", text)
    return int(match[1]) if match else 0


@pytest.mark.parametrize(("kind", "label"), [("missed", 0), ("wrong", 0), ("mistake", 1), ("right", None), ("missed", None), ("all", 2)])
def test_instances_are_found_by_label_and_kind_of_mistake(page: Any, kind: str, label: int | None) -> None:
    targets, scores = random_problem(70, 6)
    runs = page.execute_script("return document.querySelectorAll('#settings details').length")
    columns = range(6) if label is None else [label]

    def fits(row: int, shift: float) -> bool:
        truth, given = targets[row], scores[row] - np.float32(shift) > 0
        missed, wrong = (any(part[column] for column in columns) for part in (truth & ~given, given & ~truth))
        concerns = label is None or truth[label] or given[label]
        return {"missed": missed, "wrong": wrong, "mistake": missed or wrong, "right": (truth == given).all(), "all": concerns}[kind]

    choose(page, "#instances", "Label", "" if label is None else str(label))
    choose(page, "#instances", "Kind", kind)
    together = all if kind == "right" else any
    assert number_found(page) == sum(together(fits(row, shift) for shift in (0, 0.8)[:runs]) for row in range(70))


def test_marks_say_what_is_right_and_wrong(driver: Any, reports: dict[str, Path]) -> None:
    targets, scores = random_problem(70, 6)
    driver.get(reports["one"].as_uri())
    for kind, wanted in {"hit": targets & (scores > 0), "missed": targets & (scores <= 0), "wrong": ~targets & (scores > 0)}.items():
        shown = driver.execute_script(
            "const named = (one) => [...one.querySelectorAll(arguments[0])].map((chip) => chip.textContent);"
            "return [...document.querySelectorAll('.instance')].map(named)",
            f".chip.{kind} bdi",
        )
        assert [sorted(names) for names in shown] == [sorted(NAMES[i] for i in np.flatnonzero(row)) for row in wanted[:20]]


def test_instances_on_which_runs_differ(driver: Any, reports: dict[str, Path]) -> None:
    _, scores = random_problem(70, 6)
    driver.get(reports["two"].as_uri())
    choose(driver, "#instances", "Run", "differ")
    assert number_found(driver) == ((scores > 0) != (scores - np.float32(0.8) > 0)).any(axis=1).sum()


def test_a_decoder_shows_its_order_and_where_it_looked(driver: Any, tmp_path: Path) -> None:
    targets, scores = random_problem(12, 6)
    sequences = [np.flatnonzero(row > 0)[::-1].tolist() for row in scores]
    row = max(range(12), key=lambda one: len(sequences[one]))
    weights = np.eye(7)[: len(sequences[row])].tolist()
    kept = {f"n{row}": {"words": ["one", "two", "<b>three</b>", "four", "five", "six", "seven"], "weights": weights}}
    emitting = make_run(tmp_path / "a", targets, scores, names=NAMES, sequences=sequences, attention=kept)
    driver.get(write_report([emitting], tmp_path / "emitting.html").as_uri())
    choose(driver, "#instances", "Kind", "attended")
    assert texts(driver, ".instance .id") == [f"n{row}"]
    emitted = [NAMES[label] for label in sequences[row]]
    assert texts(driver, ".chip.hit bdi, .chip.wrong bdi") == emitted
    assert [text.strip("\u00a0") for text in texts(driver, ".chip .place")] == [f"{i}." for i in range(1, len(emitted) + 1)]
    driver.execute_script("document.querySelector('.looks').open = true")
    settled(driver)
    shades = "return [...document.querySelectorAll('.looked')].map((one) => one.style.getPropertyValue('--look'))"
    for step, name in enumerate(emitted):
        driver.execute_script("document.querySelectorAll('.look')[arguments[0]].click()", step)
        assert texts(driver, '.look[aria-pressed="true"]') == [f"{step + 1}. {name}"]
        assert driver.execute_script(shades) == ["100%" if word == step else "0%" for word in range(7)]
    assert texts(driver, ".looked")[2] == "<b>three</b>"


def test_a_picture_is_lit_where_a_label_looked(driver: Any, tmp_path: Path) -> None:
    targets, scores = random_problem(4, 6)
    dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    kept = {"n1": {"grid": [2, 3], "labels": [4, 0], "weights": [[0, 0, 0.5, 0, 0.25, 0], [0.5, 0, 0, 0, 0, 0]]}}
    run = make_run(tmp_path / "a", targets, scores, names=NAMES, attention=kept, excerpts=[dot] * 4)
    driver.get(write_report([run], tmp_path / "lit.html").as_uri())
    choose(driver, "#instances", "Kind", "attended")
    assert texts(driver, ".instance .id") == ["n1"]
    driver.execute_script("document.querySelector('.looks').open = true")
    settled(driver)
    darkness = "return [...document.querySelectorAll('.lit .cells i')].map((one) => Number(one.style.opacity))"
    assert texts(driver, ".look") == [NAMES[4], NAMES[0]]
    assert driver.execute_script(darkness) == pytest.approx([0.85, 0.85, 0, 0.85, 0.425, 0.85], abs=0.006)
    driver.execute_script("document.querySelectorAll('.look')[1].click()")
    assert driver.execute_script(darkness) == [0, 0.85, 0.85, 0.85, 0.85, 0.85]


def picture(width: int, height: int, turned: int | None = None) -> bytes:
    """A PNG, or a JPEG that says how it is to be turned before it is shown."""
    file, image = io.BytesIO(), Image.new("RGB", (width, height), "teal")
    exif = Image.Exif()
    if turned is not None:
        exif[0x0112] = turned
    image.save(file, format="PNG" if turned is None else "JPEG", exif=exif)
    return file.getvalue()


SHAPES = {"portrait": (40, 96), "landscape": (96, 30), "square": (64, 64), "tiny": (12, 8), "turned": (90, 40)}


@pytest.fixture(scope="module")
def lit_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lit")
    targets, scores = random_problem(len(SHAPES), 6)
    kept = {name: {"grid": [2, 3], "labels": [4, 0], "weights": [[0, 0, 0.5, 0, 0.25, 0], [0.5, 0, 0, 0, 0, 0]]} for name in SHAPES}
    shown = [picture(*size, turned=6 if name == "turned" else None) for name, size in SHAPES.items()]
    run = make_run(folder / "a", targets, scores, names=NAMES, ids=list(SHAPES), attention=kept, excerpts=shown)
    return write_report([run], folder / "lit.html")


@pytest.mark.parametrize("width", [1200, 768, 390])
@pytest.mark.parametrize("shape", SHAPES)
def test_cells_lie_on_the_parts_of_the_picture_that_they_judge(driver: Any, lit_report: Path, shape: str, width: int) -> None:
    """Every cell of the 2 x 3 grid covers a sixth of the picture, which is shown whole, undistorted and not turned."""
    resize(driver, width)
    driver.get(lit_report.as_uri())
    write(driver, "instance-search", shape)
    driver.execute_script("document.querySelector('.looks').open = true")
    settled(driver)
    boxes = """const box = (node) => { const one = node.getBoundingClientRect(); return [one.left, one.top, one.width, one.height]; };
        return ['.looks img', '.looks .cells i'].map((name) => [...document.querySelectorAll(name)].map(box))"""
    ((left, top, wide, high),), cells = driver.execute_script(boxes)
    expected = [[left + column * wide / 3, top + row * high / 2, wide / 3, high / 2] for row in (0, 1) for column in (0, 1, 2)]
    np.testing.assert_allclose(cells, expected, atol=0.6)
    pixels_wide, pixels_high = SHAPES[shape]
    assert wide / high == pytest.approx(pixels_wide / pixels_high, rel=0.02)
    assert left >= 0
    assert left + wide <= width
    assert max(wide, high) == pytest.approx(280, abs=1)  # its longer side, so that a tall picture does not fill the screen
    thumbnail = driver.execute_script(
        "const { width, height } = getComputedStyle(document.querySelector('.instance > img')); return [width, height]"
    )
    assert thumbnail == (["112px", "112px"] if width > 620 else ["84px", "84px"])


def test_reliability_before_and_after_calibration(driver: Any, reports: dict[str, Path]) -> None:
    targets, scores = random_problem(70, 6)
    expected = []
    for logits in (3 * scores, scores):
        probabilities = 1 / (1 + np.exp(-logits))
        place = np.minimum((probabilities * 15).astype(int), 14)
        expected.append(sum(abs((targets - probabilities)[place == b].sum()) for b in range(15)) / targets.size)
    driver.get(reports["one"].as_uri())
    assert texts(driver, "#calibration-errors td") == [f"{value:.4f}" for value in expected]
    assert texts(driver, "#reliability .legend li") == ["exactly as promised", "first, before calibration", "first"]
    settled(driver)
    assert driver.execute_script("return document.querySelectorAll('#reliability svg path').length") == 3
    driver.get(reports["two"].as_uri())
    of_first, of_second = texts(driver, "#calibration-errors td:nth-child(2)")
    assert of_first == f"{expected[0]:.4f}"
    assert not of_second.strip("\u2013")  # it was not calibrated
    choose(driver, "#reliability", "Frequency", "tail")
    assert texts(driver, "#calibration-errors td:nth-child(2)")[0] != of_first


def test_a_label_leads_to_its_instances(page: Any) -> None:
    page.execute_script("document.querySelector('#label-table td .link').click()")
    settled(page)
    top = page.execute_script("return document.getElementById('instances').getBoundingClientRect().top")
    assert abs(top) < 200
    assert number_found(page) < 70


def test_keys_are_enough(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.querySelector('#label-table th[data-key=\"support\"] button').focus()")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert texts(page, '#label-table th[aria-sort="descending"]') == ["In test"]
    assert page.execute_script("return document.activeElement.closest('th').dataset.key") == "support"


def test_dark_follows_the_system_and_the_button(page: Any) -> None:
    def paper() -> str:
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = paper()
    media(page, "dark")
    settled(page)
    dark = paper()
    assert dark != light
    page.execute_script("document.getElementById('theme').click()")
    assert paper() == light
    page.refresh()
    assert paper() == light


@pytest.mark.parametrize("width", [375, 768])
def test_it_fits_a_phone(page: Any, width: int) -> None:
    resize(page, width)
    settled(page)
    assert page.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]") == [width, width]
