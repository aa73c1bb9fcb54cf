"""What the documents and examples show is run as it stands, in a folder that holds the example's train.csv and new.csv."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]


check = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "check.py")))
tickets = SimpleNamespace(**runpy.run_path(str(ROOT / "examples" / "tickets.py")))
WITH_PYTHON = [path for path in check.DOCUMENTS if check.snippets(path, "python")]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, as the reader of a document has it."""
    tickets.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("document", check.DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve_and_commands_parse(document: Path) -> None:
    assert [*check.broken_links(document), *check.broken_commands(document)] == []


def test_the_table_of_components_is_what_the_code_says() -> None:
    assert check.COMPONENTS.read_text() == check.components_table(), "run `make docs`"


@pytest.mark.parametrize("document", WITH_PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_snippets_run(document: Path, desk: Path) -> None:
    program = "\n\n".join(check.snippets(document, "python"))
    finished = subprocess.run([sys.executable, "-c", program], cwd=desk, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-2000:]


def test_own_loss_example_learns(desk: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "examples")}
    finished = subprocess.run(
        [sys.executable, ROOT / "examples" / "own_loss.py"], cwd=desk, env=environment, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert float(finished.stdout.split()[-1]) > 0.9


def test_broken_links_and_commands_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[a](#a-heading) [b](#nothing) [c](missing.md)\n```bash\nmultihot train x.csv --txet body\nmultihot trian\n```\n"
    )
    assert [finding.split(":")[0] for finding in check.broken_links(page)] == ["link to #nothing", "link to missing.md"]
    assert len(list(check.broken_commands(page))) == 2
