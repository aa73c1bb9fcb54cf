"""What is measured of a prediction whose label sets are known."""

from __future__ import annotations

from typing import Any

from ..labels import LabelSpace, LabelStatistics
from ..metrics import by_frequency, by_set_frequency, evaluate, label_sets_produced, per_label, reliability, seen_unseen, to_probabilities
from ..predictions import Prediction


def measure(prediction: Prediction, targets: Any, statistics: LabelStatistics, known: Any = None) -> dict[str, float]:
    """All measures of METHODS section 6 for one split.

    Args:
        prediction: N rows.
        targets: (N, L), in the same order.
        statistics: of the training split.
        known: (N, L) boolean, or None where everything is annotated.

    Returns:
        measure -> value; with a calibration, how well its probabilities hold is among them.
    """
    found = evaluate(targets, prediction.chosen, prediction.scores, statistics, known=known)
    if prediction.uncalibrated is not None:
        found["calibration_error"] = reliability(targets, to_probabilities(prediction.scores), known).error()
    return found


def break_down(prediction: Prediction, targets: Any, space: LabelSpace, statistics: LabelStatistics, known: Any = None) -> dict[str, Any]:
    """The same measures for parts of the split: each label, head/medium/tail, seen and unseen label sets, label-set frequency."""
    chosen, scores = prediction.chosen, prediction.scores
    rows = per_label(targets, chosen, scores, known=known, names=space.names)
    counts = statistics.counts.tolist()
    return {
        "per_label": [row | {"training_count": count} for row, count in zip(rows, counts, strict=True)],
        "by_frequency": by_frequency(targets, chosen, statistics, scores, known=known),
        "seen_unseen": seen_unseen(targets, chosen, statistics, scores, known=known),
        "by_set_frequency": by_set_frequency(targets, chosen, statistics, known=known),
        "label_sets_produced": label_sets_produced(chosen, statistics),
    }
