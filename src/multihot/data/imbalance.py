"""How unequal the labels of a data set are, and whether rare and frequent ones stand in the same rows (Charte et al. 2015 and 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..labels import LabelStatistics


@dataclass(frozen=True)
class Imbalance:
    """The imbalance of some label sets in figures.

    Args:
        mean: MeanIR, the mean of the labels' IRLbl; 1 if all labels are equally frequent.
        variation: CVIR, the standard deviation of IRLbl (with L - 1) divided by MeanIR.
        largest: the largest IRLbl, most to least frequent label.
        scumble: the mean of SCUMBLE over the rows, in [0, 1): how far rare and frequent labels stand in the same rows. Where it is high,
            drawing a row for its rare label repeats frequent ones as well, so sampling helps little.
        scumble_variation: standard deviation of SCUMBLE over the rows (with N - 1) divided by its mean; 0 if the mean is 0.
    """

    mean: float
    variation: float
    largest: float
    scumble: float
    scumble_variation: float


def imbalance_ratios(statistics: LabelStatistics) -> Float[np.ndarray, " L"]:
    """IRLbl of every label: how many times as many rows the most frequent label has [Charte et al. 2015].

    IRLbl_l = max_m n_m / n_l

    Args:
        statistics: of the rows.

    Returns:
        (L,), at least 1; NaN for a label without rows.

    >>> imbalance_ratios(LabelStatistics.from_targets([[1, 0, 0], [1, 1, 0]])).tolist()
    [1.0, 2.0, nan]
    """
    counts = statistics.counts.astype(np.float64)
    counts[counts == 0] = np.nan
    return np.nanmax(counts) / counts if np.isfinite(counts).any() else counts


def scumble(statistics: LabelStatistics) -> Float[np.ndarray, " U"]:
    """SCUMBLE of every distinct label set: how unequal the IRLbl of its labels are [Charte et al. 2019].

    SCUMBLE(Y) = 1 - (prod_{l in Y} IRLbl_l)^(1/|Y|) / mean_{l in Y} IRLbl_l

    The paper prints product and mean over all labels with IRLbl = 0 for absent ones, which would make every product 0; like its
    reference implementation (the R package mldr) this takes the labels that are present.

    Args:
        statistics: of the rows.

    Returns:
        (U,) in [0, 1), in the order of ``statistics.sets``; 0 for the empty set and for single labels.

    >>> statistics = LabelStatistics.from_targets([[1, 0], [1, 0], [1, 0], [1, 1]])
    >>> scumble(statistics).round(3).tolist()  # the second set: 1 - sqrt(1 * 4) / 2.5
    [0.0, 0.2]
    """
    ratios = np.nan_to_num(imbalance_ratios(statistics), nan=1.0)  # of labels that no set holds
    sets = statistics.sets.astype(np.float64)
    sizes = np.maximum(sets.sum(axis=1), 1.0)
    means = np.where(np.diff(sets.indptr) > 0, sets @ ratios / np.ravel(sizes), 1.0)
    return np.maximum(1.0 - np.exp(sets @ np.log(ratios) / np.ravel(sizes)) / means, 0.0)


def measure_imbalance(statistics: LabelStatistics) -> Imbalance:
    """MeanIR, CVIR, the largest IRLbl and SCUMBLE of some label sets; labels without any row are left out.

    Args:
        statistics: of the rows.

    Returns:
        The figures; NaN where no row carries a label.

    >>> figures = measure_imbalance(LabelStatistics.from_targets([[1, 0], [1, 0], [1, 0], [1, 1]]))
    >>> figures.mean, round(figures.variation, 3), figures.largest, round(figures.scumble, 3)
    (2.5, 0.849, 4.0, 0.05)
    """
    ratios = imbalance_ratios(statistics)
    ratios = ratios[np.isfinite(ratios)]
    if not len(ratios):
        return Imbalance(*[float("nan")] * 5)
    mean = float(ratios.mean())
    weights, values = statistics.multiplicity, scumble(statistics)
    level = float(np.average(values, weights=weights))
    spread = np.sqrt((weights * (values - level) ** 2).sum() / max(weights.sum() - 1, 1))
    return Imbalance(
        mean=mean,
        variation=float(ratios.std(ddof=1)) / mean if len(ratios) > 1 else 0.0,
        largest=float(ratios.max()),
        scumble=level,
        scumble_variation=float(spread / level) if level > 0 else 0.0,
    )
