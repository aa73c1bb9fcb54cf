"""Measures of label sets: what was chosen against what is true, counted per label and per instance."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from .inputs import Rows, count_columns


def ratio(numerator: Float[np.ndarray, "*s"], denominator: Float[np.ndarray, "*s"]) -> Float[np.ndarray, "*s"]:
    """Elementwise quotient; 0 where the denominator is 0 (scikit-learn's ``zero_division=0``)."""
    numerator, denominator = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)


class SetCounts:
    """Sums over instances from which all measures of label sets follow.

    Args:
        num_labels: L.
    """

    def __init__(self, num_labels: int):
        self.true = np.zeros(num_labels, dtype=np.int64)
        self.chosen = np.zeros(num_labels, dtype=np.int64)
        self.both = np.zeros(num_labels, dtype=np.int64)
        self.known = np.zeros(num_labels, dtype=np.int64)
        self.num_rows = 0
        self.example_sums = dict.fromkeys(("precision", "recall", "f1", "jaccard", "exact"), 0.0)

    def add(self, rows: Rows) -> None:
        """Count some more instances; those without a known entry do not count."""
        both = rows.targets.multiply(rows.chosen).tocsr()
        self.true += count_columns(rows.targets)
        self.chosen += count_columns(rows.chosen)
        self.both += count_columns(both)
        self.known += rows.known_per_label
        annotated = rows.known_per_row > 0
        self.num_rows += int(annotated.sum())
        true, chosen, hits = (np.diff(matrix.indptr)[annotated] for matrix in (rows.targets, rows.chosen, both))
        sums = self.example_sums
        sums["precision"] += ratio(hits, chosen).sum()
        sums["recall"] += ratio(hits, true).sum()
        sums["f1"] += ratio(2 * hits, true + chosen).sum()
        sums["jaccard"] += ratio(hits, true + chosen - hits).sum()
        sums["exact"] += int(((hits == true) & (hits == chosen)).sum())

    @property
    def annotated(self) -> Int[np.ndarray, " n"]:
        """The labels with at least one known entry; macro averages run over them."""
        return np.flatnonzero(self.known > 0)

    def per_label(self) -> dict[str, Float[np.ndarray, " L"]]:
        """Precision, recall and F1 of every label, each (L,)."""
        return {
            "precision": ratio(self.both, self.chosen),
            "recall": ratio(self.both, self.true),
            "f1": ratio(2 * self.both, self.true + self.chosen),
        }

    def macro(self, labels: Int[np.ndarray, " n"]) -> dict[str, float]:
        """Means over some labels; the harmonic F1 is that of the two means [T 3.10]."""
        means = {f"macro_{name}": float(values[labels].mean()) for name, values in self.per_label().items()}
        precision, recall = means["macro_precision"], means["macro_recall"]
        return means | {"macro_f1_harmonic": 2 * precision * recall / (precision + recall) if precision + recall else 0.0}

    def measures(self) -> dict[str, float]:
        """All measures of label sets."""
        true, chosen, both = int(self.true.sum()), int(self.chosen.sum()), int(self.both.sum())
        mean = {name: value / self.num_rows for name, value in self.example_sums.items()}
        return {
            "micro_precision": both / chosen if chosen else 0.0,
            "micro_recall": both / true if true else 0.0,
            "micro_f1": 2 * both / (true + chosen) if true + chosen else 0.0,
            **self.macro(self.annotated),
            "example_precision": mean["precision"],
            "example_recall": mean["recall"],
            "example_f1": mean["f1"],
            "subset_accuracy": mean["exact"],
            "hamming_accuracy": 1 - (true + chosen - 2 * both) / int(self.known.sum()),
            "jaccard": mean["jaccard"],
            "true_cardinality": true / self.num_rows,
            "chosen_cardinality": chosen / self.num_rows,
        }
