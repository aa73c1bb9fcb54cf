"""Seconds of `multihot compare` over 20 run folders of 3,000 test instances and 90 labels, with intervals and paired tests.

    python benchmarks/compare.py --runs 20 --rows 3000 --labels 90 --out compare.json

The folders are made first, with invented predictions; the command then runs as a newcomer types it, in a fresh process. The shortest of
``--repeat`` runs counts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from yardsticks.measuring import finish, read_options, seconds_of

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "experiments"))
from made_runs import write_run

LIMIT = 5.0  # seconds
SEEDS = 4


def make(place: Path, runs: int, rows: int, labels: int) -> None:
    """Methods with four seeds each, all on the same test instances."""
    for number in range(runs):
        method, seed = divmod(number, SEEDS)
        parts = {"name": "br", "loss": {"name": "zlpr"}, "scorer": {"name": "binary_relevance", "hidden_size": 32 + method}}
        write_run(place / f"method{method}" / str(seed), parts, seed, rows=rows, labels=labels, noise=0.1 + 0.02 * method)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--labels", type=int, default=90)
    parser.add_argument("--repeat", type=int, default=3)
    options = read_options(parser, runs=4, rows=200, labels=10, repeat=1)
    seconds: dict[str, list[float]] = {"compare": [], "compare with tests": [], "multihot --help": []}
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.runs, options.rows, options.labels)
        command = [sys.executable, "-m", "multihot.cli"]
        cases = {
            "compare": ["compare", folder],
            "compare with tests": ["compare", folder, "--baseline", "method0"],
            "multihot --help": ["--help"],
        }
        for _ in range(options.repeat):
            for name, words in cases.items():
                work = partial(subprocess.run, [*command, *words], check=True, capture_output=True)
                seconds[name].append(seconds_of(work))
    found = {name: min(values) for name, values in seconds.items()}
    for name, value in found.items():
        print(f"{name}: {value:.2f} s")
    missed = [f"{name} in {LIMIT} s" for name in ("compare", "compare with tests") if found[name] > LIMIT]
    return finish(options, {"seconds": found, "limit": LIMIT}, missed)


if __name__ == "__main__":
    sys.exit(main())
