"""Measures of label sets and of scores: NumPy and SciPy only, dense or sparse, whole or batch after batch."""

from .axis_values import cumulative_score, epsilon_error, expectation, interval, mean_absolute_error, median, mode
from .breakdowns import by_frequency, by_set_frequency, label_sets_produced, per_label, seen_unseen
from .evaluator import Evaluator, evaluate
from .label_distributions import canberra, chebyshev, clark, cosine, intersection, kullback_leibler
from .ranking import propensities
from .reliability import Reliability, reliability, to_probabilities

# measures that are better the smaller they are
LOWER_IS_BETTER = frozenset(
    {
        "hamming_loss", "coverage_error", "ranking_loss", "one_error", "calibration_error",
        "chebyshev", "clark", "canberra", "kullback_leibler", "epsilon_error",
        "mean_absolute_error", "mean_absolute_error_expectation", "mean_absolute_error_median", "mean_absolute_error_mode",
        "mean_absolute_error_1", "mean_absolute_error_2",
    }
)  # fmt: skip

__all__ = [
    "LOWER_IS_BETTER",
    "Evaluator",
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
    "mean_absolute_error",
    "median",
    "mode",
    "per_label",
    "propensities",
    "reliability",
    "seen_unseen",
    "to_probabilities",
]
