"""The benchmarks' runner: one that breaks keeps no other from running, and the exit status says so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
FRAME = f"""
import argparse, sys
sys.path.insert(0, {str(BENCHMARKS)!r})
from yardsticks.measuring import finish, read_options, skip
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=1000)
options = read_options(parser, size=3)
"""
PROGRAMS = {
    "a_broken": "raise SystemExit('out of order')",
    "b_lacking": "sys.exit(skip(options, 'a data set'))",
    "c_slow": "sys.exit(finish(options, {'size': options.size}, ['c in 1 s']))",
}


def run(folder: Path, *flags: str) -> tuple[int, dict[str, str]]:
    """Exit status, and how each benchmark ended."""
    command = [sys.executable, str(BENCHMARKS), "--folder", str(folder), "--out", str(folder / "out"), *flags]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    return finished.returncode, dict(re.findall(r"^\| (\w+) \| [\d.]+ \| (.*) \|$", finished.stdout, re.MULTILINE))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, program in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(FRAME + program + "\n")
    return tmp_path


def test_one_that_breaks_keeps_no_other_from_running(folder: Path) -> None:
    status, ends = run(folder)
    assert status == 1
    assert ends == {
        "a_broken": "FAILED, exit status 1, no figures written",
        "b_lacking": "skipped: a data set",
        "c_slow": "limits missed: c in 1 s",
    }
    written = json.loads((folder / "out" / "c_slow.json").read_text())
    assert written["figures"] == {"size": 1000}
    assert written["settings"] == {"size": 1000}
    assert written["machine"]["processor"]


def test_a_missed_limit_fails_where_asked_for_and_the_quick_form_judges_none(folder: Path) -> None:
    (folder / "a_broken.py").unlink()
    assert run(folder)[0] == 0
    status, ends = run(folder, "--strict")
    assert (status, ends["c_slow"]) == (1, "FAILED, exit status 1; limits missed: c in 1 s")
    status, ends = run(folder, "--strict", "--quick")
    assert (status, ends["c_slow"]) == (0, "done")
    assert json.loads((folder / "out" / "c_slow.json").read_text())["figures"] == {"size": 3}


def test_old_figures_do_not_hide_a_failure(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "a_broken.json").write_text('{"missed": []}')
    status, ends = run(folder)
    assert (status, ends["a_broken"]) == (1, "FAILED, exit status 1, no figures written")
