"""Exact search for the threshold that is best on validation data: every cut between two neighbouring scores is looked at."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

ROUNDING = 1e-12  # sums of F1 that differ by less are equal


def best_cut(scores: Float[np.ndarray, " E"], hits: Bool[np.ndarray, " E"], num_positives: int) -> float | None:
    """The threshold with the highest ``F1 = 2 TP / (chosen + positives)``, where ``scores >= threshold`` are chosen.

    Only cuts just below a positive can be best: going down past a negative lowers F1.

    Args:
        scores: (E,), of the entries that can be chosen.
        hits: (E,), which of them are positive.
        num_positives: all positives, including those that are not among the entries.

    Returns:
        Midway between the lowest score chosen and the next lower one; the highest threshold where several are best; None without
        positives among the entries.

    >>> best_cut(np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, False, True, False]), num_positives=2)
    0.5
    """
    positives = np.sort(scores[hits])
    if not len(positives):
        return None
    ordered = np.sort(scores)
    cuts = np.unique(positives)
    first = ordered.searchsorted(cuts, side="left")
    reached = len(positives) - positives.searchsorted(cuts, side="left")
    f1 = 2 * reached / (len(ordered) - first + num_positives)
    best = np.flatnonzero(f1 == f1.max())[-1]  # equal fractions of whole numbers divide to equal floats
    return _midway(ordered[max(first[best] - 1, 0)], cuts[best])


def best_mean_cut(
    scores: Float[np.ndarray, " E"], hits: Bool[np.ndarray, " E"], group: Int[np.ndarray, " E"], positives: Int[np.ndarray, " G"]
) -> float | None:
    """The one threshold with the highest mean of F1 over groups: macro-F1 if a group is a label, example F1 if it is a row.

    Going down through the scores, each entry changes the F1 of its own group only; the running sum of these changes is the objective.

    Args:
        scores: (E,), of the entries that can be chosen.
        hits: (E,), which of them are positive.
        group: (E,), the group of each.
        positives: (G,), all positives of each group, including those that are not among the entries.

    Returns:
        As ``best_cut``.

    >>> best_mean_cut(np.array([3.0, 2.0, 1.0]), np.array([True, False, True]), np.array([0, 0, 1]), np.array([1, 1]))
    1.0
    """
    if not hits.any():
        return None
    useful = scores >= scores[hits].min()  # below the last positive every entry only lowers F1
    down = np.argsort(-scores[useful])
    ordered, hit, owner = scores[useful][down], hits[useful][down], group[useful][down].astype(np.min_scalar_type(len(positives)))
    change = _changes(hit, owner, positives)
    ends = np.flatnonzero(np.diff(ordered, append=-np.inf))  # ties are chosen together
    objective = np.cumsum(change)[ends]
    best = ordered[ends[np.argmax(objective >= objective.max() - ROUNDING)]]
    return _midway(scores[scores < best].max(initial=-np.inf), best)


def count_cut(scores: Float[np.ndarray, " E"], count: int) -> float:
    """The threshold that ``count`` scores reach, or, where equal scores cannot be parted, as near to it as can be.

    Args:
        scores: (E,), at least one.
        count: how many are to be chosen, from 0 on.

    Returns:
        Midway between the lowest score chosen and the next lower one; of two equally near thresholds the higher; the next number above
        all scores where none is to be chosen.

    >>> count_cut(np.array([3.0, 2.0, 1.0, 1.0]), 2), count_cut(np.array([3.0, 2.0, 1.0, 1.0]), 3)
    (1.5, 1.5)
    """
    ordered = np.sort(scores)
    cuts, first = np.unique(ordered, return_index=True)
    reached = np.append(len(ordered) - first, 0)
    nearest = len(cuts) - int(np.argmin(np.abs(reached[::-1] - count)))
    if nearest == len(cuts):
        return float(np.nextafter(cuts[-1], cuts.dtype.type(np.inf)))
    return _midway(cuts[max(nearest - 1, 0)], cuts[nearest])


def _changes(hits: Bool[np.ndarray, " E"], group: Int[np.ndarray, " E"], positives: Int[np.ndarray, " G"]) -> Float[np.ndarray, " E"]:
    """By how much each entry, chosen after all those before it, changes the F1 of its group."""
    by_group = np.argsort(group, kind="stable")  # a radix sort for small unsigned integers
    owner, hit = group[by_group], hits[by_group]
    starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    lengths = np.diff(starts, append=len(owner))
    chosen = np.arange(1, len(owner) + 1) - np.repeat(starts, lengths)
    reached = np.cumsum(hit)
    reached -= np.repeat(reached[starts] - hit[starts], lengths)
    f1 = 2 * reached / (chosen + positives[owner])
    step = np.diff(f1, prepend=0.0)
    step[starts] = f1[starts]
    change = np.empty_like(step)
    change[by_group] = step
    return change


def _midway(below: np.floating, lowest_chosen: np.floating) -> float:
    """A threshold in the scores' own precision that still parts two neighbouring scores; the lower one where there is no other."""
    middle = below / 2 + lowest_chosen / 2  # halves first: the sum may overflow
    return float(middle if below < middle <= lowest_chosen else lowest_chosen)
