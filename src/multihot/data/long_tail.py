"""Cuts a long-tailed training split out of any data set, along the curve that VOC-MLT and COCO-MLT were cut along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from scipy import sparse

from ..errors import ConfigurationError, DataError
from ..labels import LabelSpace, LabelStatistics, binarise
from .dataset import MultiLabelData

TAIL = 0.99  # the last label stands at this quantile of the Pareto distribution


@dataclass(frozen=True)
class LongTail:
    """A data set whose training split was cut.

    Args:
        data: the data set, its training split cut, the others whole.
        space: its labels.
        wanted: (L,) rows that the curve asks for; 0 for a label that no training row carries.
        before: (L,) training rows of each label in the source.
        statistics: of the training split that was cut.
    """

    data: MultiLabelData
    space: LabelSpace
    wanted: Int[np.ndarray, " L"]
    before: Int[np.ndarray, " L"]
    statistics: LabelStatistics


def pareto_counts(num_labels: int, largest: int, smallest: int = 1, alpha: float = 6.0) -> Int[np.ndarray, " L"]:
    """How many rows each label should have, the most frequent first: the density of a Pareto distribution, rounded down.

    n_r = smallest + (largest - smallest) x_r^-(alpha + 1), x_r in equal steps from 1 to the 0.99 quantile 0.01^(-1/alpha)

    At the end of the tail the curve stands a little above ``smallest``: for alpha = 6 by 0.0046 of the difference.
    [Wu et al. 2020, and the program published with it]

    Args:
        num_labels: L.
        largest: rows of the first label.
        smallest: what the curve falls towards, at least 1.
        alpha: above 0; the larger, the faster the curve falls.

    Returns:
        (L,), falling.

    Raises:
        ConfigurationError: if not 1 <= smallest <= largest, or alpha is not above 0.

    >>> pareto_counts(5, largest=800).tolist()
    [800, 136, 33, 11, 4]
    """
    if not 1 <= smallest <= largest:
        raise ConfigurationError(f"a long tail needs 1 <= smallest <= largest, got smallest {smallest} and largest {largest}")
    if not alpha > 0:
        raise ConfigurationError(f"alpha of a long tail must be above 0, got {alpha}")
    places = np.linspace(1.0, (1 - TAIL) ** (-1 / alpha), num_labels)
    return np.floor(smallest + (largest - smallest) * places ** -(alpha + 1)).astype(np.int64)


def long_tailed_subset(
    targets: Bool[sparse.spmatrix, "N L"] | np.ndarray, alpha: float = 6.0, largest: int | None = None, smallest: int = 1, seed: int = 0
) -> Int[np.ndarray, " n"]:
    """Draw rows whose label counts fall along a Pareto curve.

    Labels keep their order of frequency. From the rarest to the most frequent one, rows that carry the label are added at random until
    it has as many as the curve asks for, or all there are. Nothing is taken away again, so every label gets at least that many, and
    frequent labels, which stand in the rows of rare ones, may get more. Rows without labels are never drawn.

    Args:
        targets: (N, L), dense or sparse.
        alpha: how fast the curve falls.
        largest: rows of the most frequent label; all that it has if not said.
        smallest: what the curve falls towards.
        seed: decides which rows.

    Returns:
        Row numbers in ascending order.

    Raises:
        ConfigurationError: for a curve that does not fall.
        DataError: if fewer than two labels have rows, or the most frequent one has fewer than ``largest``, or no more than ``smallest``.

    >>> targets = np.zeros((60, 3)); targets[:30, 0] = targets[20:50, 1] = targets[40:, 2] = 1
    >>> rows = long_tailed_subset(targets, largest=20)
    >>> wanted_counts(targets, largest=20).tolist()
    [20, 1, 1]
    >>> got = targets[rows].sum(axis=0)
    >>> bool(got[0] == 20 and got[1] >= 1 and got[2] == 1)
    True
    """
    members = binarise(targets)
    wanted = wanted_counts(members, alpha, largest, smallest)
    by_label = members.tocsc()
    random = np.random.default_rng(seed)
    chosen = np.zeros(members.shape[0], dtype=bool)
    for label in LabelStatistics.from_targets(members).frequency_order[::-1]:
        rows = by_label.indices[by_label.indptr[label] : by_label.indptr[label + 1]]
        missing = min(int(wanted[label]), len(rows)) - int(chosen[rows].sum())
        if missing > 0:
            chosen[random.choice(rows[~chosen[rows]], missing, replace=False)] = True
    return np.flatnonzero(chosen)


def wanted_counts(
    targets: Bool[sparse.spmatrix, "N L"] | np.ndarray, alpha: float = 6.0, largest: int | None = None, smallest: int = 1
) -> Int[np.ndarray, " L"]:
    """How many rows the curve asks for each label; arguments and errors are those of ``long_tailed_subset``.

    Returns:
        (L,); 0 for a label without rows.

    >>> wanted_counts(np.array([[1, 0, 0]] * 10 + [[0, 0, 1]] * 5)).tolist()
    [10, 0, 1]
    """
    statistics = LabelStatistics.from_targets(targets)
    counts = statistics.counts
    occurring = statistics.frequency_order[: int((counts > 0).sum())]
    if len(occurring) < 2:
        raise DataError(f"a long tail needs at least 2 labels with training rows, got {len(occurring)}; give a larger data set")
    most = int(counts.max())
    if most <= smallest or (largest is not None and most < largest):
        asked = (
            f"{largest} for the most frequent label" if largest is not None and most < largest else f"more than the smallest, {smallest}"
        )
        raise DataError(f"the most frequent label has {most} training rows, too few for {asked}; lower it or give a larger data set")
    wanted = np.zeros(len(counts), dtype=np.int64)
    wanted[occurring] = pareto_counts(len(occurring), most if largest is None else largest, smallest, alpha)
    return wanted


def cut_long_tail(data: MultiLabelData, alpha: float = 6.0, largest: int | None = None, smallest: int = 1, seed: int = 0) -> LongTail:
    """Cut the training split of a data set; validation and test splits stay whole.

    Args:
        data: the data set.
        alpha, largest, smallest, seed: as ``long_tailed_subset`` takes them.

    Returns:
        The data set that is left, with what was wanted and what came of it.

    Raises:
        ConfigurationError: for a curve that does not fall.
        DataError: if there is no training split, or it is too small.
    """
    space = data.label_space()
    targets = binarise(data.label_sets("train", space)[0])
    rows = long_tailed_subset(targets, alpha, largest, smallest, seed)
    return LongTail(
        data=data.with_rows({"train": rows}, f"long tail-{alpha}-{largest}-{smallest}-{seed}"),
        space=space,
        wanted=wanted_counts(targets, alpha, largest, smallest),
        before=LabelStatistics.from_targets(targets).counts,
        statistics=LabelStatistics.from_targets(targets[rows]),
    )
