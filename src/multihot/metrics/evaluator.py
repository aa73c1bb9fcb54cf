"""All measures at once, over a whole data set or batch after batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ConfigurationError, DataError
from ..labels import LabelStatistics
from .counts import SetCounts
from .curves import Curves, compute_curves
from .inputs import Rows, read_chunks
from .ranking import CalibrationSums, RankingSums, propensities
from .registry import METRICS


class Evaluator:
    """Measures over batches; the result does not depend on how the instances were divided into batches.

    Counts are summed as batches come. Average precision and AUROC are exact, so scores, where given, are kept until the end.

    Args:
        num_labels: L.
        statistics: of the training split; adds the measures of head, medium and tail labels and propensity-scored precision.
        at: the cut-offs k of P@k, nDCG@k and PSP@k.
        probabilities: True if scores are probabilities in [0, 1]; adds the calibration error. Never guessed from the values.

    >>> evaluator = Evaluator(num_labels=2)
    >>> evaluator.update([[1, 0]], [[1, 1]])
    >>> evaluator.update([[0, 1]], [[0, 1]])
    >>> round(evaluator.compute()["micro_f1"], 3)
    0.8
    """

    def __init__(
        self, num_labels: int, statistics: LabelStatistics | None = None, *, at: Sequence[int] = (1, 3, 5), probabilities: bool = False
    ):
        if statistics is not None and statistics.num_labels != num_labels:
            raise DataError(
                f"statistics are of {statistics.num_labels} labels, but num_labels is {num_labels}; both must be of the same data"
            )
        if any(k < 1 for k in at):
            raise ConfigurationError(f"at must hold whole numbers from 1 on, got {list(at)}")
        self.num_labels = num_labels
        self.statistics = statistics
        self.probabilities = probabilities
        self.sets = SetCounts(num_labels)
        self.ranking = RankingSums(at, None if statistics is None else 1 / propensities(statistics))
        self.calibration = CalibrationSums()
        self._scored: list[Rows] = []
        self._curves: Curves | None = None

    def update(self, targets: Any, chosen: Any, scores: Any = None, known: Any = None) -> None:
        """Take in some instances.

        Args:
            targets: (n, L) in [0, 1], dense or sparse; true from 0.5 on; NaN where unknown.
            chosen: (n, L) of 0 and 1, dense or sparse.
            scores: (n, L), higher is more likely; labels that a sparse matrix does not store rank last. For all batches or for none.
            known: (n, L); False where nobody annotated the label.

        Raises:
            DataError: if shapes or values do not fit.
        """
        for rows in read_chunks(targets, chosen, scores, known):
            # scored rows are kept, and the caller may reuse its buffers for the next batch
            self._add(rows if rows.scores is None else replace(rows, targets=rows.targets.copy(), scores=rows.scores.copy()))

    def _add(self, rows: Rows) -> None:
        if rows.targets.shape[1] != self.num_labels:
            raise DataError(f"targets have {rows.targets.shape[1]} labels, but this evaluator was made for {self.num_labels}")
        if self.sets.known.any() and (rows.scores is None) == bool(self._scored):
            raise DataError("scores were given for some batches only; give them for all batches or for none")
        if rows.scores is not None:
            if self._scored and isinstance(rows.scores, np.ndarray) != isinstance(self._scored[0].scores, np.ndarray):
                raise DataError("some batches have dense scores and some sparse ones; all must be of one kind")
            self._add_scores(rows)
        self.sets.add(rows)

    def _add_scores(self, rows: Rows) -> None:
        self._scored.append(rows)
        self._curves = None
        self.ranking.add(rows)
        if self.probabilities:
            values = rows.scores if isinstance(rows.scores, np.ndarray) else rows.scores.data
            if values.size and (np.nanmin(values) < 0 or np.nanmax(values) > 1):
                raise DataError("scores were said to be probabilities, but some lie outside [0, 1]; apply the sigmoid first")
            self.calibration.add(rows)

    @property
    def curves(self) -> Curves | None:
        """Average precision and AUROC of every label; None without scores."""
        if self._curves is None and self._scored:
            self._curves = compute_curves(self._scored)
        return self._curves

    def compute(self) -> dict[str, float]:
        """All measures of what was taken in; a measure that the data leave undefined (no tail labels, no negatives) is not in the dict.

        Raises:
            DataError: if there is not a single known entry.
        """
        if not self.sets.num_rows:
            raise DataError("there is nothing to measure: not one instance with a known label; check the split and the mask")
        found = _of_sets(self.sets)
        curves = self.curves
        if curves is not None:
            found |= self.ranking.measures() | _areas(curves, self.sets.annotated)
        if self.probabilities and curves is not None:
            found |= self.calibration.measures()
        for group, labels in self.frequency_groups().items():
            if len(labels):
                found[f"macro_f1_{group}"] = over_labels(self.sets, labels)["macro_f1"]
                if curves is not None:
                    found[f"map_{group}"] = float(curves.average_precision[labels].mean())
        return {name: float(value) for name, value in found.items() if not math.isnan(value)}

    def frequency_groups(self) -> dict[str, np.ndarray]:
        """The annotated labels that are head, medium and tail in training; empty without statistics."""
        groups = self.statistics.split_by_frequency() if self.statistics is not None else {}
        return {name: labels[self.sets.known[labels] > 0] for name, labels in groups.items()}


def _of_sets(counts: SetCounts) -> dict[str, float]:
    sums = counts.sums()
    found = {name: metric.from_sums(sums) for name, metric in METRICS.items() if metric.from_sums and metric.kind == "label sets"}
    return {name: float(values[0]) for name, values in found.items()}


def over_labels(counts: SetCounts, labels: np.ndarray) -> dict[str, float]:
    """The metrics that are means over labels, over some of them."""
    sums = counts.sums(labels)
    return {name: float(metric.from_sums(sums)[0]) for name, metric in METRICS.items() if metric.per_label and metric.from_sums}


def _areas(curves: Curves, labels: np.ndarray) -> dict[str, float]:
    defined = curves.auroc[~np.isnan(curves.auroc)]
    return {
        "map": float(curves.average_precision[labels].mean()),
        "micro_ap": curves.micro_ap,
        "auroc_macro": float(defined.mean()) if len(defined) else math.nan,
        "auroc_micro": curves.auroc_micro,
    }


def evaluate(
    targets: Any,
    chosen: Any,
    scores: Any = None,
    statistics: LabelStatistics | None = None,
    *,
    known: Any = None,
    at: Sequence[int] = (1, 3, 5),
    probabilities: bool = False,
) -> dict[str, float]:
    """All measures of a prediction; docs/measures.md says how each is defined.

    Args:
        targets: (N, L) in [0, 1], dense, sparse or torch; true from 0.5 on; NaN where unknown.
        chosen: (N, L) of 0 and 1: the predicted label sets.
        scores: (N, L), higher is more likely; labels that a sparse matrix does not store rank last. Adds the ranking measures.
        statistics: of the training split; adds the measures of head, medium and tail labels and, with scores, PSP@k.
        known: (N, L); False where nobody annotated the label: such an entry does not count, in any measure.
        at: the cut-offs k of P@k, nDCG@k and PSP@k.
        probabilities: True if scores are probabilities in [0, 1]; adds the calibration error.

    Returns:
        measure -> value. A measure that the data leave undefined is not there.

    Raises:
        DataError: if shapes or values do not fit, or there is nothing to measure.

    >>> found = evaluate(targets=[[1, 0, 1], [0, 1, 0]], chosen=[[1, 0, 0], [0, 1, 1]])
    >>> round(found["micro_f1"], 3), round(found["example_f1"], 3), found["subset_accuracy"]
    (0.667, 0.667, 0.0)
    """
    return measure(targets, chosen, scores, statistics, known=known, at=at, probabilities=probabilities).compute()


def measure(targets: Any, chosen: Any, scores: Any = None, statistics: LabelStatistics | None = None, **options: Any) -> Evaluator:
    """An evaluator that has taken in a whole data set, chunk by chunk and without copying its scores; arguments as in ``evaluate``."""
    known = options.pop("known", None)
    evaluator: Evaluator | None = None
    for rows in read_chunks(targets, chosen, scores, known):
        evaluator = evaluator or Evaluator(rows.targets.shape[1], statistics, **options)
        evaluator._add(rows)
    if evaluator is None:
        raise DataError("there is nothing to measure: targets have no rows; check the split")
    return evaluator
