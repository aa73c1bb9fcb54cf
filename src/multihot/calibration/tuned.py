"""Decisions that learn thresholds from the validation split."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..errors import ConfigurationError
from ..interfaces import Decision
from .cuts import best_cut, best_mean_cut
from .entries import Entries, read_entries
from .fixed import at_least

MEASURES = {"micro_f1": "micro-F1", "macro_f1": "macro-F1", "example_f1": "example F1"}
NEUTRAL = 0.0  # the logit of probability 0.5, where validation data say nothing


class GlobalDecision(Decision):
    """One threshold for all labels, the exact maximiser of a measure on the validation split: choose ``scores >= threshold``.

    The threshold lies midway between the lowest score chosen and the next lower one; where several are best, the highest is taken.

    Args:
        measure: ``"micro_f1"``, ``"macro_f1"`` or ``"example_f1"``.

    Raises:
        ConfigurationError: for another measure.

    >>> decision = GlobalDecision().fit(scores=[[2.0, -1.0], [0.5, -3.0]], targets=[[1, 1], [1, 0]])
    >>> decision.threshold, decision([[0.0, -2.5]]).tolist()
    (-2.0, [[True, False]])
    """

    needs_fit = True

    def __init__(self, measure: str = "micro_f1"):
        if measure not in MEASURES:
            raise ConfigurationError(f"decision 'global': measure must be one of {', '.join(MEASURES)}, got {measure!r}")
        self.measure = measure
        self.threshold: float | None = None

    def fit(self, scores: Any, targets: Any, known: Any = None) -> GlobalDecision:
        """Find the threshold; without a positive to learn from it warns and takes 0."""
        self.threshold = _best_global(read_entries(scores, targets, known), self.measure)
        return self

    @property
    def fitted(self) -> bool:
        return self.threshold is not None

    @property
    def rule(self) -> str:
        return f"One threshold for all labels, tuned for {MEASURES[self.measure]} on the validation split."

    def cuts(self, scores: Any) -> Any:
        return expect_fitted("global", self.threshold)

    def __call__(self, scores: Any) -> Any:
        return at_least(scores, self.cuts(scores))

    def to_dict(self) -> dict[str, Any]:
        return {"threshold": expect_fitted("global", self.threshold)}

    def load_dict(self, content: dict[str, Any]) -> GlobalDecision:
        self.threshold = float(content["threshold"])
        return self


class PerLabelDecision(Decision):
    """A threshold for each label, the exact maximiser of its own F1 on the validation split: choose ``scores >= thresholds``.

    A label with too few validation positives takes the threshold that maximises micro-F1 over all labels: its own would be chance.

    Args:
        minimum_positives: validation positives from which on a label gets its own threshold, at least 1.

    Raises:
        ConfigurationError: if ``minimum_positives`` is below 1.

    >>> scores, targets = [[2.0, -1.0], [0.5, -3.0]], [[1, 1], [0, 0]]
    >>> PerLabelDecision(minimum_positives=1).fit(scores, targets).thresholds.tolist()
    [1.25, -2.0]
    """

    needs_fit = True

    def __init__(self, minimum_positives: int = 5):
        if minimum_positives < 1:
            raise ConfigurationError(f"decision 'per_label': minimum_positives must be at least 1, got {minimum_positives}")
        self.minimum_positives = minimum_positives
        self.thresholds: np.ndarray | None = None

    def fit(self, scores: Any, targets: Any, known: Any = None) -> PerLabelDecision:
        """Find the thresholds; without a positive to learn from it warns and takes 0 for all."""
        entries = read_entries(scores, targets, known)
        positives = entries.positives_per_label
        self.thresholds = np.full(len(positives), _best_global(entries, "micro_f1"))
        for label, (label_scores, hits) in enumerate(entries.by_label()):
            if positives[label] < self.minimum_positives:
                continue
            own = best_cut(label_scores, hits, int(positives[label]))
            self.thresholds[label] = own if own is not None else self.thresholds[label]
        return self

    @property
    def fitted(self) -> bool:
        return self.thresholds is not None

    @property
    def rule(self) -> str:
        least = f"one with fewer than {self.minimum_positives} positives there takes a threshold for all"
        return f"Each label has its own threshold, tuned for its F1 on the validation split; {least}."

    def cuts(self, scores: Any) -> Any:
        return expect_fitted("per_label", self.thresholds)

    def __call__(self, scores: Any) -> Any:
        return at_least(scores, self.cuts(scores))

    def to_dict(self) -> dict[str, Any]:
        return {"thresholds": expect_fitted("per_label", self.thresholds).tolist()}

    def load_dict(self, content: dict[str, Any]) -> PerLabelDecision:
        self.thresholds = np.asarray(content["thresholds"], dtype=np.float64)
        return self


def _best_global(entries: Entries, measure: str) -> float:
    if measure == "micro_f1":
        found = best_cut(entries.scores, entries.hits, entries.targets.nnz)
    elif measure == "macro_f1":
        found = best_mean_cut(entries.scores, entries.hits, entries.labels, entries.positives_per_label)
    else:
        found = best_mean_cut(entries.scores, entries.hits, entries.rows, entries.positives_per_row)
    if found is None:
        warnings.warn(f"the validation split has no positive label to tune a threshold on; {NEUTRAL} is used", UserWarning, stacklevel=3)
        return NEUTRAL
    return found


def expect_fitted(name: str, learned: Any) -> Any:
    """What a decision learned; an error that names it where it has learned nothing yet."""
    if learned is None:
        raise ConfigurationError(f"decision '{name}' has no threshold yet; call fit with validation scores and targets, or load_dict")
    return learned
