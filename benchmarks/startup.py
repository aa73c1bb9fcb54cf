"""How long a cold start takes: ``import multihot`` and ``multihot --help``, beside a Python that does nothing.

    python benchmarks/startup.py --runs 7 --out startup.json

Every figure is the median over fresh processes, the wall time that a user waits; ratios are to ``python -c pass`` in the same run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

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
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begin


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
    """Print the table, write it as JSON where asked to, and fail where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="fresh processes a command")
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    arguments = parser.parse_args()
    figures = measure(arguments.runs)
    print(f"{'command':<24}{'median s':>10}{'min s':>10}{'max s':>10}{'x pass':>10}{'limit s':>10}")
    for name, row in figures.items():
        limit = f"{LIMITS[name]:.1f}" if name in LIMITS else ""
        print(f"{name:<24}{row['median_s']:>10.3f}{row['min_s']:>10.3f}{row['max_s']:>10.3f}{row['ratio']:>10.1f}{limit:>10}")
    if arguments.out:
        arguments.out.write_text(json.dumps({"seconds": figures, "limits": LIMITS, "runs": arguments.runs}, indent=2) + "\n")
    missed = [name for name, limit in LIMITS.items() if figures[name]["median_s"] > limit]
    if missed:
        print(f"over the limit: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
