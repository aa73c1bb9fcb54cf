"""What the documents and examples show is run as it stands, in a folder that holds the example's train.csv and new.csv."""

import os
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from multihot.cli import app

ROOT = Path(__file__).parents[1]


check = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "check.py")))
tickets = SimpleNamespace(**runpy.run_path(str(ROOT / "examples" / "tickets.py")))


def python_of(document: Path) -> str:
    return "\n\n".join(check.snippets(document, "python"))


def shell_of(document: Path) -> str:
    """What of a document's shell snippets is run."""
    return "\n".join(code for code, reason in check.shell_snippets(document) if not reason)


WITH_SNIPPETS = [path for path in check.DOCUMENTS if (python_of(path) + shell_of(path)).strip()]


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
    for path, write in check.WRITTEN.items():
        assert path.read_text() == write(), "run `make docs`"


@pytest.mark.parametrize("document", WITH_SNIPPETS, ids=lambda path: str(path.relative_to(ROOT)))
def test_snippets_run_python_first(document: Path, desk: Path) -> None:
    exec(compile(python_of(document), str(document), "exec"), {"__name__": "__main__"})
    for command in check.commands_of(shell_of(document)):
        words = shlex.split(command, comments=True)
        if words[:1] == ["multihot"]:  # in this process, as Python above: starting PyTorch each time would take minutes
            result = CliRunner().invoke(app, words[1:])
            assert result.exit_code == 0, f"{command}: {result.output[-2000:]}"
        else:
            run(["bash", "-euo", "pipefail", "-c", command])


def run(words: list[str]) -> None:
    """Run a program that has to end well, with the commands of this environment."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    finished = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-2000:]


def test_what_is_not_run_says_why() -> None:
    reasons = [reason for path in check.DOCUMENTS for _, reason in check.shell_snippets(path) if reason]
    assert all(len(reason) > 10 for reason in reasons)
    guides = [path for path in check.DOCUMENTS if path.parent.name == "guides"]
    assert [path.name for path in guides if not (python_of(path) + shell_of(path)).strip()] == []


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
        "# A heading\n[a](#a-heading) [b](#nothing) [c](missing.md)\n"
        "<!-- not run: takes long -->\n```bash\nA=1 multihot train x.csv --txet body\n```\n"
        "```bash\ncat <<'END'\nit's no command\nmultihot trian\nEND\nmultihot trian\n```\n"
    )
    assert [finding.split(":")[0] for finding in check.broken_links(page)] == ["link to #nothing", "link to missing.md"]
    assert len(list(check.broken_commands(page))) == 2
    assert [reason for _, reason in check.shell_snippets(page)] == ["takes long", ""]
