"""Measures of how each instance ranks its labels, and of how honest its probabilities are; all of them sums over instances."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..labels import LabelStatistics
from .counts import ratio
from .inputs import Rows
from .metric import Metric
from .ranks import PositiveRanks, SortedGroups, rank_positives, scores_of


def _metric(name: str, title: str, explanation: str, **more: Any) -> Metric:
    return Metric(name, title, explanation, "scores", **more)


SCORE_METRICS = (
    _metric("map", "mAP", "mean average precision of the ranking, over labels", headline=True, compared=True),
    _metric("micro_ap", "micro AP", "average precision over all entries"),
    _metric("auroc_macro", "macro AUROC", "chance that a positive outscores a negative of the same label, mean over labels"),
    _metric("auroc_micro", "micro AUROC", "chance that a positive outscores a negative, of any label"),
    _metric("coverage_error", "coverage error", "worst rank of a true label, mean over instances", better="lower", bounds=(0.0, inf)),
    _metric("ranking_loss", "ranking loss", "pairs of a true and a false label in the wrong order", better="lower"),
    _metric("lrap", "LRAP", "precision of the ranking at each true label, mean over instances"),
    _metric("one_error", "one-error", "instances whose best label is not true", better="lower"),
    _metric("precision_at_k", "precision@k", "true labels among the best k"),
    _metric("ndcg_at_k", "nDCG@k", "discounted gain of the best k, over the best attainable"),
    _metric("psp_at_k", "PSP@k", "precision at k, rare labels weighing more"),
    _metric("calibration_error", "calibration error", "distance of probabilities from observed frequencies", better="lower"),
)


def propensities(statistics: LabelStatistics, a: float = 0.55, b: float = 1.5) -> Float[np.ndarray, " L"]:
    """How likely a true label is to be annotated at all, estimated from its training frequency.

    ``p_i = 1 / (1 + C (n_i + b)^-a)`` with ``C = (ln N - 1) (b + 1)^a`` (Jain, Prabhu and Varma, KDD 2016).

    Args:
        statistics: of the training split.
        a: exponent; 0.55 for most data sets, 0.5 for Wikipedia, 0.6 for Amazon.
        b: offset; 1.5, 0.4 and 2.6 respectively.

    Returns:
        (L,), in (0, 1].

    >>> propensities(LabelStatistics.from_targets([[1, 0], [1, 1], [1, 0], [1, 0]])).round(3).tolist()
    [0.8, 0.721]
    """
    scale = max(np.log(max(statistics.num_examples, 1)) - 1, 0.0) * (b + 1) ** a  # below e examples the formula leaves (0, 1]
    return 1 / (1 + scale * (statistics.counts + b) ** -a)


class RankingSums:
    """Sums over instances of the ranking measures.

    Args:
        at: the cut-offs k of P@k, nDCG@k and PSP@k.
        inverse_propensity: (L,), the weight of each label in PSP@k, or None to leave PSP@k out.
    """

    def __init__(self, at: Sequence[int], inverse_propensity: Float[np.ndarray, " L"] | None):
        self.at = tuple(at)
        self.inverse_propensity = inverse_propensity
        self.num_rows = 0
        self.sums: dict[str, float] = {}

    def add(self, rows: Rows) -> None:
        """Rank the labels of some more instances."""
        known = rows.known_per_row
        dense = not sparse.issparse(rows.scores)
        groups = SortedGroups.from_dense(rows.scores) if dense else SortedGroups.from_sparse(rows.scores, known)
        ranks = rank_positives(groups, rows.targets.indptr, scores_of(rows.scores, rows.targets))
        positives, annotated = np.diff(rows.targets.indptr), known > 0
        self.num_rows += int(annotated.sum())
        self._add_whole_ranking(ranks, positives[annotated], known[annotated], annotated)
        for k in self.at:
            self._add_cut(k, ranks, positives, rows.targets)

    def _add_whole_ranking(self, ranks: PositiveRanks, positives: np.ndarray, known: np.ndarray, annotated: np.ndarray) -> None:
        deepest = np.zeros(len(annotated), dtype=np.int64)
        np.maximum.at(deepest, ranks.group, ranks.at_least)
        wrong_pairs = np.bincount(ranks.group, weights=ranks.negatives_at_least, minlength=len(annotated))[annotated]
        precision = np.bincount(ranks.group, weights=ranks.precision, minlength=len(annotated))[annotated]
        self._sum("coverage_error", deepest[annotated])
        self._sum("ranking_loss", ratio(wrong_pairs, positives * (known - positives)))
        self._sum("lrap", np.where(positives > 0, ratio(precision, positives), 1.0))

    def _add_cut(self, k: int, ranks: PositiveRanks, positives: np.ndarray, targets: sparse.csr_matrix) -> None:
        hits = _expected_gain(np.ones(k), ranks)
        discounts = 1 / np.log2(np.arange(k) + 2)
        best = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(positives, k)]
        gain = np.bincount(ranks.group, weights=_expected_gain(discounts, ranks), minlength=len(positives))
        self._sum(f"precision_at_{k}", hits / k)
        self._sum(f"ndcg_at_{k}", ratio(gain, best))
        if self.inverse_propensity is not None:
            weights = self.inverse_propensity[targets.indices]
            heaviest_first = np.lexsort((-weights, ranks.group))
            place = np.arange(len(weights)) - targets.indptr[:-1][ranks.group]  # of each true label, among those of its row
            self._sum(f"psp_reached_{k}", hits * weights)
            self._sum(f"psp_attainable_{k}", weights[heaviest_first][place < k])

    def _sum(self, name: str, values: np.ndarray) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + float(values.sum())

    def measures(self) -> dict[str, float]:
        """The ranking measures; PSP@k is what was reached divided by what the best ranking would have reached."""
        names = ["coverage_error", "ranking_loss", "lrap"] + [f"{name}_at_{k}" for name in ("precision", "ndcg") for k in self.at]
        found = {name: self.sums[name] / self.num_rows for name in names}
        if 1 in self.at:
            found["one_error"] = 1 - found["precision_at_1"]
        for k in self.at if self.inverse_propensity is not None else ():
            attainable = self.sums[f"psp_attainable_{k}"]
            found[f"psp_at_{k}"] = self.sums[f"psp_reached_{k}"] / attainable if attainable else 0.0
        return found


def _expected_gain(discounts: Float[np.ndarray, " k"], ranks: PositiveRanks) -> Float[np.ndarray, " P"]:
    """What each positive earns in the first k places, averaged over all orders of its ties; a score of -inf earns nothing."""
    k = len(discounts)
    reached = np.concatenate([[0.0], np.cumsum(discounts)])
    gain = ratio(reached[np.minimum(ranks.at_least, k)] - reached[np.minimum(ranks.above, k)], ranks.at_least - ranks.above)
    return np.where(np.isneginf(ranks.scores), 0.0, gain)


class CalibrationSums:
    """Sums over entries of the expected calibration error: ``sum_b |sum_{i in b} (y_i - p_i)| / entries`` over equal-width bins b.

    Args:
        bins: how many bins of [0, 1].
    """

    def __init__(self, bins: int = 15):
        self.bins = bins
        self.gaps = np.zeros(bins)
        self.num_entries = 0

    def add(self, rows: Rows) -> None:
        """Bin some more probabilities; entries that a sparse matrix does not store have probability 0."""
        if sparse.issparse(rows.scores):
            probabilities = rows.scores.data.astype(np.float64)
            absent_true = rows.targets.nnz - int(np.isfinite(scores_of(rows.scores, rows.targets)).sum())
            self.gaps[0] += absent_true
        else:
            probabilities = rows.scores[~np.isnan(rows.scores)].astype(np.float64)
        self._bin(probabilities, -probabilities)
        positives = scores_of(rows.scores, rows.targets).astype(np.float64)
        self._bin(positives[np.isfinite(positives)], np.ones(int(np.isfinite(positives).sum())))
        self.num_entries += int(rows.known_per_row.sum())

    def _bin(self, probabilities: np.ndarray, weights: np.ndarray) -> None:
        place = np.minimum((probabilities * self.bins).astype(np.int64), self.bins - 1)
        self.gaps += np.bincount(place, weights=weights, minlength=self.bins)

    def measures(self) -> dict[str, float]:
        return {"calibration_error": float(np.abs(self.gaps).sum()) / self.num_entries}
