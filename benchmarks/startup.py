"""How long a cold start takes: ``import multihot`` and ``multihot --help``, beside a Python that does nothing.

    python benchmarks/startup.py --runs 7 --out startup.json

Every figure is the median over fresh processes, the wall time that a user waits; ratios are to ``python -c pass`` in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

from yardsticks.measuring import finish, read_options, seconds_of

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import numpy": [sys.executable, "-c", "import numpy"],
    "import multihot": [sys.executable, "-c", "import multihot"],
    "multihot --help": [sys.executable, "-c", "from multihot.cli import main; main()", "--help"],
    "multihot train --help": [sys.executable, "-c", "from multihot.cli import main; main()", "train", "--help"],
}
LIMITS = {"import multihot": 0.5, "multihot --help": 1.0}  # seconds


def seconds(command: list[str]) -> float:
    """Wall time of one fresh process."""
    return seconds_of(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL))


def measure(runs: int) -> dict[str, dict[str, float]]:
    """Median, smallest and largest seconds of each command, and the ratio of the medians to that of the first command."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    floor = statistics.median(times["python -c pass"])
    return {
        name: {"median_s": (median := statistics.median(found)), "min_s": min(found), "max_s": max(found), "ratio": median / floor}
        for name, found in times.items()
    }


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="fresh processes a command")
    options = read_options(parser, runs=1)
    figures = measure(options.runs)
    print(f"{'command':<24}{'median s':>10}{'min s':>10}{'max s':>10}{'x pass':>10}{'limit s':>10}")
    for name, row in figures.items():
        limit = f"{LIMITS[name]:.1f}" if name in LIMITS else ""
        print(f"{name:<24}{row['median_s']:>10.3f}{row['min_s']:>10.3f}{row['max_s']:>10.3f}{row['ratio']:>10.1f}{limit:>10}")
    missed = [f"{name} in {limit} s" for name, limit in LIMITS.items() if figures[name]["median_s"] > limit]
    return finish(options, {"seconds": figures, "limits": LIMITS}, missed)


if __name__ == "__main__":
    sys.exit(main())
