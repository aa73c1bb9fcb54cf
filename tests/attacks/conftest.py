"""What the attacks share: their size, their seed, small data, undisturbed runs, and the table at the end."""

from __future__ import annotations

import itertools
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.extend(str(Path(__file__).parents[1] / room) for room in ("experiments", "fuzz", "report"))
from commands import READING, Command, Forks
from rows import Row, collect, markdown, write
from small import small_rows, write_csv

SMALL = {
    "method.encoder": {"name": "text_bag", "width": 8},
    "training.epochs": 12,
    "training.batch_size": 8,
    "training.validate_every": "5 updates",
    "training.device": "cpu",
}
METHODS: dict[str, dict[str, Any]] = {
    "br": {},
    "br+wgan-gp": {"training.epochs": 6},
    "ocd-mtl": {"training.epochs": 6, "method.decoder": {"name": "recurrent", "hidden_size": 8, "embedding_size": 8, "attention_size": 8}},
}


OPTIONS: dict[str, dict[str, Any]] = {
    "--attack": {"choices": ["quick", "full"], "default": "quick", "help": "how much is tried: a few of each, or as much as was promised"},
    "--attack-seed": {"type": int, "default": 0, "help": "of every random moment, place and byte"},
    "--attack-out": {"type": Path, "default": None, "help": "a JSON file for the table with all faults"},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, given in OPTIONS.items():
        parser.getgroup("attacks").addoption(name, **given)


def option(config: pytest.Config, name: str) -> Any:
    """An option, or its default where pytest was started on the whole suite and does not know this folder's options."""
    return config.getoption(name, OPTIONS[name]["default"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = collect(itertools.chain.from_iterable(terminalreporter.stats.values()))
    if not rows:
        return
    form, seed = option(config, "--attack"), option(config, "--attack-seed")
    terminalreporter.section(f"attacks, {form} form, seed {seed}")
    terminalreporter.write_line(markdown(rows))
    for row in rows:
        for fault in row["faults"]:
            terminalreporter.write_line(f"NOT SURVIVED: {row['what']}: {fault}")
    if path := option(config, "--attack-out"):
        write(path, form, seed, rows)
        terminalreporter.write_line(f"all of it is in {path}")


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Callable[[str], Row]:
    """Opens a line of the table."""

    def opened(what: str) -> Row:
        made = Row(what)
        request.node.user_properties.append(("attack", made.content))
        return made

    return opened


@pytest.fixture(scope="session")
def size(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """``size(quick, full)``: how often something is tried."""
    full = option(request.config, "--attack") == "full"
    return lambda quick, whole: whole if full else quick


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers of the test, the same for the same seed."""
    return random.Random(f"{option(request.config, '--attack-seed')} {request.node.nodeid.rpartition('::')[2]}")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small data: ``train.csv``, ``new.csv`` without labels, ``more.csv`` with."""
    folder = tmp_path_factory.mktemp("attacked")
    write_csv(folder / "train.csv", small_rows(100))
    write_csv(folder / "new.csv", small_rows(8, seed=8), labelled=False)
    write_csv(folder / "more.csv", small_rows(20, seed=4))
    return folder


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Forks, Forks]]:
    both = tuple(Forks(tmp_path_factory.mktemp("said"), hash_seed) for hash_seed in (1, 2))
    yield both
    for one in both:
        one.close()


@pytest.fixture
def forks(_servers: tuple[Forks, Forks]) -> Forks:
    """Runs commands."""
    return _servers[0]


@pytest.fixture
def later(_servers: tuple[Forks, Forks]) -> Forks:
    """Runs commands in processes with another hash seed, as another day's are."""
    return _servers[1]


@pytest.fixture(scope="session")
def training(place: Path) -> Callable[..., Command]:
    """``training("br", out, "--seed", 3)``: the command that trains a small network."""

    def made(method: str, out: Path, *words: Any, **more: Any) -> Command:
        settings = {**SMALL, **METHODS[method]}
        typed = [word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")]
        asked = ["train", place / "train.csv", *READING, "--method", method, "--out", out, *typed, *words]
        return Command(tuple(map(str, asked)), folder=str(place), **more)

    return made


@pytest.fixture(scope="session")
def undisturbed(_servers: tuple[Forks, Forks], place: Path, training: Callable[..., Command]) -> Callable[..., tuple[Path, float]]:
    """``undisturbed("br", seed=0)``: the folder of a run that nothing happened to, and the seconds it took."""
    made: dict[tuple[str, int], tuple[Path, float]] = {}

    def run(method: str, seed: int = 0) -> tuple[Path, float]:
        if (method, seed) not in made:
            folder = place / f"whole-{method}-{seed}"
            [ended] = _servers[0].together(training(method, folder, "--seed", seed))
            assert ended.outcome == "done", ended.err
            made[method, seed] = folder, ended.seconds
        return made[method, seed]

    return run
