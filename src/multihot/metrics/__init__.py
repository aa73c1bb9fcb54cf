"""Metrics of label sets and of scores: NumPy and SciPy only, dense or sparse, whole or batch after batch."""

from .axis_values import cumulative_score, epsilon_error, expectation, interval, mean_absolute_error, median, mode
from .breakdowns import by_frequency, by_set_frequency, label_sets_produced, per_label, seen_unseen
from .evaluator import Evaluator, evaluate
from .label_distributions import canberra, chebyshev, clark, cosine, intersection, kullback_leibler
from .metric import Metric
from .ranking import propensities
from .registry import METRICS, lower_is_better, metric_of, title_of
from .reliability import Reliability, reliability, to_probabilities

LOWER_IS_BETTER = frozenset(name for name in METRICS if lower_is_better(name))

__all__ = [
    "LOWER_IS_BETTER",
    "METRICS",
    "Evaluator",
    "Metric",
    "Reliability",
    "by_frequency",
    "by_set_frequency",
    "canberra",
    "chebyshev",
    "clark",
    "cosine",
    "cumulative_score",
    "epsilon_error",
    "evaluate",
    "expectation",
    "intersection",
    "interval",
    "kullback_leibler",
    "label_sets_produced",
    "lower_is_better",
    "mean_absolute_error",
    "median",
    "metric_of",
    "mode",
    "per_label",
    "propensities",
    "reliability",
    "seen_unseen",
    "title_of",
    "to_probabilities",
]
