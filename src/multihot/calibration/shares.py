"""Decisions that choose as many labels as there are: one share a label, or one mean number an instance."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..interfaces import Decision
from .cuts import count_cut
from .entries import read_entries
from .fixed import at_least
from .tuned import NEUTRAL, expect_fitted


class CardinalityDecision(Decision):
    """One threshold at which instances get as many labels on average as they truly have: choose ``scores >= threshold``.

    ``threshold`` makes ``|mean_n |chosen_n| - mean_n |true_n||`` as small as can be on the validation split (Read et al. 2011, LCard).

    >>> decision = CardinalityDecision().fit(scores=[[2.0, -1.0], [0.5, -3.0]], targets=[[0, 1], [1, 0]])
    >>> decision.threshold, decision([[0.0, -0.5]]).tolist()
    (-0.25, [[True, False]])
    """

    needs_fit = True

    def __init__(self) -> None:
        self.threshold: float | None = None

    def fit(self, scores: Any, targets: Any, known: Any = None) -> CardinalityDecision:
        """Find the threshold; where nothing can be chosen it warns and takes 0."""
        entries = read_entries(scores, targets, known)
        if len(entries.scores):
            self.threshold = count_cut(entries.scores, entries.targets.nnz)
        else:
            warnings.warn(f"the validation split has no score to tune a threshold on; {NEUTRAL} is used", UserWarning, stacklevel=2)
            self.threshold = NEUTRAL
        return self

    @property
    def fitted(self) -> bool:
        return self.threshold is not None

    @property
    def rule(self) -> str:
        return "One threshold for all labels, at which the validation split gets as many labels as it truly has."

    def cuts(self, scores: Any) -> Any:
        return expect_fitted("cardinality", self.threshold)

    def __call__(self, scores: Any) -> Any:
        return at_least(scores, self.cuts(scores))

    def to_dict(self) -> dict[str, Any]:
        return {"threshold": expect_fitted("cardinality", self.threshold)}

    def load_dict(self, content: dict[str, Any]) -> CardinalityDecision:
        self.threshold = float(content["threshold"])
        return self


class ProportionalDecision(Decision):
    """A threshold for each label at which it is chosen as often as it is true: choose ``scores >= thresholds`` (Yang 2001, PCut).

    On the validation split, ``sum_n chosen_nl`` is as near to ``sum_n true_nl`` as can be for every label l. A label without a true
    validation instance gets a threshold above all its validation scores; one without any score takes that of ``CardinalityDecision``.

    >>> decision = ProportionalDecision().fit(scores=[[2.0, -1.0], [0.5, -3.0]], targets=[[0, 1], [1, 1]])
    >>> decision.thresholds.tolist()
    [1.25, -3.0]
    """

    needs_fit = True

    def __init__(self) -> None:
        self.thresholds: np.ndarray | None = None

    def fit(self, scores: Any, targets: Any, known: Any = None) -> ProportionalDecision:
        """Find the thresholds."""
        entries = read_entries(scores, targets, known)
        positives = entries.positives_per_label
        self.thresholds = np.full(len(positives), CardinalityDecision().fit(scores, targets, known).threshold)
        for label, (label_scores, _) in enumerate(entries.by_label()):
            if len(label_scores):
                self.thresholds[label] = count_cut(label_scores, int(positives[label]))
        return self

    @property
    def fitted(self) -> bool:
        return self.thresholds is not None

    @property
    def rule(self) -> str:
        return "Each label has its own threshold, at which it is chosen as often as it is true in the validation split."

    def cuts(self, scores: Any) -> Any:
        return expect_fitted("proportional", self.thresholds)

    def __call__(self, scores: Any) -> Any:
        return at_least(scores, self.cuts(scores))

    def to_dict(self) -> dict[str, Any]:
        return {"thresholds": expect_fitted("proportional", self.thresholds).tolist()}

    def load_dict(self, content: dict[str, Any]) -> ProportionalDecision:
        self.thresholds = np.asarray(content["thresholds"], dtype=np.float64)
        return self
