"""Chooses how much more a label's positive rows count than its negative ones, by cross-validation on the training rows.

Plain training minimises errors, and for a rare label the fewest errors are made by never predicting it. Heavier positives move
the balance towards recall (Parambath, Usunier and Grandvalet, NeurIPS 2014: an optimal classifier for F1 is one for some weights).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from .base import TrainingData, run_in_parallel
from .linear import Solver
from .newton import Weights

TRUE_POSITIVES, FALSE_POSITIVES, FALSE_NEGATIVES = range(3)
Counts = Int[np.ndarray, "L W 3"]


def count_out_of_fold(
    solver: Solver,
    data: TrainingData,
    weights: Sequence[float],
    folds: Sequence[np.ndarray],
    jobs: int | None,
    done: Callable[[], None] = lambda: None,
) -> Counts:
    """True positives, false positives and false negatives of each label under each weight, summed over held-out folds.

    Args:
        solver: of one label.
        data: the training rows, with a constant feature.
        weights: W weights of positive rows.
        folds: row numbers of each fold.
        jobs: labels trained at once; None takes all cores.
        done: called after each label of each fold.

    Returns:
        (L, W, 3).
    """
    counts = np.zeros((data.num_labels, len(weights), 3), dtype=np.int64)
    for held_out in folds:
        rest = data.rows(np.setdiff1d(np.arange(len(data.target(0))), held_out))
        test = data.rows(held_out)

        def count(label: int, rest: TrainingData = rest, test: TrainingData = test) -> Counts:
            return _count(solver, rest, test, weights, label)

        counts += np.stack(run_in_parallel(count, range(data.num_labels), jobs, done))
    return counts


def _count(solver: Solver, rest: TrainingData, test: TrainingData, weights: Sequence[float], label: int) -> Counts:
    target, known = test.target(label), test.known(label)
    solutions = np.stack(fit_weights(solver, rest, label, weights), axis=1)
    chosen = (test.features @ solutions > 0) & known[:, None]
    carried = (target & known)[:, None]
    return np.stack([(chosen & carried).sum(0), (chosen & ~carried).sum(0), (~chosen & carried).sum(0)], axis=1)


def fit_weights(solver: Solver, data: TrainingData, label: int, weights: Sequence[float]) -> list[Weights]:
    """One label's solutions, trained under each of the weights on the rows where the label is annotated."""
    known = data.known(label)
    if known.all():
        return solver(data.features, data.target(label), weights)
    return solver(data.features[known], data.target(label)[known], weights)


def best_for_macro_f1(counts: Counts) -> Int[np.ndarray, " L"]:
    """For each label the weight with the highest F1 of its own, ``2 TP / (2 TP + FP + FN)``; ties go to the last weight.

    >>> best_for_macro_f1(np.array([[[5, 0, 5], [9, 3, 1]], [[0, 0, 2], [0, 0, 2]]])).tolist()
    [1, 1]
    """
    doubled, total = _parts_of_f1(counts)
    return _last_maximum(doubled / np.maximum(total, 1))


def best_for_micro_f1(counts: Counts) -> Int[np.ndarray, " L"]:
    """The weights, one a label, that together have the highest micro-F1, ``sum_l 2 TP_l / sum_l (2 TP_l + FP_l + FN_l)``.

    The ratio of two sums over labels is maximised exactly by Dinkelbach's iteration (Management Science 13, 1967): for the ratio
    ``r`` reached so far, every label on its own takes the weight with the highest ``2 TP - r (2 TP + FP + FN)``, until ``r`` stays.
    Ties go to the last weight.

    Args:
        counts: (L, W, 3), see ``count_out_of_fold``; weights from the lightest to the heaviest.

    Returns:
        (L,), the place of each label's weight.

    >>> best_for_micro_f1(np.array([[[5, 0, 5], [9, 3, 1]], [[1, 0, 1], [2, 30, 0]]])).tolist()
    [1, 0]
    """
    doubled, total = _parts_of_f1(counts)
    ratio, labels = 0.0, np.arange(len(counts))
    while True:
        best = _last_maximum(doubled - ratio * total)
        reached = doubled[labels, best].sum() / max(total[labels, best].sum(), 1)
        if reached <= ratio:
            return best
        ratio = reached


def _parts_of_f1(counts: Counts) -> tuple[Int[np.ndarray, "L W"], Int[np.ndarray, "L W"]]:
    doubled = 2 * counts[..., TRUE_POSITIVES]
    return doubled, doubled + counts[..., FALSE_POSITIVES] + counts[..., FALSE_NEGATIVES]


def _last_maximum(gains: Float[np.ndarray, "L W"]) -> Int[np.ndarray, " L"]:
    # A weight that changes nothing in cross-validation costs no precision there, and for rare labels it can only win recall.
    return gains.shape[1] - 1 - np.argmax(gains[:, ::-1], axis=1)


def make_folds(targets: sparse.csc_matrix, folds: int, seed: int) -> list[np.ndarray]:
    """Folds over which every label is spread evenly; empty ones, as tiny data has, are left out."""
    from ..data import iterative_stratification

    parts = iterative_stratification(sparse.csr_matrix(targets), [1 / folds] * folds, seed)
    return [part for part in parts if len(part)]
