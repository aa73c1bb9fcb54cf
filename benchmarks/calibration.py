"""Calibration errors and conformal recall on the test split of runs that were trained with a calibration.

``python benchmarks/calibration.py RUN [RUN ...]`` prints the tables of docs/calibration.md and docs/decisions.md. Everything is fitted on
the validation scores that the run kept from before its calibration; the halvings take both parts from its test split. Where no run is
named, those of docs/calibration.md are trained first, in two minutes, if their data are at hand; ``--quick`` takes made-up scores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from yardsticks.measuring import data_folder, finish, read_options, skip

import multihot
from multihot.components import build
from multihot.metrics import evaluate, reliability, to_probabilities

CALIBRATIONS = ("temperature", "platt", "isotonic")
DECISIONS = ("own_rule", "global", "per_label", "proportional", "cardinality", "expected_f1", "conformal")
MEASURES = ("micro_f1", "macro_f1", "example_f1", "example_recall", "hamming_accuracy", "chosen_cardinality")
RECIPES = ("mulan/yeast/multihot-zlpr-quick", "mulan/yeast/multihot-br-quick", "mulan/emotions/multihot-br-quick")

Split = tuple[np.ndarray, np.ndarray]  # scores and targets, (N, L) each


def recall_of(targets: np.ndarray, chosen: np.ndarray) -> float:
    """Mean recall over instances, 1 for an instance without labels."""
    sizes = targets.sum(axis=1)
    return float(np.where(sizes > 0, (targets & chosen).sum(axis=1) / np.maximum(sizes, 1), 1).mean())


def calibrations(validation: Split, test: Split) -> Table:
    """Calibration error of all labels pooled, mean of the labels' own, and mAP."""
    table = Table("calibration", "pooled error", "per label", "mAP")
    for name in (None, *CALIBRATIONS):
        scores = build("calibration", name).fit(*validation)(test[0]) if name else test[0]
        found = reliability(test[1], to_probabilities(scores))
        figures = (found.error(), float(np.nanmean(found.error_per_label())), evaluate(test[1], scores > 0, scores)["map"])
        table.add_row(name or "none", *(f"{figure:.3f}" for figure in figures))
    return table


def decisions(validation: Split, test: Split, calibration: str | None) -> Table:
    """Measures of every decision, after a calibration or without one."""
    if calibration:
        fitted = build("calibration", calibration).fit(*validation)
        validation, test = (fitted(validation[0]), validation[1]), (fitted(test[0]), test[1])
    table = Table(f"decision, calibration {calibration or 'none'}", *MEASURES)
    for name in DECISIONS:
        found = evaluate(test[1], build("decision", name).fit(*validation)(test[0]))
        table.add_row(name, *(f"{found[measure]:.3f}" for measure in MEASURES))
    return table


def promises(validation: Split, test: Split, halvings: int) -> Table:
    """Recall promised and reached: with the threshold of the validation split, and over random halvings of the test split."""
    table = Table("promised", "test recall", "labels chosen", "mean of halvings", "halvings below")
    scores, targets = test
    for recall in (0.8, 0.9, 0.95):
        chosen = build("decision", {"name": "conformal", "recall": recall}).fit(*validation)(scores)
        random, reached = np.random.default_rng(0), []
        for _ in range(halvings):
            half, rest = np.split(random.permutation(len(targets)), [len(targets) // 2])
            decision = build("decision", {"name": "conformal", "recall": recall}).fit(scores[half], targets[half])
            reached.append(recall_of(targets[rest], decision(scores[rest])))
        below = np.mean(np.array(reached) < recall)
        table.add_row(
            f"{recall}", f"{recall_of(targets, chosen):.3f}", f"{chosen.sum(axis=1).mean():.1f}", f"{np.mean(reached):.4f}", f"{below:.0%}"
        )
    return table


def train_documented(place: Path) -> list[Path]:
    """The runs of docs/calibration.md."""
    folders = []
    for recipe in RECIPES:
        folders.append(place / recipe.replace("/", "-"))
        words = ["--set", "data.validation=0.25", "--set", "method.calibration=platt", "--seed", "1", "--out", str(folders[-1])]
        subprocess.run([sys.executable, "-m", "multihot.cli", "train", recipe, *words], check=True, stdout=subprocess.DEVNULL)
    return folders


def splits_of(folder: Path) -> tuple[Split, Split]:
    """Validation and test split of a run, with the scores from before its calibration."""
    splits = [multihot.load(folder).prediction(split) for split in ("validation", "test")]
    if any(prediction.uncalibrated is None for prediction, _ in splits):
        raise SystemExit(f"{folder} was trained without a calibration; docs/calibration.md says how to make runs with one")
    validation, test = ((np.asarray(prediction.uncalibrated), targets.toarray()) for prediction, targets in splits)
    return validation, test


def made_up_splits() -> tuple[Split, Split]:
    """Targets drawn with known probabilities, and scores twice as sure as these."""
    random = np.random.default_rng(0)
    log_odds = random.normal(-0.5, 1.5, (400, 6))
    targets = random.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))
    return (2 * log_odds[:200], targets[:200]), (2 * log_odds[200:], targets[200:])


def tables_of(validation: Split, test: Split, halvings: int) -> list[Table]:
    """All tables of one run."""
    chosen = (decisions(validation, test, name) for name in (None, "platt"))
    return [calibrations(validation, test), *chosen, promises(validation, test, halvings)]


def main() -> int:
    """Print the tables of every run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="run folders with a calibration; docs/calibration.md says how to make them")
    parser.add_argument("--halvings", type=int, default=1000, help="random halvings of the test split")
    options = read_options(parser, halvings=20)
    if not options.runs and not options.quick and data_folder("mulan") is None:
        return skip(options, "runs with a calibration, and the folder mulan of the data sets to train them; name runs or set MULTIHOT_DATA")
    console, found = Console(width=140), {}
    with tempfile.TemporaryDirectory() as place:
        if options.quick and not options.runs:
            splits = {"made up": made_up_splits()}
        else:
            splits = {folder.name: splits_of(folder) for folder in options.runs or train_documented(Path(place))}
    for name, (validation, test) in splits.items():
        console.print(f"[bold]{name}[/bold]: {len(validation[1])} validation, {len(test[1])} test instances")
        tables = tables_of(validation, test, options.halvings)
        console.print(*tables, sep="\n")
        found[name] = [{str(column.header): list(column.cells) for column in table.columns} for table in tables]
    return finish(options, found)


if __name__ == "__main__":
    sys.exit(main())
