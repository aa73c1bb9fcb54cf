"""How sure a figure is: bootstrap intervals, the paired permutation test, spread over seeds, average ranks. NumPy and SciPy only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..errors import ConfigurationError, DataError
from .counts import COLUMNS, SetTable, Sums
from .metric import Metric
from .registry import check_resampled
from .sets import SET_METRICS

Interval = tuple[float, float]
USUAL = tuple(metric.name for metric in SET_METRICS if metric.better == "higher")
CHUNK_ENTRIES = 2**22  # 32 MiB in float64


def bootstrap_interval(
    targets: Any, chosen: Any, measure: str = "micro_f1", samples: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of one measure over instances; see ``bootstrap_intervals``.

    >>> targets = [[1, 0], [0, 1]] * 50
    >>> low, high = bootstrap_interval(targets, [[1, 0], [1, 0]] * 50, "subset_accuracy")
    >>> 0.35 < low < 0.5 < high < 0.65
    True
    """
    return bootstrap_intervals(targets, chosen, [measure], samples, level, seed)[measure]


def bootstrap_intervals(
    targets: Any,
    chosen: Any,
    measures: Iterable[str] = USUAL,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Percentile bootstrap intervals over instances: the N instances are drawn anew with replacement, again and again.

    The interval of a measure m is ``[quantile_{(1 - level) / 2}, quantile_{(1 + level) / 2}]`` of ``m(draw_1), ..., m(draw_samples)``.
    Macro averages run over all L labels in every draw. All measures see the same draws.

    Args:
        targets: (N, L) of 0 and 1, dense or sparse.
        chosen: (N, L) of 0 and 1, dense or sparse: the predicted label sets; or a list of such matrices, one for each seed of a method:
            then the interval is that of the mean over the seeds, and every seed sees the same draws.
        measures: names of ``multihot.metrics.evaluate``, of those that follow from label sets.
        samples: how often instances are drawn.
        level: the share of draws inside the interval, in (0, 1).
        seed: of the draws.

    Returns:
        measure -> (low, high).

    Raises:
        ConfigurationError: for an unknown measure, or a level or number of samples out of range.
        DataError: for matrices that do not fit together.

    >>> sorted(bootstrap_intervals([[1, 0]] * 9, [[1, 0]] * 9, ["micro_f1", "jaccard"]).items())
    [('jaccard', (1.0, 1.0)), ('micro_f1', (1.0, 1.0))]
    """
    return intervals_of(_tables(targets, chosen), measures, samples, level, seed)


def intervals_of(
    tables: Sequence[SetTable], measures: Iterable[str], samples: int = 1000, level: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """``bootstrap_intervals`` of tables that are made already, one for each seed of a method."""
    wanted = check_resampled(measures)
    _check_range(samples, level)
    tables = _columns_for(tables, wanted)
    random = np.random.default_rng(seed)
    per_label = any(metric.per_label for metric in wanted)
    drawn: dict[str, list[np.ndarray]] = {metric.name: [] for metric in wanted}
    for size in _chunks(samples, max(len(tables[0]), tables[0].labels.shape[1])):
        weights = _draws(random, size, len(tables[0]))
        sums = [table.sums(weights, per_label) for table in tables]
        for name, values in _measured(sums, wanted).items():
            drawn[name].append(values)
    ends = [(1 - level) / 2, (1 + level) / 2]
    return {name: tuple(np.quantile(np.concatenate(values), ends).tolist()) for name, values in drawn.items()}


def permutation_test(targets: Any, chosen_a: Any, chosen_b: Any, measure: str = "micro_f1", samples: int = 10_000, seed: int = 0) -> float:
    """Paired permutation test of one measure; see ``permutation_tests``.

    >>> targets = [[1, 0], [0, 1]] * 4
    >>> permutation_test(targets, targets, [[0, 1], [0, 1]] * 4, "subset_accuracy")  # 4 instances differ: 2 of 16 swaps are as extreme
    0.125
    """
    return permutation_tests(targets, chosen_a, chosen_b, [measure], samples, seed)[measure]


def permutation_tests(
    targets: Any,
    chosen_a: Any,
    chosen_b: Any,
    measures: Iterable[str] = USUAL,
    samples: int = 10_000,
    seed: int = 0,
) -> dict[str, float]:
    """Two-sided paired permutation test: would the difference be as large if, on each instance, either system had given either answer?

    Under a swap, each instance's two label sets change places with probability 1/2. With the difference d of a measure,
    ``p = (1 + #{|d(swap)| >= |d|}) / (1 + samples)``. Where all ``2^D`` swaps of the D instances on which the systems differ are no more
    than ``samples``, each is tried once and ``p`` is their exact share.

    Args:
        targets: (N, L) of 0 and 1, dense or sparse.
        chosen_a: (N, L) of 0 and 1, or a list of such matrices, one for each seed.
        chosen_b: the same of the other system; with several seeds, the i-th matrix of a is paired with the i-th of b, an instance is
            swapped in all pairs at once, and d is the mean over the pairs.
        measures: names of ``multihot.metrics.evaluate``, of those that follow from label sets.
        samples: how many swaps are drawn.
        seed: of the draws.

    Returns:
        measure -> p.

    Raises:
        ConfigurationError: for an unknown measure or a number of samples out of range.
        DataError: for matrices that do not fit together.
    """
    return p_values_of(_tables(targets, chosen_a), _tables(targets, chosen_b), measures, samples, seed)


def p_values_of(
    ours: Sequence[SetTable], theirs: Sequence[SetTable], measures: Iterable[str], samples: int = 10_000, seed: int = 0
) -> dict[str, float]:
    """``permutation_tests`` of tables that are made already, one for each seed of either system."""
    wanted = check_resampled(measures)
    _check_range(samples)
    if len(ours) != len(theirs):
        raise DataError(f"a paired test needs as many seeds of one system as of the other, got {len(ours)} and {len(theirs)}")
    ours, theirs = _columns_for(ours, wanted), _columns_for(theirs, wanted)
    changes = [b - a for a, b in zip(ours, theirs, strict=True)]
    rows = np.unique(np.concatenate([change.filled for change in changes]))
    exact = len(rows) <= math.log2(samples)
    total, random = 2 ** len(rows) if exact else samples, np.random.default_rng(seed)
    swapped = _Swapped(ours, theirs, [change[rows] for change in changes], wanted)
    observed = {name: abs(values[0]) for name, values in swapped.differences(np.zeros((1, len(rows)))).items()}
    extreme, done = dict.fromkeys(observed, 0), 0
    for size in _chunks(total, max(len(rows), ours[0].labels.shape[1])):
        bits = _all_swaps(done, size, len(rows)) if exact else random.integers(0, 2, (len(rows), size), dtype=np.int8).astype(np.float64).T
        for name, values in swapped.differences(bits).items():
            extreme[name] += int((np.abs(values) >= observed[name] - 1e-12).sum())
        done += size
    return {name: count / total if exact else (count + 1) / (total + 1) for name, count in extreme.items()}


def holm(p_values: Sequence[float]) -> list[float]:
    """p of m tests, corrected for their number: ``max_{j <= i} min(1, (m - j + 1) p_(j))`` for the i-th smallest. (Holm 1979)

    Args:
        p_values: of m tests, in [0, 1].

    Returns:
        In the given order; the chance that at least one test whose p is at most a found what is not there is at most a.

    >>> holm([0.5, 0.01, 0.02])
    [0.5, 0.03, 0.04]
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    corrected = np.empty_like(given)
    corrected[order] = np.maximum.accumulate(np.minimum(1, given[order] * np.arange(len(given), 0, -1)))
    return corrected.tolist()


class _Swapped:
    """Two systems whose answers change places on some instances: only what changes is summed."""

    def __init__(self, ours: Sequence[SetTable], theirs: Sequence[SetTable], changes: Sequence[SetTable], wanted: list[Metric]):
        self.changes, self.wanted = changes, wanted
        self.per_label = any(metric.per_label for metric in wanted)
        everything = np.ones((1, len(ours[0])))
        self.ours, self.theirs = ([table.sums(everything, self.per_label) for table in side] for side in (ours, theirs))

    def differences(self, swaps: Float[np.ndarray, "S n"]) -> dict[str, np.ndarray]:
        """The difference of every measure, (S,), where 1 swaps an instance and 0 leaves it."""
        moved = [change.sums(swaps, self.per_label) for change in self.changes]
        first = _measured([total + change for total, change in zip(self.ours, moved, strict=True)], self.wanted)
        second = _measured([total - change for total, change in zip(self.theirs, moved, strict=True)], self.wanted)
        return {name: first[name] - second[name] for name in first}


def _chunks(samples: int, width: int) -> Iterator[int]:
    """Numbers of samples that make ``samples`` together, each small enough for (samples, width) to be held in memory."""
    step = max(1, CHUNK_ENTRIES // max(width, 1))
    for start in range(0, samples, step):
        yield min(step, samples - start)


def _all_swaps(start: int, size: int, rows: int) -> Float[np.ndarray, "S n"]:
    numbers = np.arange(start, start + size)[:, None]
    return ((numbers >> np.arange(rows)) & 1).astype(np.float64)


def _draws(random: np.random.Generator, samples: int, rows: int) -> Float[np.ndarray, "S N"]:
    """How often each instance is drawn in each sample: multinomial counts, instance after instance in memory."""
    return np.stack([np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(samples)], axis=1).astype(np.float64).T


def _measured(sums: Sequence[Sums], wanted: list[Metric]) -> dict[str, np.ndarray]:
    """Every measure, (S,): the mean over the seeds."""
    return {metric.name: np.mean([metric.from_sums(one) for one in sums], axis=0) for metric in wanted if metric.from_sums}


def _columns_for(tables: Sequence[SetTable], wanted: Sequence[Metric]) -> list[SetTable]:
    """The tables with the columns that some metrics need, the same in all."""
    needed = [*COLUMNS, *(metric.name for metric in wanted if metric.kind != "label sets")]
    for name in needed:
        if any(name not in table.names for table in tables):
            raise ConfigurationError(f"'{name}' cannot be resampled: some system or instance lacks it; leave it out")
    return [table.only(needed) for table in tables]


def _tables(targets: Any, chosen: Any) -> list[SetTable]:
    several = isinstance(chosen, (list, tuple)) and len(chosen) > 0 and (sparse.issparse(chosen[0]) or np.ndim(chosen[0]) == 2)
    return [SetTable.from_label_sets(targets, one) for one in (chosen if several else [chosen])]


def _check_range(samples: int, level: float = 0.5) -> None:
    if samples < 1:
        raise ConfigurationError(f"samples must be at least 1, got {samples}")
    if not 0 < level < 1:
        raise ConfigurationError(f"level must lie between 0 and 1, got {level}; for example 0.95")


@dataclass(frozen=True)
class Spread:
    """A measure over several seeds.

    Args:
        mean: over the seeds.
        deviation: the standard deviation over the seeds (divisor n - 1); NaN for one seed.
        low: lower end of the t-interval of the mean; NaN for one seed.
        high: its upper end; NaN for one seed.
        seeds: n.
    """

    mean: float
    deviation: float
    low: float
    high: float
    seeds: int


def spread(values: Sequence[float], level: float = 0.95) -> Spread:
    """Mean, standard deviation and t-interval ``mean -+ t_{(1 + level) / 2, n - 1} deviation / sqrt(n)`` over n seeds.

    Args:
        values: the measure of each seed.
        level: coverage of the interval under a normal distribution over seeds.

    Returns:
        The spread; what one seed cannot say is NaN.

    >>> found = spread([0.70, 0.72, 0.74])
    >>> round(found.mean, 3), round(found.deviation, 3), round(found.low, 3), round(found.high, 3)
    (0.72, 0.02, 0.67, 0.77)
    """
    from scipy.special import stdtrit

    if not len(values):
        raise DataError("there is no value to take the mean of; give one a seed")
    given = np.asarray(values, dtype=np.float64)
    mean, n = float(given.mean()), len(given)
    if n == 1:
        return Spread(mean, math.nan, math.nan, math.nan, 1)
    deviation = float(given.std(ddof=1))
    half = float(stdtrit(n - 1, (1 + level) / 2)) * deviation / math.sqrt(n)
    return Spread(mean, deviation, mean - half, mean + half, n)


def average_ranks(values: Float[np.ndarray, "D M"], higher_is_better: bool = True) -> Float[np.ndarray, " M"]:
    """Rank of each of M methods, averaged over D data sets; 1 is the best, ties share their mean rank.

    >>> average_ranks([[0.9, 0.8, 0.8], [0.5, 0.7, 0.6]]).tolist()
    [2.0, 1.75, 2.25]
    """
    from scipy.stats import rankdata

    given = _complete(values)
    return rankdata(-given if higher_is_better else given, axis=1).mean(axis=0)


def friedman_test(values: Float[np.ndarray, "D M"]) -> float:
    """Friedman's test that M >= 3 methods rank alike over D data sets; p from the chi-squared distribution with M - 1 degrees.

    >>> friedman_test([[0.9, 0.8, 0.7]] * 6) < 0.01
    True
    """
    from scipy.stats import friedmanchisquare

    given = _complete(values)
    if given.shape[1] < 3 or len(given) < 2:
        raise DataError(f"Friedman's test needs at least 3 methods on 2 data sets, got {given.shape[1]} on {len(given)}")
    return float(friedmanchisquare(*given.T).pvalue)


def nemenyi_difference(methods: int, data_sets: int, level: float = 0.95) -> float:
    """Nemenyi's critical difference of average ranks ``q_{level, M} / sqrt(2) * sqrt(M (M + 1) / (6 D))`` (studentised range q).

    >>> round(nemenyi_difference(methods=4, data_sets=14), 2)  # Demsar (2006), section 3.2.2: q = 2.569
    1.25
    """
    from scipy.stats import studentized_range

    if methods < 2 or data_sets < 1:
        raise DataError(f"a critical difference needs at least 2 methods and 1 data set, got {methods} and {data_sets}")
    quantile = float(studentized_range.ppf(level, methods, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(methods * (methods + 1) / (6 * data_sets))


def _complete(values: Any) -> np.ndarray:
    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or np.isnan(given).any():
        raise DataError("ranks need a value of every method on every data set, as a (data sets, methods) matrix without gaps")
    return given
