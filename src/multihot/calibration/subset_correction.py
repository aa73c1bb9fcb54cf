"""Decide over whole label sets: the one of the training split that the scores speak for most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..errors import ConfigurationError
from ..interfaces import Decision
from ..labels import LabelStatistics, binarise
from .candidates import CHUNK, Candidates, as_given, count_hits, in_chunks, rows_to_learn_from
from .entries import read_scores
from .fixed import stored_where
from .tuned import GlobalDecision, expect_fitted

SPARSE_ROWS = 2**10  # rows of sparse scores that are looked at together: an index finds their label sets
OFFSETS = 8  # offsets tried beside 0 and the best single threshold
WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # of the logarithm of a label set's frequency, in units of the scores' spread
MEASURES = {"micro_f1": "micro-F1", "example_f1": "example F1", "subset_accuracy": "subset accuracy"}


class Settings(NamedTuple):
    """What is fitted: see ``SubsetCorrectionDecision``."""

    offset: float
    weight: float
    penalty: float


class _Outcome(NamedTuple):
    """Rows under one offset and weight: ``count_hits`` of the training split's best label sets and of new ones, and the lead of those."""

    known: Float[np.ndarray, "n 5"]
    new: Float[np.ndarray, "n 5"]
    lead: Float[np.ndarray, " n"]


class SubsetCorrectionDecision(Decision):
    """The label set of the training split that the scores speak for most, or a new one where they insist on it.

    ``argmax_S sum_{l in S} (s_l - t) - sum_{l not in S} (s_l - t) + w log f(S)`` over the label sets S of the training split, ``f(S)`` the
    share of training rows that carry S. The label set of all ``s_l > t`` that was never seen is taken where its own sum is higher by
    more than the penalty ``p``. With ``w = 0`` and ``p`` infinite this is the nearest label set, the subset correction of Senge, del Coz
    and Hüllermeier, "Rectifying classifier chains for multi-label classification", LWA 2013, on margins instead of 0 and 1.

    What is not given is fitted for ``measure`` on the validation split: t and w over a grid that the scores span, p exactly among all that
    matter (only those that take all or no new label sets of some rows).

    Args:
        statistics: of the training split.
        measure: ``"micro_f1"``, ``"example_f1"`` or ``"subset_accuracy"``.
        offset: t, a score; None fits it.
        weight: w, at least 0, a score for each factor e of frequency; None fits it.
        penalty: p, at least 0, a score; infinity never makes a new label set. None fits it.

    Raises:
        ConfigurationError: for another measure, or a setting outside its range.

    >>> statistics = LabelStatistics.from_targets([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    >>> decision = SubsetCorrectionDecision(statistics, offset=0.0, weight=0.0, penalty=float("inf"))
    >>> decision([[2.0, -1.0, -3.0]]).tolist()
    [[True, True, False]]
    """

    needs_fit = True

    def __init__(
        self,
        statistics: LabelStatistics,
        measure: str = "subset_accuracy",
        offset: float | None = None,
        weight: float | None = None,
        penalty: float | None = None,
    ):
        if measure not in MEASURES:
            raise ConfigurationError(f"decision 'subset_correction': measure must be one of {', '.join(MEASURES)}, got {measure!r}")
        for name, value, lowest in (("offset", offset, -np.inf), ("weight", weight, 0), ("penalty", penalty, 0)):
            if value is not None and (not isinstance(value, (int, float)) or isinstance(value, bool) or not value >= lowest):
                allowed = "a number" if lowest else "a number from 0 on"
                raise ConfigurationError(f"decision 'subset_correction': {name} must be {allowed}, got {value!r}")
        self.measure = measure
        self.given = (offset, weight, penalty)
        self.needs_fit = None in self.given  # type: ignore[misc]
        self.settings = None if self.needs_fit else Settings(*(float(value) for value in self.given))  # type: ignore[arg-type]
        self.statistics = statistics
        self.candidates = Candidates(statistics)

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        return "order"

    @property
    def fitted(self) -> bool:
        return self.settings is not None

    @property
    def rule(self) -> str:
        how = f"tuned for {MEASURES[self.measure]} on held-out rows" if self.needs_fit else "by settings given beforehand"
        return f"The label set of the training split that the scores speak for most is chosen, or a new one that they insist on, {how}."

    def cuts(self, scores: Any) -> Any:
        return expect_fitted("subset_correction", self.settings).offset

    def fit(self, scores: Any, targets: Any, known: Any = None) -> SubsetCorrectionDecision:
        """Find offset, weight and penalty. Rows with an unknown entry are left out: their label sets are not known.

        Rows that the label sets were counted on are judged by all others; see ``Candidates.counted``.
        """
        if not self.needs_fit:
            return self
        matrix, truth = read_scores(scores), binarise(targets)
        rows = rows_to_learn_from(matrix.shape[0], known)
        matrix, truth = (matrix[rows], truth[rows]) if len(rows) else (matrix, truth)
        grid = self._grid(matrix, truth)
        counted = self.candidates.counted(truth)
        tried: dict[Settings, Float[np.ndarray, "n 5"]] = {}
        for (offset, weight), outcome in zip(grid, self._outcomes(matrix, truth, grid, counted), strict=True):
            for penalty in {np.inf, self._best_penalty(outcome)} if self.given[2] is None else {self.given[2]}:
                tried[Settings(offset, weight, penalty)] = np.where(outcome.lead[:, None] > penalty, outcome.new, outcome.known)
        self.settings = self._simplest(tried)
        return self

    def __call__(self, scores: Any) -> Any:
        matrix = read_scores(scores)
        offset, weight, penalty = expect_fitted("subset_correction", self.settings)
        return as_given([self._choose(part, offset, weight, penalty) for _, part in self._chunks(matrix)], matrix)

    def to_dict(self) -> dict[str, Any]:
        settings = expect_fitted("subset_correction", self.settings)
        return settings._asdict() | {"penalty": settings.penalty if np.isfinite(settings.penalty) else None}  # JSON has no infinity

    def load_dict(self, content: dict[str, Any]) -> SubsetCorrectionDecision:
        self.settings = Settings(
            float(content["offset"]), float(content["weight"]), np.inf if content["penalty"] is None else float(content["penalty"])
        )
        return self

    def _chunks(self, matrix: Any) -> Iterator[tuple[slice, Any]]:
        return in_chunks(matrix, SPARSE_ROWS if sparse.issparse(matrix) else CHUNK // max(*self.candidates.members.shape, 1))

    def _nearest(
        self, sums: Any, offset: float, weight: float, counted: Int[np.ndarray, " n"] | None = None
    ) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """The best label set of the training split for each row, and its value: half of that above, but for a constant of the row.

        ``counted`` names the label set for which each row itself was counted: it is judged by all rows but itself.
        """
        bonus = 0.5 * weight * self.candidates.log_frequency - offset * self.candidates.sizes
        if counted is not None:
            less, lifted = self.candidates.without(counted, 0.5 * weight)
            bonus = bonus + lifted
        if not sparse.issparse(sums):
            values = sums + bonus
            if counted is not None:
                values[np.arange(len(values)), counted] += less
            found = values.argmax(axis=1)
            return found, values[np.arange(len(values)), found]
        empty = np.flatnonzero(self.candidates.sizes == 0)[:1]
        found = np.full(sums.shape[0], empty[0] if len(empty) else 0)
        best = np.full(sums.shape[0], bonus[empty[0]] if len(empty) else -np.inf)
        values, starts = sums.data + bonus[sums.indices], sums.indptr[:-1]
        if counted is not None:
            of_row = np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))
            own = np.flatnonzero(sums.indices == counted[of_row])
            values[own] += less[of_row[own]]
            if len(empty):
                best[counted == empty[0]] += less[counted == empty[0]]
        rows = np.flatnonzero(np.diff(sums.indptr))
        highest = np.maximum.reduceat(values, starts[rows]) if len(rows) else np.empty(0)
        first = np.flatnonzero(values == np.repeat(highest, np.diff(sums.indptr)[rows]))[::-1]  # of equals the first is written last
        place = np.zeros(sums.shape[0], dtype=np.int64)
        place[np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))[first]] = sums.indices[first]
        better = rows[highest > best[rows]]
        found[better], best[rows] = place[better], np.maximum(highest, best[rows])
        return found, best

    def _new(self, part: Any, offset: float, alone: Any = None) -> tuple[Any, Float[np.ndarray, " n"]]:
        """The label set of all scores above the offset, and its value; -inf where it is empty, or one of the training split.

        ``alone`` (n, L) holds label sets that no row but that one carries: for it they are new.
        """
        if sparse.issparse(part):
            chosen = stored_where(part, part.data > offset)
            gains = stored_where(part, part.data > offset, part.data - offset)
        else:
            chosen = part > offset
            gains = np.where(chosen, part - offset, 0.0)
        size, seen = _per_row(chosen), self.statistics.set_frequency(chosen) > 0
        if alone is not None:
            seen &= ~((_per_row(alone.multiply(chosen)) == size) & (_per_row(alone) == size))
        new = (size > 0) & ~seen
        return chosen, np.where(new, _per_row(gains), -np.inf)

    def _choose(self, part: Any, offset: float, weight: float, penalty: float) -> sparse.csr_matrix:
        found, values = self._nearest(self.candidates.sums(part), offset, weight)
        chosen = sparse.csr_matrix(self.candidates.members[found], dtype=bool)
        above, own = self._new(part, offset)
        insists = (_lead(own, values) > penalty) | (values == -np.inf)  # no label set of the training split has a score
        if not insists.any():
            return chosen
        known = sparse.csr_matrix(chosen.multiply(~insists[:, None]))
        return sparse.csr_matrix(known + sparse.csr_matrix(above).multiply(insists[:, None]), dtype=bool)

    def _grid(self, matrix: Any, truth: sparse.csr_matrix) -> list[tuple[float, float]]:
        """Offsets and weights to try."""
        offset, weight, _ = self.given
        stored = matrix.data if sparse.issparse(matrix) else matrix
        usable = stored[np.isfinite(stored)]
        true = _scores_at(matrix, truth)
        if not len(true) or not usable.size:
            return [(offset or 0.0, weight or 0.0)]
        threshold = expect_fitted("global", GlobalDecision().fit(matrix, truth).threshold)
        low, high = np.quantile(true, [0.02, 0.6])
        offsets = {0.0, threshold, *np.linspace(low, high, OFFSETS).tolist()} if offset is None else {offset}
        spread = float(np.median(true) - np.median(usable))
        weights = {abs(spread) * share for share in WEIGHTS} if weight is None else {weight}
        return [(t, w) for t in sorted(offsets, key=abs) for w in sorted(weights)]

    def _outcomes(
        self, matrix: Any, truth: sparse.csr_matrix, grid: list[tuple[float, float]], counted: Int[np.ndarray, " n"] | None = None
    ) -> list[_Outcome]:
        """For each offset and weight, what becomes of every row by the training split's label sets and by a new one."""
        rows = matrix.shape[0]
        found = [_Outcome(np.zeros((rows, 5)), np.zeros((rows, 5)), np.zeros(rows)) for _ in grid]
        for part, scores in self._chunks(matrix):
            true, here = truth[part], None if counted is None else counted[part]
            alone = None if here is None else true.multiply((self.candidates.counts[here] == 1)[:, None]).tocsr()
            wanted, sums = np.diff(true.indptr), self.candidates.sums(scores)
            shared = sparse.csr_matrix(true.astype(np.float64) @ self.candidates.holders)
            for number, (offset, weight) in enumerate(grid):
                if not number or offset != grid[number - 1][0]:
                    above, own = self._new(scores, offset, alone)
                    new = count_hits(_per_row(true.multiply(above)), _per_row(above), wanted)
                best, values = self._nearest(sums, offset, weight, here)
                known = count_hits(np.asarray(shared[np.arange(len(best)), best]).ravel(), self.candidates.sizes[best], wanted)
                found[number].known[part], found[number].new[part], found[number].lead[part] = known, new, _lead(own, values)
        return found

    def _best_penalty(self, outcome: _Outcome) -> float:
        """The penalty with the highest value of the measure over all penalties; of equals the highest."""
        lead = outcome.lead
        order = np.argsort(-lead, kind="stable")
        order = order[lead[order] > 0]  # a penalty is at least 0
        gains = (outcome.new - outcome.known)[order]
        totals = outcome.known.sum(axis=0) + np.concatenate([np.zeros((1, 5)), gains.cumsum(axis=0)])
        falling = np.append(lead[order], 0.0)
        ends = [end for end in range(len(falling)) if not end or falling[end] != falling[end - 1]]
        end = ends[int(np.argmax([self._value(totals[end], len(lead)) for end in ends]))]
        return float((falling[end - 1] + falling[end]) / 2) if end else np.inf

    def _simplest(self, tried: dict[Settings, Float[np.ndarray, "n 5"]]) -> Settings:
        """The plainest settings that are no more than one standard error worse than the best (Breiman et al. 1984)."""
        values = {settings: self._value(rows.sum(axis=0), len(rows)) for settings, rows in tried.items()}
        best = max(values, key=lambda settings: values[settings])
        for settings in sorted(tried, key=_complexity):
            gap = self._each(tried[best]) - self._each(tried[settings])
            if values[best] - values[settings] <= gap.std() / np.sqrt(max(len(gap), 1)):
                return settings
        return best

    def _each(self, rows: Float[np.ndarray, "n 5"]) -> Float[np.ndarray, " n"]:
        """What each row adds to the measure; to micro-F1, a ratio of sums, by its linear approximation."""
        hits, chosen, true, example_f1, exact = rows.T
        if self.measure == "micro_f1":
            value = self._value(rows.sum(axis=0), len(rows))
            return (2 * hits - value * (chosen + true)) / max((chosen + true).mean(), 1e-12)
        return example_f1 if self.measure == "example_f1" else exact

    def _value(self, totals: Float[np.ndarray, " 5"], rows: int) -> float:
        hits, chosen, true, example_f1, exact = totals
        if self.measure == "micro_f1":
            return 2 * hits / (chosen + true) if chosen + true else 0.0
        return (example_f1 if self.measure == "example_f1" else exact) / max(rows, 1)


def _per_row(matrix: Any) -> Float[np.ndarray, " n"]:
    return np.asarray(matrix.sum(axis=1)).ravel()


def _complexity(settings: Settings) -> tuple[float, ...]:
    """What is plainer comes first: fewer settings beside 0 and infinity, then smaller ones."""
    offset, weight, penalty = settings
    return ((offset != 0) + (weight != 0) + np.isfinite(penalty), abs(offset), weight, -penalty)


def _lead(own: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """By how much the sum of a new label set is higher than the best of the training split's."""
    scored = values > -np.inf
    return np.where(scored, 2 * (own - np.where(scored, values, 0.0)), np.where(own > -np.inf, np.inf, -np.inf))


def _scores_at(matrix: Any, truth: sparse.csr_matrix) -> np.ndarray:
    """The scores of true labels that have one."""
    rows = np.repeat(np.arange(truth.shape[0]), np.diff(truth.indptr))
    found = np.asarray(matrix[rows, truth.indices]).ravel() if len(rows) else np.zeros(0)
    if sparse.issparse(matrix):
        found = found[found != 0]
    return found[np.isfinite(found)]
