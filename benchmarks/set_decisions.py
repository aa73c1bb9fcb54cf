"""What a decision over whole label sets is worth: linear methods, each trained once and read in several ways.

``python benchmarks/set_decisions.py`` prints a table a data set: the classifier's own rule, the same but never empty, the nearest label
set of the training split, the decision whose settings are fitted for each measure on scores of training rows, out of fold, and after a
calibration those of the highest expected utility. It then times the decisions on made-up scores of ever more labels and label sets. Data
that is not at hand is left out, with a word.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import sparse
from yardsticks.measuring import data_folder, finish, read_options

import multihot
from multihot.calibration import ExpectedUtilityDecision, SubsetCorrectionDecision
from multihot.data import load
from multihot.experiments import override
from multihot.experiments.config import Config
from multihot.experiments.redecode import redecode
from multihot.interfaces import Decision
from multihot.labels import LabelStatistics

DATA = ("reuters21578", "goemotions", "mulan/yeast", "mulan/scene", "mulan/bibtex", "mulan/corel5k", "mulan/cal500")
PLATT = "method.calibration=platt"
DECISIONS: dict[str, dict[str, Any]] = {
    "own rule": {"name": "own_rule", "at_least": 0},
    "never empty": {"name": "own_rule", "at_least": 1},
    "nearest set": {"name": "subset_correction", "offset": 0, "weight": 0, "penalty": 1e9},
    "fitted, subset accuracy": {"name": "subset_correction", "measure": "subset_accuracy"},
    "fitted, example F1": {"name": "subset_correction", "measure": "example_f1"},
    "fitted, micro-F1": {"name": "subset_correction", "measure": "micro_f1"},
    "Platt, expected F1": {"name": "expected_f1"},
    "Platt, expected utility, example F1": {"name": "expected_utility", "measure": "example_f1"},
    "Platt, expected utility, subset accuracy": {"name": "expected_utility", "measure": "subset_accuracy"},
}
MEASURES = ("micro_f1", "macro_f1_harmonic", "example_f1", "subset_accuracy")


def read_every_way(name: str, method: str, source: Path, place: Path) -> dict[str, dict[str, float]]:
    """Test measures of one linear method under every decision."""
    data = load(name, from_path=source)
    run = multihot.fit(data, method=method, out=place / "run")
    found = {}
    for number, (title, decision) in enumerate(DECISIONS.items()):
        settings = [f"method.decision.{key}={value}" for key, value in decision.items()]
        settings += [PLATT] if title.startswith("Platt") else []
        config = Config.from_dict(override(run.config.to_dict() | {"method": {"name": method}}, settings))
        began = time.perf_counter()
        read = redecode(run, config, place / str(number), data)
        found[title] = {measure: read.metrics["test"][measure] for measure in MEASURES} | {"seconds": time.perf_counter() - began}
    return found


def seconds_a_row(labels: int, sets: int, rows: int, sizes: float = 5.0) -> dict[str, float]:
    """Seconds that each decision takes a row, with the best 100 scores of each row as a sparse matrix."""
    draw = np.random.default_rng(0)
    statistics = LabelStatistics.from_targets(sparse.random_array((sets, labels), density=sizes / labels, rng=draw, format="csr") > 0)
    columns = np.sort(draw.permuted(np.tile(np.arange(labels), (rows, 1)), axis=1)[:, : min(100, labels)], axis=1)
    ends = np.arange(rows + 1) * columns.shape[1]
    scores = sparse.csr_matrix((draw.normal(size=columns.size) - 1, columns.ravel(), ends), shape=(rows, labels))
    decisions: dict[str, Decision] = {
        "subset correction": SubsetCorrectionDecision(statistics, offset=0.0, weight=0.1, penalty=1.0),
        "expected utility": ExpectedUtilityDecision(statistics, weight=0.5),
    }
    found = {}
    for title, decision in decisions.items():
        began = time.perf_counter()
        decision(scores)
        found[title] = (time.perf_counter() - began) / rows
    return found


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", default="linear-svm", help="linear-svm or logistic")
    parser.add_argument("--data", nargs="+", default=list(DATA), help="by name")
    parser.add_argument("--from-path", type=Path, default=data_folder(), help="the folder that holds copies of the data")
    parser.add_argument("--rows", type=int, default=2000, help="of made-up scores")
    parser.add_argument(
        "--sets",
        type=int,
        nargs="+",
        default=[1_000, 10_000, 100_000],
        help="label sets of made-up scores, over a tenth of that many labels",
    )
    given = read_options(parser, data=["mulan/emotions"], rows=20, sets=[1000])
    figures: dict[str, Any] = {}
    for name in given.data if given.from_path is not None else ():
        with tempfile.TemporaryDirectory() as place:
            figures[name] = read_every_way(name, given.method, given.from_path, Path(place))
        table = Table(name, *MEASURES, "seconds")
        for title, found in figures[name].items():
            table.add_row(title, *(f"{found[measure]:.4f}" for measure in MEASURES), f"{found['seconds']:.1f}")
        Console(width=120).print(table)
    if given.from_path is None:
        print("the data sets are left out; set MULTIHOT_DATA, or name their folder with --from-path")
    for sets in given.sets:
        took = seconds_a_row(sets // 10, sets, given.rows)
        figures[f"{sets} label sets"] = {"seconds_a_row": took}
        each = ", ".join(f"{title} {1000 * seconds:.3f} ms a row" for title, seconds in took.items())
        print(f"{sets:9,d} label sets of {sets // 10:7,d} labels: {each}")
    return finish(given, figures)


if __name__ == "__main__":
    sys.exit(main())
