"""Iterative stratification: sizes and label shares of a part cut off, beside two other implementations and chance.

    python benchmarks/splits.py --out splits.json

Real data sets need $MULTIHOT_DATA. The other implementations are those of scikit-multilearn and iterative-stratification
(``pip install scikit-multilearn iterative-stratification``); where one is missing its column stays empty. They work on dense label
matrices, so they are left out of those that would be too large, and stopped after ``--patience`` seconds.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from yardsticks.measuring import data_folder, finish, read_options

from multihot.data import iterative_stratification, load, random_split

SHARE = 0.1
DATA = ("mulan/yeast", "mulan/scene", "mulan/genbase", "mulan/cal500", "mulan/corel5k", "mulan/bibtex", "reuters21578", "goemotions")
DENSE = 200_000_000  # entries of a label matrix that the others are given
Cut = Callable[[sparse.csr_matrix, int], np.ndarray]  # (targets, seed) -> numbers of the rows that are cut off


def ours(targets: sparse.csr_matrix, seed: int) -> np.ndarray:
    """Multihot's."""
    return iterative_stratification(targets, [1 - SHARE, SHARE], seed)[1]


def chance(targets: sparse.csr_matrix, seed: int) -> np.ndarray:
    """Rows drawn at random."""
    return random_split(targets.shape[0], [1 - SHARE, SHARE], seed)[1]


def scikit_multilearn(targets: sparse.csr_matrix, seed: int) -> np.ndarray:
    """The one of scikit-multilearn, which draws from NumPy's global generator."""
    module = importlib.import_module("skmultilearn.model_selection.iterative_stratification")
    np.random.seed(seed)
    shares = {"sample_distribution_per_fold": [SHARE, 1 - SHARE]}
    dense = targets.toarray().astype(np.int64)
    return next(module.IterativeStratification(n_splits=2, order=1, **shares).split(np.zeros((len(dense), 1)), dense))[1]


def iterative_stratification_package(targets: sparse.csr_matrix, seed: int) -> np.ndarray:
    """The one of the package iterative-stratification."""
    module = importlib.import_module("iterstrat.ml_stratifiers")
    dense = targets.toarray().astype(np.int64)
    shuffle = module.MultilabelStratifiedShuffleSplit(n_splits=1, test_size=SHARE, random_state=seed)
    return next(shuffle.split(np.zeros((len(dense), 1)), dense))[1]


WAYS: dict[str, tuple[Cut, str | None]] = {
    "multihot": (ours, None),
    "scikit-multilearn": (scikit_multilearn, "skmultilearn"),
    "iterative-stratification": (iterative_stratification_package, "iterstrat"),
    "at random": (chance, None),
}


def hard(quick: bool) -> dict[str, sparse.csr_matrix]:
    """Label sets whose many rare labels let the sizes drift: tags of a long tail, far more labels than rows, a label of its own a row."""
    small = 10 if quick else 1
    return {
        "1,000 texts with 2 of 3,000 tags": long_tail(1000, 3000, 2, 0.6),
        "10,000 rows, 100,000 labels": long_tail(10_000 // small, 100_000 // small, 5, 0.7),
        "5,000 rows, each with its own label": sparse.identity(5000 // small, dtype=bool, format="csr"),
    }


def long_tail(rows: int, labels: int, each: int, power: float) -> sparse.csr_matrix:
    """Rows of some labels each, drawn with probabilities that fall as 1 / rank ** power."""
    weights = 1 / np.arange(1, labels + 1) ** power
    columns = np.random.default_rng(0).choice(labels, rows * each, p=weights / weights.sum())
    found = sparse.csr_matrix((np.ones(rows * each), (np.repeat(np.arange(rows), each), columns)), shape=(rows, labels))
    return found.astype(bool)


def label_sets(quick: bool) -> dict[str, sparse.csr_matrix]:
    """All label matrices: of the training splits of real data, where there is any, and the hard ones."""
    found = {}
    root = data_folder()
    for name in () if root is None else DATA[:2] if quick else DATA:
        data = load(name, from_path=root)
        found[name] = sparse.csr_matrix(data.label_sets("train", data.label_space())[0]).astype(bool)
    return found | hard(quick)


def measure(cut: Cut, targets: sparse.csr_matrix, seeds: int, patience: int) -> dict[str, Any] | str:
    """Worst share, mean distance of a label from its share in rows, and seconds; or why there are none."""
    totals = np.asarray(targets.sum(axis=0)).ravel()
    carried = totals > 0
    shares, off, seconds = [], [], []
    signal.signal(signal.SIGALRM, _give_up)
    for seed in range(seeds):
        signal.alarm(patience)
        began = time.perf_counter()
        try:
            part = cut(targets, seed)
        except TimeoutError:
            return f"over {patience} s"
        finally:
            signal.alarm(0)
        seconds.append(time.perf_counter() - began)
        shares.append(len(part) / targets.shape[0])
        in_part = np.asarray(targets[np.sort(part)].sum(axis=0)).ravel()
        off.append(float(np.abs(in_part - SHARE * totals)[carried].mean()))
    return {"share": max(shares, key=lambda share: abs(share - SHARE)), "off": float(np.mean(off)), "seconds": min(seconds)}


def _give_up(*_: object) -> None:
    raise TimeoutError


def main() -> int:
    """Print the table and judge our sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="cuts, of which the worst share, the mean distance and the least time count")
    parser.add_argument("--patience", type=int, default=300, help="seconds that one cut may take")
    options = read_options(parser, seeds=1, patience=5)
    missing = [name for name, (_, module) in WAYS.items() if module and importlib.util.find_spec(module) is None]
    if missing:
        print(f"not installed, so not measured: {', '.join(missing)}", flush=True)
    found: dict[str, dict[str, Any]] = {}
    missed = []
    print(f"\nshare cut off, {SHARE} asked for; rows that a label is off its share; seconds\n")
    print(f"| label sets | rows x labels | {' | '.join(WAYS)} |\n|---|---{'|---' * len(WAYS)}|", flush=True)
    for name, targets in label_sets(options.quick).items():
        figures: dict[str, Any] = {}
        for way, (cut, module) in WAYS.items():
            if way not in missing:
                dense = module is not None and targets.shape[0] * targets.shape[1] > DENSE
                figures[way] = "too large" if dense else measure(cut, targets, options.seeds, options.patience)
        found[name] = figures
        print(f"| {name} | {targets.shape[0]:,} x {targets.shape[1]:,} | {' | '.join(map(_shown, map(figures.get, WAYS)))} |", flush=True)
        if abs(figures["multihot"]["share"] - SHARE) > max(0.01 * SHARE, 1 / targets.shape[0]):
            missed.append(f"the size of the part of {name}")
    return finish(options, found, missed)


def _shown(figures: dict[str, Any] | str | None) -> str:
    if not isinstance(figures, dict):
        return figures or ""
    return f"{figures['share']:.4f}, {figures['off']:.3f}, {figures['seconds']:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
