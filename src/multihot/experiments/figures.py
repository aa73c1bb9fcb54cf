"""The figures of a data set's training split that advice follows from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import MultiLabelData
from ..data.imbalance import measure_imbalance
from ..errors import DataError
from ..labels import LabelStatistics
from .doubts import labels_are


@dataclass(frozen=True)
class Figures:
    """What the advice follows from, all of the training split.

    Args:
        rows: N, annotated rows.
        labels: L.
        cardinality: labels a row.
        density: cardinality / L.
        mean_imbalance: MeanIR.
        scumble: mean SCUMBLE.
        tail: labels with fewer than 20 rows.
        empty: share of rows without a label.
        several: share of rows with two labels or more.
        once: share of rows whose label set no other row carries, an estimate of how often a new row has a label set that is not there (Good
            1953).
        unknown: share of the entries that nobody annotated.
        degrees: "none" if all targets are 0 or 1, "distribution" if degrees sum to one in every row, else "free".
        lowest_bias: log-odds of the rarest label.
        highest_bias: log-odds of the most frequent one.
        modality: "text", "table", "image" or "audio"; empty where only label statistics are known.
        features: columns of a table, else None.
        labels_are: "distribution", or "values" or "votes" where labels are numbers, one or several a row; else "".
    """

    rows: int
    labels: int
    cardinality: float
    density: float
    mean_imbalance: float
    scumble: float
    tail: int
    empty: float
    several: float
    once: float
    unknown: float
    degrees: str
    lowest_bias: float
    highest_bias: float
    modality: str
    features: int | None
    labels_are: str = ""


def figures_of(source: MultiLabelData | LabelStatistics) -> Figures:
    """The figures that advice follows from; see ``Figures``."""
    unknown, degrees, modality, features, kind = 0.0, "none", "", None, ""
    if isinstance(source, LabelStatistics):
        statistics, name = source, "the statistics"
    else:
        space, name, modality = source.label_space(), source.name, source.modality
        features = source.num_features if modality == "table" else None
        statistics = source.statistics(space)
        targets, missing = source.targets("train", space)
        unknown = 0.0 if missing is None else missing.nnz / max(targets.shape[0] * targets.shape[1], 1)
        degrees, kind = _degrees(targets), labels_are(source, space)
    if not statistics.counts.any():
        raise DataError(f"{name}: not one training row carries a label; check the column with the labels")
    imbalance = measure_imbalance(statistics)

    def share(sets: np.ndarray) -> float:
        """Of the rows, those that carry one of some label sets."""
        return float(statistics.multiplicity[sets].sum() / statistics.num_examples)

    return Figures(
        rows=statistics.num_examples,
        labels=statistics.num_labels,
        cardinality=statistics.cardinality,
        density=statistics.density,
        mean_imbalance=imbalance.mean,
        scumble=imbalance.scumble,
        tail=len(statistics.split_by_frequency()["tail"]),
        empty=share(statistics.set_sizes == 0),
        several=share(statistics.set_sizes > 1),
        once=share(statistics.multiplicity == 1),
        unknown=unknown,
        degrees=degrees,
        lowest_bias=float(statistics.log_odds.min()),
        highest_bias=float(statistics.log_odds.max()),
        modality=modality,
        features=features,
        labels_are=kind,
    )


def _degrees(targets: Any) -> str:
    values = targets.data
    if values.dtype == bool or np.isin(values, (0, 1)).all():
        return "none"
    return "distribution" if np.allclose(targets.sum(axis=1), 1.0, atol=1e-3) else "free"
