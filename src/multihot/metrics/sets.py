"""Metrics of label sets: what was chosen against what is true, from sums over instances."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from .counts import Sums, ratio
from .metric import Metric


def mean(column: str) -> Callable[[Sums], np.ndarray]:
    """The mean over instances of what each adds to a column."""
    return lambda sums: sums[column] / sums.num_rows


def macro(measure: str) -> Callable[[Sums], np.ndarray]:
    """The mean over labels of precision, recall or F1."""
    return lambda sums: sums.per_label(measure).mean(axis=1)


def macro_f1_harmonic(sums: Sums) -> np.ndarray:
    """The harmonic mean of the two means over labels (Tsai 2019, eq. 3.10)."""
    precision, recall = macro("precision")(sums), macro("recall")(sums)
    return ratio(2 * precision * recall, precision + recall)


def hamming_accuracy(sums: Sums) -> np.ndarray:
    return 1 - (sums["true"] + sums["chosen"] - 2 * sums["both"]) / sums.num_entries


def _of_sets(name: str, title: str, explanation: str, from_sums: Callable[[Sums], np.ndarray], **more: Any) -> Metric:
    return Metric(name, title, explanation, "label sets", from_sums=from_sums, **more)


SET_METRICS = (
    _of_sets("micro_precision", "micro precision", "right ones among all labels chosen", lambda s: ratio(s["both"], s["chosen"])),
    _of_sets("micro_recall", "micro recall", "chosen ones among all true labels", lambda s: ratio(s["both"], s["true"])),
    _of_sets(
        "micro_f1", "micro-F1", "over all decisions; frequent labels weigh most",
        lambda s: ratio(2 * s["both"], s["true"] + s["chosen"]), headline=True, compared=True,
    ),
    _of_sets("macro_precision", "macro precision", "mean over labels", macro("precision"), per_label=True),
    _of_sets("macro_recall", "macro recall", "mean over labels", macro("recall"), per_label=True),
    _of_sets(
        "macro_f1", "macro-F1", "mean over labels; every label weighs the same",
        macro("f1"), per_label=True, headline=True, compared=True,
    ),
    _of_sets(
        "macro_f1_harmonic", "macro-F1 (harmonic)", "of mean precision and mean recall over labels",
        macro_f1_harmonic, per_label=True, headline=True,
    ),
    _of_sets("example_precision", "example precision", "mean over instances", mean("precision")),
    _of_sets("example_recall", "example recall", "mean over instances", mean("recall")),
    _of_sets("example_f1", "example F1", "mean over instances", mean("f1"), headline=True, compared=True),
    _of_sets(
        "subset_accuracy", "subset accuracy", "instances whose whole label set is right", mean("exact"), headline=True, compared=True
    ),
    _of_sets("hamming_accuracy", "Hamming accuracy", "decisions that are right", hamming_accuracy, headline=True),
    _of_sets("jaccard", "Jaccard index", "shared labels over all labels named, mean over instances", mean("jaccard"), headline=True),
    _of_sets("true_cardinality", "true labels per instance", "mean", mean("true"), better="neither", bounds=(0, inf)),
    _of_sets("chosen_cardinality", "labels per instance", "mean of those chosen", mean("chosen"), better="neither", bounds=(0, inf)),
)  # fmt: skip
