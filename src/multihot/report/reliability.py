"""Whether the probabilities of a run hold: reliability diagrams, of all labels and of frequent and rare ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..metrics.reliability import LINKS, Reliability, reliability, to_probabilities
from ..predictions import TrueDegrees
from .reading import SplitRun

MARGINS = "its scores are margins, which rank labels but promise no probability"
CALIBRATE = "`multihot decode RUN --set method.calibration=platt --out NEW` makes probabilities of them"
SHARES = "what it predicts is how much of an instance each label holds, not whether the label is true"
UNKNOWN = "an older multihot wrote it, which did not say what its scores are"


def reliability_of(run: SplitRun) -> dict[str, Any]:
    """Reliability diagrams of scores that are probabilities or stand for some.

    Args:
        run: with N instances, L labels.

    Returns:
        ``without``: why there is no diagram; or ``groups``, for ``all`` and each of head, medium and tail that has labels: ``now``, and
        ``before`` where a calibration was fitted to scores that stood for probabilities already, each ``error`` (the expected
        calibration error) and ``bins``, ``[from, to, entries, mean probability, share of true ones]`` for each that is not empty.
    """
    missing = _without(run)
    if missing is not None:
        return {"without": missing}
    found = {"now": reliability(run.targets, run.readable)}
    before, kind = run.prediction.uncalibrated, run.described.get("uncalibrated")
    if before is not None and kind in LINKS:
        found["before"] = reliability(run.targets, to_probabilities(before, kind))
    statistics = run.finished.statistics
    groups = {"all": None} | {name: labels for name, labels in statistics.split_by_frequency().items() if len(labels)}
    return {"groups": {group: {name: _drawn(measured, labels) for name, measured in found.items()} for group, labels in groups.items()}}


def _without(run: SplitRun) -> str | None:
    if run.prediction.degrees is not None:
        return None if _one_label_each(run.truth) else SHARES
    if run.unit != "margin":
        return None if run.unit == "probability" else UNKNOWN
    return MARGINS if run.prediction.sequences is not None else f"{MARGINS}; {CALIBRATE}"  # no calibration reads what a decoder emits


def _one_label_each(truth: TrueDegrees | None) -> bool:
    """Whether no instance has a second label, so that a degree is the probability of the one it has."""
    return truth is not None and bool((np.diff(truth.degrees.indptr) <= 1).all())


def _drawn(measured: Reliability, labels: np.ndarray | None) -> dict[str, Any]:
    columns = measured.diagram(labels)
    width = len(columns[0])
    bins = [[b / width, (b + 1) / width, *(column[b] for column in columns)] for b in np.flatnonzero(columns[0]).tolist()]
    return {"error": measured.error(labels), "bins": bins}
