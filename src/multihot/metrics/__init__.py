"""Measures of label sets and of scores: NumPy and SciPy only, dense or sparse, whole or batch after batch."""

from .breakdowns import by_frequency, by_set_frequency, label_sets_produced, per_label, seen_unseen
from .evaluator import Evaluator, evaluate
from .ranking import propensities
from .reliability import Reliability, reliability, to_probabilities

__all__ = [
    "Evaluator",
    "Reliability",
    "by_frequency",
    "by_set_frequency",
    "evaluate",
    "label_sets_produced",
    "per_label",
    "propensities",
    "reliability",
    "seen_unseen",
    "to_probabilities",
]
