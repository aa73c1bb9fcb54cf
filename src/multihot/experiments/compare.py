"""Runs side by side: spread over seeds, intervals over instances, paired tests against a baseline, ranks, published figures, cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigurationError, nearest
from ..evaluation import tells_label_sets
from ..metrics.registry import compared_by_default, lower_is_better
from ..metrics.significance import Interval, Spread, average_ranks, friedman_test, intervals_of, nemenyi_difference, p_values_of, spread
from .folds import Folds, each_run
from .grouping import RunGroup, find_runs, group_runs, paired
from .outcome import HEADLINES, outcome, ranking_outcome
from .run import Run

# figure -> where it stands in metrics.json, below the test split
LABEL_SETS: dict[str, tuple[str, ...]] = {
    "labels": ("measures", "chosen_cardinality"),
    "distinct": ("label_sets_produced", "distinct"),
    "unseen": ("label_sets_produced", "unseen"),
    "unseen_examples": ("label_sets_produced", "unseen_examples"),
    **{f"{measure}_{part}": ("seen_unseen", part, measure) for part in ("seen", "unseen") for measure in ("micro_f1", "macro_f1_harmonic")},
}


@dataclass(frozen=True)
class MethodResult:
    """One method on one data set.

    Args:
        name: the method.
        folders: its run folders, one for each seed, or one for each seed and fold.
        trainings: how many seeds.
        folds: into how many the data was cut, or 0.
        spread: measure -> mean, standard deviation and t-interval over the seeds.
        intervals: measure -> bootstrap interval of that mean over instances, for measures of label sets.
        p_values: measure -> p of the paired permutation test against the baseline; empty for the baseline itself.
        pairs: how many seeds of both were paired in the test.
        published: measure -> published figure.
        published_in: where those figures stand.
        label_sets: what becomes of label sets as wholes, see ``LABEL_SETS``; means over the seeds.
        cost: ``seconds`` of training, ``best_update``, ``parameters`` and ``predictions_per_second``, means over the seeds;
            ``peak_memory_bytes``, the most.
    """

    name: str
    folders: list[Path]
    trainings: int
    folds: int
    spread: dict[str, Spread]
    intervals: dict[str, Interval]
    p_values: dict[str, float]
    pairs: int
    published: dict[str, float]
    published_in: str
    label_sets: dict[str, float]
    cost: dict[str, float]


@dataclass(frozen=True)
class DataResult:
    """All methods on one data set.

    Args:
        name: the data set.
        rows: number of test instances.
        methods: in the order in which the runs were given.
        remarks: what could not be compared, and why.
    """

    name: str
    rows: int
    methods: list[MethodResult]
    remarks: list[str]


@dataclass(frozen=True)
class Ranking:
    """Average ranks over data sets, of the methods that were run on all of them.

    Args:
        data_sets: how many.
        ranks: measure -> method -> average rank; 1 is the best.
        friedman: measure -> p that all methods rank alike; for three methods or more.
        difference: Nemenyi's critical difference of two average ranks at the 0.05 level.
    """

    data_sets: int
    ranks: dict[str, dict[str, float]]
    friedman: dict[str, float]
    difference: float


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Args:
        measures: those compared.
        baseline: the method that the others are tested against, or None.
        data_sets: one section each.
        ranking: over several data sets, or None.
        outcome: what came out, in plain English: a sentence over all data sets where they were ranked, then one on each.
        left_out: a line about each run that was left out.
        level: of the intervals.
        samples: bootstrap draws.
        swaps: drawn in the paired tests.
    """

    measures: list[str]
    baseline: str | None
    data_sets: list[DataResult]
    ranking: Ranking | None
    outcome: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    level: float = 0.95
    samples: int = 1000
    swaps: int = 2000


def compare(
    folders: Iterable[str | Path],
    baseline: str | None = None,
    measures: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    samples: int = 1000,
    swaps: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare finished runs; only run folders are read, never a model.

    Runs of the same data and settings are one method with several seeds; its folds are joined, so that every row is a test row once.
    Intervals and tests resample test instances (see ``multihot.metrics.significance``): the interval is that of the mean over the seeds,
    and the test pairs the seeds of a method with those of the baseline, the same numbers first, the rest in order, as many as both have.

    Args:
        folders: run folders, or folders that hold some.
        baseline: name of the method that all others are tested against; None for no test.
        measures: names of measures in ``metrics.json``; None takes the usual ones of label sets, or of label distributions where every
            run predicts some.
        level: of intervals.
        samples: bootstrap draws.
        swaps: random swaps in the paired tests; p is at least 1 / (swaps + 1).
        seed: of draws and swaps.

    Returns:
        The comparison.

    Raises:
        RunError: for a folder without runs, a damaged run, or where not one run is finished.
        ConfigurationError: for an unknown measure or baseline.
    """
    groups, left_out = group_runs(find_runs(folders))
    asked = measures is not None  # by name, even where they say little
    measures = _default_measures(groups) if measures is None else measures
    _check_measures(measures, groups)
    names = list(dict.fromkeys(group.name for group in groups))
    if baseline is not None and baseline not in names:
        raise ConfigurationError(f"there is no method '{baseline}' among these runs; {nearest(baseline, names)}")
    by_data: dict[str, list[RunGroup]] = {}
    for group in groups:
        by_data.setdefault(group.data, []).append(group)
    settings = {"level": level, "samples": samples, "swaps": swaps}
    drawn = settings | {"seed": seed}
    data_sets = [_data_result(data, members, baseline, list(measures), drawn, asked) for data, members in by_data.items()]
    ranking = _ranking(data_sets, list(measures), level)
    said = _outcome(by_data, ranking, list(measures) if asked else [*HEADLINES, *measures], drawn)
    return Comparison(list(measures), baseline, data_sets, ranking, said, left_out, **settings)  # type: ignore[arg-type]


def _default_measures(groups: list[RunGroup]) -> list[str]:
    """Of label distributions where every run predicts some, of label sets where none does, of both where some do."""
    runs = [run.metrics["test"] for group in groups for run in group.runs.values()]
    measured_on_axis = any("mean_absolute_error" in measured for measured in runs)
    of_degrees = [name for name in _of_degrees(measured_on_axis) if any(name in measured for measured in runs)]
    everywhere = all("kullback_leibler" in measured for measured in runs)
    return of_degrees if everywhere else [*compared_by_default("label sets", "scores"), *of_degrees]


def _of_degrees(on_axis: bool) -> list[str]:
    """On an axis, the errors and two metrics of the whole distribution; elsewhere all six of these."""
    if not on_axis:
        return compared_by_default("label distributions")
    return [*compared_by_default("positions on an axis"), "kullback_leibler", "intersection"]


def _outcome(by_data: dict[str, list[RunGroup]], ranking: Ranking | None, measures: list[str], settings: dict[str, Any]) -> list[str]:
    """A sentence over all data sets, where they were ranked, then one on each, the first measure that can be spoken of deciding."""
    first = next((name for name in measures if ranking and name in ranking.ranks), None)
    over_all = [ranking_outcome(first, ranking.ranks[first], ranking.data_sets, ranking.difference)] if ranking and first else []
    each = {data: outcome(groups, measures, **settings) for data, groups in by_data.items()}
    return [*over_all, *(f"{data}: {said}" if len(each) > 1 else said for data, said in each.items())]


def _data_result(
    data: str, groups: list[RunGroup], baseline: str | None, measures: list[str], settings: dict[str, Any], asked: bool
) -> DataResult:
    against = next((group for group in groups if group.name == baseline), None)
    of_each = {id(group): measures if asked else group.telling(measures) for group in groups}
    remarks = [] if against or baseline is None else [f"{baseline} was not run on this data set, so nothing is tested"]
    everywhere = {digest for group in groups for digest in group.instances.values()}
    if len(everywhere) > 1:
        remarks.append("not all runs were measured on the same test instances; intervals and tests are given only where they were")
    methods, without_sets, apart = [], [], []
    for group in groups:
        intervals: dict[str, Interval] = {}
        p_values: dict[str, float] = {}
        pairs = 0
        own = of_each[id(group)]
        resampled = group.resampled(own)
        if len(group.tables) < len(group.runs):
            without_sets.append(group.name)
        elif len(set(group.instances.values())) == 1 and resampled:
            tables = list(group.tables.values())
            intervals = intervals_of(tables, resampled, settings["samples"], settings["level"], settings["seed"])
        both = [] if against is None or group is against else [name for name in resampled if name in of_each[id(against)]]
        if against is not None and (tested := against.resampled(both)):
            p_values, pairs = _test(group, against, tested, settings)
            if not pairs and group.tables and against.tables:
                apart.append(group.name)
        methods.append(_method_result(group, own, intervals, p_values, pairs, settings["level"]))
    if without_sets:
        keep = "no interval over instances and no test, since unknown entries (or altered files) keep predictions from their measures"
        remarks.append(f"{', '.join(without_sets)}: {keep}")
    if apart:
        remarks.append(f"{', '.join(apart)} and {baseline} share no test instances, so they are not tested")
    rows = next(iter(groups[0].runs.values())).metrics["data"]["rows"]["test"]
    return DataResult(data, rows, methods, remarks)


def _test(group: RunGroup, against: RunGroup, measures: list[str], settings: dict[str, Any]) -> tuple[dict[str, float], int]:
    """p of every measure, and the number of pairs."""
    pairs = paired(group, against)
    if not pairs:
        return {}, 0
    ours, theirs = zip(*pairs, strict=True)
    return p_values_of(ours, theirs, measures, settings["swaps"], settings["seed"]), len(pairs)


def _method_result(
    group: RunGroup, measures: list[str], intervals: dict[str, Interval], p_values: dict[str, float], pairs: int, level: float
) -> MethodResult:
    runs = list(group.runs.values())
    values = {name: [run.metrics["test"][name] for run in runs if name in run.metrics["test"]] for name in measures}
    costs = [run.metrics["cost"] for run in runs]
    cost = {
        name: float(combine([one[name] for one in costs]))
        for name, combine in (
            ("seconds", np.mean),
            ("best_update", np.mean),
            ("parameters", np.mean),
            ("predictions_per_second", np.mean),
            ("peak_memory_bytes", max),
        )
        if all(name in one for one in costs)
    }
    published = runs[0].config.published or {}
    table = f"table {published['table']}" if published.get("table") else None
    place = ", ".join(str(part) for part in (published.get("source"), table, published.get("row")) if part)
    return MethodResult(
        name=group.name,
        folders=[run.folder for run in each_run(runs)],
        trainings=len(runs),
        folds=runs[0].config.data.folds or 0,
        spread={name: spread(given, level) for name, given in values.items() if given},
        intervals=intervals,
        p_values=p_values,
        pairs=pairs,
        published={name: value for name, value in (published.get("measures") or {}).items() if name in measures},
        published_in=place,
        label_sets=_label_sets(runs),
        cost=cost,
    )


def _label_sets(runs: list[Run | Folds]) -> dict[str, float]:
    """The figures of ``LABEL_SETS`` that every run has; none where label sets say nothing."""
    if not all(tells_label_sets(run.metrics) for run in runs):
        return {}
    tests = [{"measures": run.metrics["test"], **run.metrics.get("breakdowns", {}).get("test", {})} for run in runs]
    found = {name: [_at(test, place) for test in tests] for name, place in LABEL_SETS.items()}
    return {name: float(np.mean(values)) for name, values in found.items() if None not in values}  # type: ignore[arg-type]


def _at(content: Any, place: tuple[str, ...]) -> float | None:
    for key in place:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _ranking(data_sets: list[DataResult], measures: list[str], level: float) -> Ranking | None:
    """Ranks of the methods that every data set has; None for one data set or one method."""
    common = [
        method.name
        for method in data_sets[0].methods
        if all(any(other.name == method.name for other in data.methods) for data in data_sets)
    ]
    if len(data_sets) < 2 or len(common) < 2:
        return None
    ranks, friedman = {}, {}
    for measure in measures:
        found = [{method.name: method.spread.get(measure) for method in data.methods} for data in data_sets]
        means = [[one[name].mean if one[name] else np.nan for name in common] for one in found]  # type: ignore[union-attr]
        if np.isnan(means).any():
            continue
        ranks[measure] = dict(zip(common, average_ranks(np.asarray(means), not lower_is_better(measure)).tolist(), strict=True))
        if len(common) > 2:
            friedman[measure] = friedman_test(np.asarray(means))
    return Ranking(len(data_sets), ranks, friedman, nemenyi_difference(len(common), len(data_sets))) if ranks else None


def _check_measures(measures: Sequence[str], groups: list[RunGroup]) -> None:
    known = {name for group in groups for run in group.runs.values() for name in run.metrics["test"]}
    for name in measures:
        if name not in known:
            raise ConfigurationError(f"not one run has the measure '{name}'; {nearest(str(name), known)}")
