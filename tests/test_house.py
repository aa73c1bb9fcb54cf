"""The rules of the house: small files, plain names, imports that run downward, a quick start, tested versions."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tests", "benchmarks", "docs", "examples")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TEXTS = sorted(
    [
        *SOURCES,
        *(path for path in ROOT.glob("*.*") if path.is_file() and path.name != ".git"),  # a file in a linked worktree
        *(path for folder in FOLDERS for end in ("md", "yaml", "toml") for path in (ROOT / folder).rglob(f"*.{end}")),
    ]
)
HEAVY = {"torch", "lightning", "pytorch_lightning", "datasets", "sklearn", "scipy", "transformers", "pandas", "pyarrow", "matplotlib"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def calls_in(node: ast.AST) -> set[str]:
    return {ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_and_functions_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    long = {node.name: lines for node in functions(path) if (lines := node.end_lineno - node.lineno + 1) > 70}
    assert long == {}


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [name_of(path) for path in SOURCES if drawers & set(path.relative_to(ROOT).with_suffix("").parts)] == []


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name.startswith("test_")], ids=name_of)
def test_every_test_asserts_something(path: Path) -> None:
    def asserts(node: ast.AST, helpers: frozenset[str] = frozenset()) -> bool:
        called = {name.rpartition(".")[2] for name in calls_in(node)}
        has_assert = any(isinstance(part, ast.Assert) for part in ast.walk(node))
        return has_assert or bool(called & helpers) or any(name.startswith(("assert", "check", "raises", "gradcheck")) for name in called)

    helpers = frozenset(node.name for node in functions(path) if asserts(node))
    assert [node.name for node in functions(path) if node.name.startswith("test_") and not asserts(node, helpers)] == []


@pytest.mark.parametrize("path", [path for path in TEXTS if path != Path(__file__).resolve()], ids=name_of)
def test_no_words_of_one_machine(path: Path) -> None:
    text = re.sub(r'scope="session"', "", path.read_text())
    assert re.findall(r"(?i)/(?:work|tmp|home|root)/|\bsessions?\b|\bissues? #?\d+|\bTODO\b|\bFIXME\b", text) == []


def test_imports_run_downward() -> None:
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("module", ["multihot", "multihot.cli"])
def test_start_loads_nothing_heavy(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY & set(loaded) == set()


def test_help_loads_nothing_heavy() -> None:
    program = "import sys, multihot.cli\nsys.argv = ['multihot', '--help']\ntry: multihot.cli.main()\nfinally: print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.split()
    assert "multihot.cli" in loaded
    assert HEAVY & set(loaded) == set()


def test_every_requirement_has_one_tested_version_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {canonicalize_name(pin.name): str(pin.specifier) for pin in pinned}
    assert all(re.fullmatch(r"==[\w.]+", version) for version in versions.values())
    extras = project["optional-dependencies"]
    own = f"{project['name']}["  # extras that are listed beside it
    tested = (text for extra in ("dev", "transformers", "images", "audio") for text in extras[extra] if not text.startswith(own))
    for text in [*project["dependencies"], *tested]:
        requirement = Requirement(text)
        version = versions[canonicalize_name(requirement.name)].removeprefix("==")
        assert requirement.specifier.contains(version), f"{text}: constraints.txt has {version}"


def test_every_requirement_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    imported_as = {"scikit-learn": "sklearn", "pillow": "PIL", "pyyaml": "yaml"}
    imports = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imports |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imports.add(node.module.partition(".")[0])
    names = [Requirement(text).name for text in project["dependencies"]]
    assert [name for name in names if imported_as.get(name, name) not in imports] == []


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
