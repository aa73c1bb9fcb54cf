"""Whether the probabilities of a run hold: reliability diagrams, of all labels and of frequent and rare ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ..labels import LabelStatistics
from ..metrics import Reliability, reliability, to_probabilities
from ..predictions import Prediction


def reliability_of(prediction: Prediction, targets: sparse.csr_matrix, statistics: LabelStatistics) -> dict[str, Any]:
    """Reliability diagrams, label distributions as they are and scores read as logits.

    Args:
        prediction: N instances, L labels.
        targets: (N, L) boolean.
        statistics: of the training split; says which labels are head, medium and tail.

    Returns:
        For ``all`` and each group that has labels: ``now``, and ``before`` where a calibration was fitted, each ``error`` (the expected
        calibration error) and ``bins``, ``[from, to, entries, mean probability, share of true ones]`` for each that is not empty.
    """
    degrees = prediction.degrees
    found = {"now": reliability(targets, to_probabilities(prediction.scores) if degrees is None else np.clip(degrees, 0, 1))}
    if prediction.uncalibrated is not None:
        found["before"] = reliability(targets, to_probabilities(prediction.uncalibrated))
    groups = {"all": None} | {name: labels for name, labels in statistics.split_by_frequency().items() if len(labels)}
    return {group: {name: _drawn(measured, labels) for name, measured in found.items()} for group, labels in groups.items()}


def _drawn(measured: Reliability, labels: np.ndarray | None) -> dict[str, Any]:
    columns = measured.diagram(labels)
    width = len(columns[0])
    bins = [[b / width, (b + 1) / width, *(column[b] for column in columns)] for b in np.flatnonzero(columns[0]).tolist()]
    return {"error": measured.error(labels), "bins": bins}
