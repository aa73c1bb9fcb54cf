"""The page of cases says what this version does with each of them."""

import runpy
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "cases.md"


def test_every_case_ends_as_the_page_says() -> None:
    cases = runpy.run_path(str(PAGE.with_suffix(".py")))
    assert cases["page"]() == PAGE.read_text(encoding="utf-8"), "run `python docs/cases.py --write` and look at every case"
