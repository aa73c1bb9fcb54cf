"""Take the pictures of the documentation from real reports and from its own site, in a headless Chromium.

``python docs/pictures/make_pictures.py --single RUN --compare RUN RUN --site site`` writes report-*.png and docs-*.png beside this file,
or those for which something is given; ``make docs`` makes the site. It needs selenium, Debian's
``chromium`` and ``chromium-driver``. The runs of the pictures that are in the repository:

``multihot train reuters21578 --method linear-svm --seed 1 --out runs/reuters-svm`` alone, and, compared,
``multihot train digit-scenes --set training.epochs=3 --seed 1 --out runs/digits-br`` and
``multihot train digit-scenes --method linear-svm --seed 1 --out runs/digits-svm``.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage",
)  # fmt: skip
MOST_COLOURS = 256


@contextmanager
def browser(width: int, height: int) -> Iterator[Any]:
    """A headless Chromium with nothing of its own; width and height in CSS pixels, also below the window's least width."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    profile = tempfile.mkdtemp()
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def take(report: Path, out: Path, *, width: int = 1240, height: int = 860, dark: bool = False, at: str = "top") -> None:
    """One picture of a report, scrolled to a section."""
    with browser(width, height) as driver:
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        driver.get(report.resolve().as_uri())
        driver.execute_script(
            "document.documentElement.style.scrollBehavior = 'auto'; document.getElementById(arguments[0])?.scrollIntoView()", at
        )
        driver.execute_async_script("setTimeout(arguments[0], 600)")
        save(driver.get_screenshot_as_png(), out)


def save(png: bytes, out: Path) -> None:
    """Write a picture with few colours, which is what keeps it small."""
    from PIL import Image

    Image.open(io.BytesIO(png)).convert("RGB").quantize(MOST_COLOURS).save(out, optimize=True)


def main() -> None:
    """Write the reports aside and take their pictures."""
    from multihot.report import write_report

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--single", help="the run whose report is shown alone")
    parser.add_argument("--compare", nargs="+", help="the runs that are compared")
    parser.add_argument("--site", type=Path, help="the built documentation")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the pictures go")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        if given.single:
            single = write_report([given.single], Path(aside) / "single.html")
            take(single, given.out / "report-desktop.png")
            take(single, given.out / "report-labels.png", at="labels")
            take(single, given.out / "report-thresholds.png", at="curves")
            take(single, given.out / "report-phone.png", width=375, height=812)
        if given.compare:
            compared = write_report(given.compare, Path(aside) / "compared.html")
            take(compared, given.out / "report-comparison.png")
            take(compared, given.out / "report-instances.png", at="instances")
            take(compared, given.out / "report-dark.png", at="breakdowns", dark=True)
    if given.site:
        take(given.site / "index.html", given.out / "docs-start.png")
        take(given.site / "methods" / "binary-relevance.html", given.out / "docs-method.png", dark=True)


if __name__ == "__main__":
    main()
