"""The recall of conformal label sets over many splits, without a calibration and with each, for a promise of 0.9.

A split draws validation instances of uneven difficulty, some without labels, with scores that are far too sure; calibration and
decision are fitted on them as a run does it: half of the rows calibrate, the other half decide (`halves`). Beside it, what comes of
fitting both on the same rows (`same rows`), which keeps no promise. Recall is measured on 2,000 new instances a split. The limit
is missed where the mean recall with halves lies below the promise by more than three standard errors.

    python benchmarks/conformal.py --out conformal.json
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from yardsticks.measuring import finish, read_options

from multihot.calibration import ConformalDecision
from multihot.components import build
from multihot.decoding import ThresholdDecoding
from multihot.interfaces import Calibration
from multihot.losses import BinaryCrossEntropyLoss
from multihot.predictions import Prediction

CALIBRATIONS = ("none", "temperature", "platt", "isotonic")
CASES = ((200, 10), (60, 3))  # validation instances, minimum_positives
PROMISED, LABELS, NEW = 0.9, 14, 2000


def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and targets (rows, LABELS)."""
    logits = random.normal(size=(rows, LABELS)) + random.normal(size=(rows, 1)) + np.linspace(1, -4, LABELS)
    targets = random.random(logits.shape) < 1 / (1 + np.exp(-logits))
    return 3 * logits + 2 + random.normal(size=logits.shape), targets


def made(name: str, minimum: int) -> Calibration | None:
    if name == "none":
        return None
    return build("calibration", {"name": name} if name == "temperature" else {"name": name, "minimum_positives": minimum})


def mean_recall(decoding: ThresholdDecoding, scores: np.ndarray, targets: np.ndarray) -> float:
    """Over the instances that carry a label."""
    chosen = decoding.decision(scores if decoding.calibration is None else decoding.calibration(scores))
    true = targets.sum(axis=1)
    return float(((chosen & targets).sum(axis=1)[true > 0] / true[true > 0]).mean())


def measure(name: str, rows: int, minimum: int, splits: int, same_rows: bool) -> np.ndarray:
    """The recall of every split."""
    random, recalls = np.random.default_rng(0), []
    for _ in range(splits):
        scores, targets = draw(random, rows + NEW)
        decoding = ThresholdDecoding(BinaryCrossEntropyLoss(), ConformalDecision(PROMISED), made(name, minimum))
        validation = Prediction([str(row) for row in range(rows)], scores[:rows], scores[:rows] > 0)
        decoding.fit(validation, targets[:rows], kept=np.zeros(rows, dtype=bool) if same_rows else None)
        assert decoding.decision.to_dict()["guaranteed"] != same_rows
        recalls.append(mean_recall(decoding, scores[rows:], targets[rows:]))
    return np.array(recalls)


def main() -> int:
    """Print a line for each number of instances and calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=200, help="validation splits that are drawn")
    given = read_options(parser, splits=5)
    found, missed = [], []
    print(f"mean recall over {given.splits} splits (standard error); promised {PROMISED}")
    print(f"{'instances':>9} {'calibration':>12} {'halves':>16} {'same rows':>16}")
    for rows, minimum in CASES:
        for name in CALIBRATIONS:
            cells = {}
            for how in ("halves", "same rows"):
                recalls = measure(name, rows, minimum, given.splits, how == "same rows")
                cells[how] = {"mean": float(recalls.mean()), "standard_error": float(recalls.std(ddof=1) / len(recalls) ** 0.5)}
            if cells["halves"]["mean"] < PROMISED - 3 * cells["halves"]["standard_error"]:
                missed.append(f"{name}, {rows} instances")
            found.append({"instances": rows, "minimum_positives": minimum, "calibration": name, **cells})
            print(f"{rows:>9} {name:>12}", *(f"{cell['mean']:>8.4f} ({cell['standard_error']:.4f})" for cell in cells.values()), flush=True)
    return finish(given, {"promised": PROMISED, "recall": found}, missed)


if __name__ == "__main__":
    sys.exit(main())
