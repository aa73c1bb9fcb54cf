"""Decide over whole label sets by label probabilities: the one of the training split with the highest expected utility."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ..errors import ConfigurationError
from ..interfaces import Decision
from ..labels import LabelStatistics, binarise
from .candidates import CHUNK, Candidates, as_given, count_hits, in_chunks, rows_to_learn_from
from .entries import read_scores
from .tuned import expect_fitted

MEASURES = {"example_f1": "example F1", "subset_accuracy": "subset accuracy"}
SPARSE_ROWS = 2**6  # rows of sparse scores that are looked at together: only label sets that are possible for one of them count
WEIGHTS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)


class ExpectedUtilityDecision(Decision):
    """The label set of the training split with the highest expected example F1 or subset accuracy, under a distribution over these sets.

    ``argmax_H sum_S P(S | x) u(S, H)``, S and H over the label sets of the training split, ``P(S | x) ~ prod_{l in S} o_l(x) r(S)^w``.
    Here ``o_l(x) = exp(score)`` are the odds of label l, and ``r(S) = f(S) / prod_{l in S} o_l`` says how often S occurs in training (the
    share f(S) of rows) beside what the odds ``o_l`` of its labels there promise. With ``w = 0`` labels are independent; with ``w = 1`` only
    what x says of them is, and f(S) is the prior. Frequencies alone, without ``o_l``, would count twice: probabilities hold them already.

    ``u = 2 |S and H| / (|S| + |H|)`` is a sum over the labels of H, so that the maximum is exact without a table of all pairs:
    ``sum_{l in H} sum_s 2 P(l in S, |S| = s | x) / (s + |H|)``, as in Dembczynski et al., "An exact algorithm for F-measure maximization",
    NIPS 2011, and Waegeman et al., "On the Bayes-optimality of F-measure maximizers", JMLR 2014, who look at all label sets H. F1 of an
    empty set counts 0, as in the measures. Expected subset accuracy is highest for the most probable set.

    Scores must be logits of probabilities that hold: name a ``calibration``, or use a loss whose scores are log-odds. Where no label set
    of the training split is possible, since a label without a score is not, labels above probability one half are chosen.

    Args:
        statistics: of the training split.
        measure: u, ``"example_f1"`` or ``"subset_accuracy"``.
        weight: w, at least 0; None takes the best of 0, 1/8, ..., 1 for the measure on the validation split.

    Raises:
        ConfigurationError: for another measure, or a weight below 0.

    >>> statistics = LabelStatistics.from_targets([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]])
    >>> scores = [[0.0, 0.1, 0.0, 0.2]]  # the last label alone is the most probable set, but the two others share a label
    >>> ExpectedUtilityDecision(statistics, measure="subset_accuracy", weight=0)(scores).tolist()
    [[False, False, False, True]]
    >>> ExpectedUtilityDecision(statistics, measure="example_f1", weight=0)(scores).tolist()
    [[True, True, False, False]]
    """

    needs_fit = True

    def __init__(self, statistics: LabelStatistics, measure: str = "example_f1", weight: float | None = None):
        if measure not in MEASURES:
            raise ConfigurationError(f"decision 'expected_utility': measure must be one of {', '.join(MEASURES)}, got {measure!r}")
        if weight is not None and (not isinstance(weight, (int, float)) or isinstance(weight, bool) or not 0 <= weight < np.inf):
            raise ConfigurationError(f"decision 'expected_utility': weight must be a finite number from 0 on, got {weight!r}")
        self.measure = measure
        self.weight = None if weight is None else float(weight)
        self.needs_fit = weight is None  # type: ignore[misc]
        self.candidates = Candidates(statistics)
        self.log_ratio = self.candidates.log_frequency - self.candidates.members @ statistics.log_odds  # log r(S)
        self.tables = _f1_tables(self.candidates.members)

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        return "log_odds"

    @property
    def fitted(self) -> bool:
        return self.weight is not None

    @property
    def rule(self) -> str:
        how = "a weight tuned on held-out rows" if self.needs_fit else "a weight given beforehand"
        wanted = MEASURES[self.measure]
        return f"The label set of the training split with the highest expected {wanted} is chosen; how often it occurs has {how}."

    def fit(self, scores: Any, targets: Any, known: Any = None) -> ExpectedUtilityDecision:
        """Find the weight. Rows with an unknown entry are left out: their label sets are not known.

        Rows that the label sets were counted on are judged by all others; see ``Candidates.counted``.
        """
        if not self.needs_fit:
            return self
        matrix, truth = read_scores(scores), binarise(targets)
        rows = rows_to_learn_from(matrix.shape[0], known)
        matrix, truth = matrix[rows], truth[rows]
        counted = self.candidates.counted(truth)
        totals = np.zeros(len(WEIGHTS))
        for part, scored in self._chunks(matrix):
            sums, places = self._sums(scored)
            for number, weight in enumerate(WEIGHTS):
                logs = sums + weight * self.log_ratio[places]
                if counted is not None:
                    self._take_out(logs, places, counted[part], weight)
                totals[number] += self._measure(*self._best(logs, places), truth[part])
        self.weight = WEIGHTS[int(totals.argmax())]  # of equals the smallest
        return self

    def __call__(self, scores: Any) -> Any:
        matrix = read_scores(scores)
        weight = expect_fitted("expected_utility", self.weight)
        return as_given([self._choose(part, weight) for _, part in self._chunks(matrix)], matrix)

    def to_dict(self) -> dict[str, Any]:
        return {"weight": expect_fitted("expected_utility", self.weight)}

    def load_dict(self, content: dict[str, Any]) -> ExpectedUtilityDecision:
        self.weight = float(content["weight"])
        return self

    def _chunks(self, matrix: Any) -> Iterator[tuple[slice, Any]]:
        held, members = self.tables[0], self.candidates.members
        return in_chunks(matrix, SPARSE_ROWS if sparse.issparse(matrix) else CHUNK // max(*held.shape, members.shape[1], 1))

    def _sums(self, part: Any) -> tuple[Float[np.ndarray, "n V"], Int[np.ndarray, " V"]]:
        """The sums of scores of the label sets that are possible for one of the rows, -inf for rows where not, and which they are."""
        sums = self.candidates.sums(part)
        if not sparse.issparse(sums):
            return sums, np.arange(sums.shape[1])
        empty = np.flatnonzero(self.candidates.sizes == 0)
        places = np.union1d(sums.indices, empty)
        found = np.full((sums.shape[0], len(places)), -np.inf)
        found[np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr)), np.searchsorted(places, sums.indices)] = sums.data
        found[:, np.searchsorted(places, empty)] = 0.0
        return found, places

    def _take_out(self, logs: Float[np.ndarray, "n V"], places: Int[np.ndarray, " V"], own: Int[np.ndarray, " n"], weight: float) -> None:
        """Count each row's own label set once less."""
        rows = np.flatnonzero(np.isin(own, places))
        less, _ = self.candidates.without(own[rows], weight)
        logs[rows, np.searchsorted(places, own[rows])] += less

    def _best(self, logs: Float[np.ndarray, "n V"], places: Int[np.ndarray, " V"]) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """The label set of the highest expected utility for each row, and whether there is one.

        Args:
            logs: ``log P(S | x)`` but for a constant of the row; -inf where S is impossible.
            places: which label sets these are.
        """
        possible: Bool[np.ndarray, " n"] = np.asarray((logs > -np.inf).any(axis=1))
        if not possible.any():
            return np.zeros(len(logs), dtype=np.int64), possible
        values = logs
        if self.measure == "example_f1":
            held, shares = self.tables if len(places) == len(self.candidates.sizes) else _f1_tables(self.candidates.members[places])
            probabilities = np.exp(logs - np.where(possible, logs.max(axis=1), 0.0)[:, None])
            values = np.asarray(((probabilities @ held) @ shares) @ held.T)  # expected F1, but for a factor of the row
            values[logs == -np.inf] = -np.inf
        return places[values.argmax(axis=1)], possible

    def _choose(self, part: Any, weight: float) -> sparse.csr_matrix:
        sums, places = self._sums(part)
        found, possible = self._best(sums + weight * self.log_ratio[places], places)
        chosen = sparse.csr_matrix(self.candidates.members[found], dtype=bool)
        if possible.all():
            return chosen
        above = sparse.csr_matrix(part > 0)
        return sparse.csr_matrix(chosen.multiply(possible[:, None]) + above.multiply(~possible[:, None]), dtype=bool)

    def _measure(self, found: Int[np.ndarray, " n"], possible: Bool[np.ndarray, " n"], truth: sparse.csr_matrix) -> float:
        """The sum of the measure over some rows; one without a possible label set counts 0."""
        hits = np.asarray(self.candidates.members[found].multiply(truth).sum(axis=1)).ravel()
        counts = count_hits(hits, self.candidates.sizes[found], np.diff(truth.indptr))
        return float(counts[possible, 3 if self.measure == "example_f1" else 4].sum())


def _f1_tables(members: sparse.csr_matrix) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """What the expected F1 of (V, L) label sets is a product of.

    E pairs of a label and the size of a set that holds it occur: (V, E) which of them each set holds, so that with p its probability
    ``p @ held`` is ``P(l in S, |S| = s)``; and (E, E) ``2 / (s + k)`` between pairs of the same label.
    """
    sizes = np.diff(members.indptr)
    sets = np.repeat(np.arange(members.shape[0]), sizes)
    pairs, place = np.unique(np.stack([members.indices, sizes[sets]]), axis=1, return_inverse=True)
    held = sparse.csr_matrix((np.ones(len(sets)), (sets, place.ravel())), shape=(members.shape[0], pairs.shape[1]))
    of_label = sparse.csr_matrix((np.ones(pairs.shape[1]), (np.arange(pairs.shape[1]), pairs[0])), shape=(pairs.shape[1], members.shape[1]))
    shares = sparse.coo_matrix(of_label @ of_label.T)  # 1 where the label is the same
    shares.data = 2.0 / (pairs[1][shares.row] + pairs[1][shares.col])
    return held, sparse.csr_matrix(shares)
