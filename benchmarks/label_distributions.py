"""The six measures of the classical learners of label distributions, by ten-fold cross-validation.

    python benchmarks/label_distributions.py Yeast_alpha.zip SBU_3DFE.zip --out distributions.json

Files as the format ``ldl-mat`` reads them; those of the data sets at hand if none is named. Features are standardised on each fold's
training rows, folds are drawn once from a seed; means and standard deviations over the folds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from yardsticks.measuring import data_folder, finish, read_options, skip

from multihot.classical.features import TableFeatures
from multihot.components import build
from multihot.data import load
from multihot.metrics.label_distributions import each_instance

LEARNERS = ("sa_bfgs", "aa_knn")
SLOW = {"Movie", "FG-Net"}  # minutes a fold, so that they are only measured where they are named


def cross_validate(path: Path, name: str, folds: int, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Measure one learner on one table: measure -> mean and standard deviation over the folds."""
    data = load(path, format="ldl-mat", distribution="degrees")
    rows, degrees = data.split("train"), data.targets("train", data.label_space())[0].toarray()
    parts = np.array_split(np.random.default_rng(seed).permutation(len(rows)), folds)
    found, began = [], time.perf_counter()
    for part in parts:
        kept = np.setdiff1d(np.arange(len(rows)), part)
        features = TableFeatures()
        learner = build("classical", {"name": name, **settings}).fit(features.fit_transform(rows.select(kept)), degrees[kept])
        predicted = learner.degrees(features.transform(rows.select(part)))
        found.append({measure: float(values.mean()) for measure, values in each_instance(degrees[part], predicted).items()})
    summary = {measure: (np.mean([fold[measure] for fold in found]), np.std([fold[measure] for fold in found])) for measure in found[0]}
    return {measure: [round(float(value), 4) for value in pair] for measure, pair in summary.items()} | {
        "seconds_a_fold": round((time.perf_counter() - began) / folds, 2)
    }


def main() -> int:
    """Print a line a table and learner."""
    parser = argparse.ArgumentParser(description=__doc__)
    folder = data_folder("ldl")
    at_hand = [] if folder is None else sorted(path for path in folder.glob("*.zip") if path.stem not in SLOW)
    parser.add_argument("tables", nargs="*", type=Path, default=at_hand)
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=LEARNERS)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", type=json.loads, default={}, help="arguments of the learners, such as '{\"l2\": 0.01}'")
    given = read_options(parser, tables=at_hand[-1:], folds=2)
    if not given.tables:
        return skip(given, "the folder ldl of the data sets; set MULTIHOT_DATA, or name tables")
    results: dict[str, dict[str, Any]] = {}
    for path in given.tables:
        for name in given.learners:
            results.setdefault(path.stem, {})[name] = cross_validate(path, name, given.folds, given.seed, given.settings)
            print(path.stem, name, json.dumps(results[path.stem][name]), flush=True)
    return finish(given, results)


if __name__ == "__main__":
    sys.exit(main())
