"""Classical baselines on Reuters-21578 R(90): how long training takes, and what it reaches.

The yardstick is scikit-learn's one-vs-rest linear SVM on the same features. TF-IDF is timed apart, for it is the same for all.
Published figures, measured on 2 cores: a plain one-vs-rest linear SVM trains in 0.8 s to micro-F1 0.8625, macro-F1 0.442, example F1
0.867, subset accuracy 0.810; LibMultiLabel, cost-sensitive for micro-F1, takes 21 s to 0.8705, 0.508, 0.893 and 0.8175.

Threads are the library's own business: run it in a plain shell, without OMP_NUM_THREADS. Where other programs run beside it, wall
time says little; the time of all cores together then says more.

    python benchmarks/linear.py --out linear.json --repeats 3
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC
from yardsticks.measuring import data_folder, finish, read_options, skip

from multihot.classical.predictor import build_classifier, build_features
from multihot.data import load
from multihot.metrics import evaluate

METHODS: dict[str, dict[str, Any]] = {
    "linear-svm": {"name": "linear-svm"},
    "linear-svm, cost-sensitive for micro-F1": {"name": "linear-svm", "cost_sensitive": "micro_f1"},
    "linear-svm, cost-sensitive for macro-F1": {"name": "linear-svm", "cost_sensitive": "macro_f1"},
    "logistic": {"name": "logistic"},
    "logistic, cost-sensitive for micro-F1": {"name": "logistic", "cost_sensitive": "micro_f1"},
    "classifier-chain": {"name": "classifier-chain"},
    "label-powerset": {"name": "label-powerset"},
}
YARDSTICK = "OneVsRestClassifier(LinearSVC()) of scikit-learn"
MEASURES = ("micro_f1", "macro_f1", "macro_f1_harmonic", "example_f1", "subset_accuracy", "hamming_accuracy")


def measure(methods: list[str], texts: int, repeats: int, seed: int, source: Path) -> dict[str, Any]:
    """Train methods on the first texts, and keep the fastest of some repeats."""
    data = load("reuters21578", from_path=source)
    space = data.label_space()
    parts = {split: data.split(split) for split in ("train", "test")}
    parts = {split: part.select(range(min(texts, part.num_rows))) for split, part in parts.items()}
    targets = {split: data.targets(split, space)[0][: part.num_rows] for split, part in parts.items()}
    maker = build_features({}, data.modality)
    began = time.perf_counter()
    train = maker.fit_transform(parts["train"])
    rows: dict[str, Any] = {"TF-IDF": {"seconds": time.perf_counter() - began}}
    test = maker.transform(parts["test"])
    yardstick, times = timed(lambda: OneVsRestClassifier(LinearSVC(random_state=seed)).fit(train, targets["train"]), repeats)
    margins = yardstick.decision_function(test)
    rows[YARDSTICK] = times | show(YARDSTICK, times, evaluate(targets["test"], margins > 0, margins))
    for name in methods:
        classifier, times = timed(partial(build_classifier(METHODS[name]).fit, train, targets["train"], seed), repeats)
        rows[name] = times | show(name, times, evaluate(targets["test"], classifier.chosen(test), classifier.scores(test)))
    return rows


def timed(fit: Callable[[], Any], repeats: int) -> tuple[Any, dict[str, float]]:
    """What a fit returns, and the fewest seconds of some repeats: of wall time, and of all cores together."""
    seconds, of_cores = [], []
    for _ in range(repeats):
        began, began_cores = time.perf_counter(), time.process_time()
        fitted = fit()
        seconds.append(time.perf_counter() - began)
        of_cores.append(time.process_time() - began_cores)
    return fitted, {"seconds": min(seconds), "core_seconds": min(of_cores)}


def show(name: str, times: dict[str, float], found: dict[str, float]) -> dict[str, float]:
    """Print a row of the table; returns its measures."""
    spent = f"{times['seconds']:7.2f} s ({times['core_seconds']:6.2f} s of all cores)"
    print(f"{name:50s} {spent}  " + "  ".join(f"{key} {found[key]:.4f}" for key in MEASURES), flush=True)
    return {key: found[key] for key in MEASURES}


def main() -> int:
    """Print a line a method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from-path", type=Path, default=data_folder("reuters21578"), help="a folder with the data set's files")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="METHOD", help=", ".join(METHODS))
    parser.add_argument("--texts", type=int, default=10**6, help="of each split, at most")
    parser.add_argument("--repeats", type=int, default=1, help="train so often; the fastest counts")
    parser.add_argument("--seed", type=int, default=0, help="of the folds of cross-validation")
    given = read_options(parser, methods=["linear-svm", "logistic"], texts=500)
    if given.from_path is None:
        return skip(given, "the folder reuters21578 of the data sets; set MULTIHOT_DATA, or name it with --from-path")
    rows = measure(given.methods, given.texts, given.repeats, given.seed, given.from_path)
    print(f"{'TF-IDF of the training texts':50s} {rows['TF-IDF']['seconds']:7.2f} s")
    return finish(given, rows)


if __name__ == "__main__":
    sys.exit(main())
