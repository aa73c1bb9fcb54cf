"""What is measured of a prediction whose label sets are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from .data import MultiLabelData
from .labels import LabelSpace, LabelStatistics
from .metrics import by_frequency, by_set_frequency, evaluate, label_sets_produced, per_label, reliability, seen_unseen, to_probabilities
from .metrics.axis_values import READINGS, THETA, distances, epsilon_errors, expectation, within
from .metrics.label_distributions import each_instance
from .metrics.registry import of_distributions
from .predictions import Prediction, TrueDegrees


def measure(
    prediction: Prediction, targets: Any, statistics: LabelStatistics, known: Any = None, truth: TrueDegrees | None = None
) -> dict[str, float]:
    """All measures of METHODS section 6 for one split.

    Args:
        prediction: N rows.
        targets: (N, L), in the same order.
        statistics: of the whole training split.
        known: (N, L) boolean, or None where everything is annotated.
        truth: the true label distributions, for a prediction that has some.

    Returns:
        measure -> value; with a calibration, how well its probabilities hold is among them; of label distributions, those of
        ``each_degree``, means over the instances for which they are defined.
    """
    found = evaluate(targets, prediction.chosen, prediction.scores, statistics, known=known)
    if prediction.uncalibrated is not None:
        found["calibration_error"] = reliability(targets, to_probabilities(prediction.scores), known).error()
    if truth is not None:
        each = each_degree(prediction, truth)
        found |= {name: float(values[~np.isnan(values)].mean()) for name, values in each.items() if not np.isnan(values).all()}
    return found


def has_label_sets(prediction: Prediction, data: MultiLabelData, space: LabelSpace) -> bool:
    """Whether measures of label sets say anything: not where a prediction places instances on an axis, or the data itself mixes labels."""
    return prediction.degrees is None or (space.positions is None and data.degrees != "distribution")


def tells_label_sets(metrics: Mapping[str, Any]) -> bool:
    """What ``has_label_sets`` said of a run, by the content of its ``metrics.json``; an older run tells by its measures."""
    on_axis = any("mean_absolute_error" in metrics.get(split, {}) for split in ("validation", "test"))
    return bool(metrics.get("predictions", {}).get("label_sets", not on_axis))


def telling(measures: Mapping[str, float], label_sets: bool) -> dict[str, float]:
    """Measures without those of label sets, unless these say something of the run."""
    return {name: value for name, value in measures.items() if label_sets or of_distributions(name)}


def targets_of(data: MultiLabelData, split: str, space: LabelSpace, unseen: str = "ignore") -> tuple[Any, Any]:
    """The true label sets of a split (N, L), sparse, and which entries are known (N, L), or None where all are."""
    targets, unknown = data.label_sets(split, space, unseen)
    return targets, None if unknown is None else ~unknown.toarray().astype(bool)


def truth_of(data: MultiLabelData, split: str, space: LabelSpace) -> TrueDegrees:
    """The true label distributions of a split: its targets divided by their sum; none for a row with an unknown label or without labels."""
    targets, unknown = data.targets(split, space)
    degrees = sparse.csr_matrix(targets, dtype=np.float64)
    mass = np.asarray(degrees.sum(axis=1)).ravel()
    if unknown is not None:
        mass[np.diff(unknown.indptr) > 0] = 0
    shares = np.divide(1, mass, out=np.zeros_like(mass), where=mass > 0)
    degrees = sparse.csr_matrix(sparse.diags_array(shares) @ degrees)
    degrees.eliminate_zeros()
    return TrueDegrees(degrees, space.positions, *(data.positions(split, space) or (None, None)))


def each_degree(prediction: Prediction, truth: TrueDegrees) -> dict[str, Float[np.ndarray, " N"]]:
    """What each instance adds to the measures of label distributions; NaN where it adds nothing.

    Returns:
        The six measures of label distribution learning; where labels lie on an axis, ``mean_absolute_error`` of the method's own
        reading, ``cumulative_score_5``, ``epsilon_error`` where there are spreads, and ``mean_absolute_error_expectation``, ``_median``
        and ``_mode``; on two axes ``mean_absolute_error_1`` and ``_2`` of each. Nothing for a prediction without degrees.
    """
    if prediction.degrees is None:
        return {}
    found = {}
    rows = np.flatnonzero(np.diff(truth.degrees.indptr))
    for name, values in (each_instance(truth.degrees[rows], prediction.degrees[rows]) if len(rows) else {}).items():
        found[name] = np.full(len(prediction), np.nan)
        found[name][rows] = values
    return found | _each_error(prediction, truth)


def _each_error(prediction: Prediction, truth: TrueDegrees) -> dict[str, Float[np.ndarray, " N"]]:
    if truth.axis is None or truth.values is None:
        return {}
    axes = truth.axis.shape[1]
    own = expectation(prediction.degrees, truth.axis) if prediction.values is None else prediction.values
    errors = distances(truth.values, own)
    found = {"mean_absolute_error": errors, f"cumulative_score_{THETA:g}": within(errors)}
    if truth.spreads is not None:
        found["epsilon_error"] = epsilon_errors(errors, truth.spreads)
    for name in READINGS if axes == 1 else ("expectation", "mode"):
        found[f"mean_absolute_error_{name}"] = distances(truth.values, READINGS[name](prediction.degrees, truth.axis))
    for axis in range(axes) if axes > 1 else ():
        found[f"mean_absolute_error_{axis + 1}"] = np.abs(truth.values - own)[:, axis]
    return found


def break_down(
    prediction: Prediction,
    targets: Any,
    space: LabelSpace,
    statistics: LabelStatistics,
    known: Any = None,
    seen: LabelStatistics | None = None,
) -> dict[str, Any]:
    """The same measures for parts of the split: each label, head/medium/tail, seen and unseen label sets, label-set frequency.

    Args:
        prediction: N rows.
        targets: (N, L), in the same order.
        space: the labels.
        statistics: of the whole training split; labels are head, medium or tail by them.
        known: (N, L) boolean, or None where everything is annotated.
        seen: of the rows whose label sets count as seen; None: the same.
    """
    chosen, scores = prediction.chosen, prediction.scores
    seen = statistics if seen is None else seen
    rows = per_label(targets, chosen, scores, known=known, names=space.names)
    counts = statistics.counts.tolist()
    return {
        "per_label": [row | {"training_count": count} for row, count in zip(rows, counts, strict=True)],
        "by_frequency": by_frequency(targets, chosen, statistics, scores, known=known),
        "seen_unseen": seen_unseen(targets, chosen, seen, scores, known=known),
        "by_set_frequency": by_set_frequency(targets, chosen, seen, known=known),
        "label_sets_produced": label_sets_produced(chosen, seen),
    }
