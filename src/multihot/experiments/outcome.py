"""What came out of a comparison: one sentence in plain English that says how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from ..metrics.counts import SetTable
from ..metrics.registry import lower_is_better, metric_of, of_label_sets, title_of
from ..metrics.significance import holm, intervals_of, p_values_of
from .grouping import RunGroup, paired

HEADLINES = (
    "micro_f1",
    "mean_absolute_error",
    "kullback_leibler",
)  # what the sentence is about, where nobody says: the first that all methods have
BESIDE = "subset_accuracy"  # named too where another method leads in it
BY_CHANCE_FROM = 0.05  # p, corrected, from which on a difference may be chance
UNSEEN_FROM = 0.05  # share of the instances with an unseen label set from which on the sentence speaks of them
NEAR = 1e-9  # values that differ by less are equal

SMALL_PRINT = (
    "In the first sentence, p is that of two-sided paired permutation tests of the leader against each of the others over instances, "
    f"corrected for their number (Holm). From {BY_CHANCE_FROM:g} on, or where the leader is not ahead in every pair of trainings, a "
    "difference may be chance. What another training would change shows only over several seeds."
)


@dataclass(frozen=True)
class Rival:
    """A method that is behind the leader.

    Args:
        name: the method.
        behind: by how much, above 0.
        p: of the paired permutation test against the leader, corrected; None where they could not be tested.
        ahead: in how many pairs of trainings the leader is ahead.
        pairs: how many pairs there are.
    """

    name: str
    behind: float
    p: float | None
    ahead: int
    pairs: int

    @property
    def surely(self) -> bool:
        """Whether it is behind by more than chance."""
        return self.p is not None and self.p < BY_CHANCE_FROM and self.ahead == self.pairs


@dataclass(frozen=True)
class Standing:
    """Who leads in one measure.

    Args:
        measure: its name.
        leaders: the methods that share the best value, which is nearly always one.
        value: theirs, the mean over their trainings.
        rivals: the others, the nearest first.
    """

    measure: str
    leaders: list[str]
    value: float
    rivals: list[Rival]


def outcome(
    groups: Sequence[RunGroup], measures: Sequence[str], *, level: float = 0.95, samples: int = 1000, swaps: int = 2000, seed: int = 0
) -> str:
    """What came out on one data set.

    Several methods: who leads, by how much, and whether that may be chance; the same on the instances whose label set never occurs in
    training, where these are at least a twentieth. One method: what it reached.

    Args:
        groups: the methods, each with its trainings.
        measures: the first that says something of every method decides; for label sets, another leader in subset accuracy is named too.
        level: of the interval over instances, of a single method.
        samples: bootstrap draws for it.
        swaps: random swaps in the paired tests.
        seed: of draws and swaps.

    Returns:
        A sentence.
    """
    common = [name for name in measures if all(name in group.telling([name]) and _has(group, name) for group in groups)]
    if not common:
        return "These methods have no measure in common, so none of them leads."
    headline, on_sets = common[0], of_label_sets(common[0])
    beside = on_sets and BESIDE in common and headline != BESIDE
    unseen = _unseen_rows(groups) if on_sets else None
    share = "" if unseen is None else f"{unseen.mean():.0%} of {groups[0].split} instances whose label set never occurs in training"
    if len(groups) == 1:
        said = [_reached(groups[0], headline, level, samples, seed)]
        if beside:
            said[0] += f" and {_mean(groups[0], BESIDE):.3f} in {title_of(BESIDE)}"
        said[0] += f" ({_trainings(groups)})"
        if unseen is not None:
            said.append(f"on the {share}, {_mean(groups[0], headline, unseen):.3f} in {title_of(headline)}")
    else:
        first = standing(groups, headline, swaps=swaps, seed=seed)
        said = [in_words(first, _trainings(groups))]
        if beside and not set((second := standing(groups, BESIDE, swaps=swaps, seed=seed)).leaders) & set(first.leaders):
            said.append(in_words(second))
        if unseen is not None:
            said.append(f"on the {share}, {in_words(standing(groups, headline, unseen, swaps=swaps, seed=seed))}")
    return "; ".join(said) + "."


def standing(
    groups: Sequence[RunGroup], measure: str, rows: Bool[np.ndarray, " N"] | None = None, *, swaps: int = 2000, seed: int = 0
) -> Standing:
    """Who leads in one measure, and how far the others are behind.

    Args:
        groups: two methods or more that have the measure.
        measure: its name.
        rows: which instances count, where all methods were measured on the same ones; None for all.
        swaps: random swaps in the paired tests.
        seed: of the swaps.
    """
    sign = -1 if lower_is_better(measure) else 1
    values = {group.name: _mean(group, measure, rows) for group in groups}
    ranked = sorted(groups, key=lambda group: -sign * values[group.name])
    best = values[ranked[0].name]
    behind = {group.name: sign * (best - values[group.name]) for group in ranked}
    leaders = [name for name, gap in behind.items() if gap < NEAR]
    tested: list[tuple[str, float | None, int, int]] = []
    for group in ranked[len(leaders) :]:
        testable = ranked[0].resampled([measure]) and group.resampled([measure])
        pairs = paired(ranked[0], group) if testable else []
        pairs = pairs if rows is None else [(ours[rows], theirs[rows]) for ours, theirs in pairs]
        ahead = sum(sign * (_value(ours, measure) - _value(theirs, measure)) > NEAR for ours, theirs in pairs)
        p = p_values_of([ours for ours, _ in pairs], [theirs for _, theirs in pairs], [measure], swaps, seed)[measure] if pairs else None
        tested.append((group.name, p, ahead, len(pairs)))
    corrected = iter(holm([p for _, p, *_ in tested if p is not None]))
    rivals = [Rival(name, behind[name], None if p is None else next(corrected), *counts) for name, p, *counts in tested]
    return Standing(measure, leaders, best, rivals)


def ranking_outcome(measure: str, ranks: dict[str, float], data_sets: int, difference: float) -> str:
    """Who ranks first over several data sets, and from whom it differs by more than chance.

    Args:
        measure: the measure ranked by.
        ranks: method -> average rank; 1 is the best.
        data_sets: how many.
        difference: the critical difference of two average ranks.

    >>> ranking_outcome("micro_f1", {"a": 1.0, "b": 2.0}, 9, 0.65)
    'Over 9 data sets, a ranks first in micro-F1 (average rank 1.00), ahead of b (2.00) by more than chance.'
    """
    best = min(ranks.values())
    leaders = [name for name, rank in ranks.items() if rank - best < NEAR]
    others = sorted((rank, name) for name, rank in ranks.items() if name not in leaders)
    text = f"Over {data_sets} data sets, {_listed(leaders)} {'rank' if len(leaders) > 1 else 'ranks'} first in {title_of(measure)} "
    text += f"(average rank {best:.2f})"
    apart = [f"{name} ({rank:.2f})" for rank, name in others if rank - best >= difference]
    near = [f"{name} ({rank:.2f})" for rank, name in others if rank - best < difference]
    if apart:
        text += f", ahead of {_listed(apart)} by more than chance"
    if near:
        text += f", {'while' if apart else 'but'} the distance to {_listed(near)} may be chance"
    return text + "."


def in_words(found: Standing, trainings: str = "") -> str:
    """A clause on who leads in one measure, for instance with how many trainings.

    >>> in_words(Standing("micro_f1", ["a"], 0.9, [Rival("b", 0.012, 0.3, 1, 1)]))
    'a leads in micro-F1 (0.900), but its lead of 1.2 points over b (p 0.300) may be chance'
    """
    value = f"{found.value:.3f}{f', {trainings}' if trainings else ''}"
    title, several = title_of(found.measure), len(found.leaders) > 1
    if not found.rivals:
        return f"{_listed(found.leaders)} are level in {title} ({value})"
    text = f"{_listed(found.leaders)} {'share the lead' if several else 'leads'} in {title} ({value})"
    sure = [rival for rival in found.rivals if rival.surely]
    unsure = [rival for rival in found.rivals if rival.p is not None and not rival.surely]
    untested = [rival for rival in found.rivals if rival.p is None]
    if sure:
        text += f", ahead of {_behind(sure, found.measure, '{name} by {gap}')}"
    its = "their" if several else "its"
    for rivals, verdict in ((unsure, "may be chance"), (untested, "was not tested")):
        if rivals:
            text += (
                f", {'while' if sure else 'but'} {its} lead of {_behind(rivals, found.measure, '{gap} over {name}', ' and of ')} {verdict}"
            )
    return text


def _behind(rivals: Sequence[Rival], measure: str, form: str, joint: str = " and ") -> str:
    """One or two rivals by name; of more, the nearest by name and all in their range."""
    if len(rivals) < 3:
        return joint.join(form.format(name=rival.name, gap=_gap([rival.behind], measure)) + _how_sure(rival) for rival in rivals)
    p = [rival.p for rival in rivals if rival.p is not None]
    text = form.format(name=f"{rivals[0].name} and {len(rivals) - 1} others", gap=_gap([rival.behind for rival in rivals], measure))
    if not p:
        return text
    surely = all(rival.surely for rival in rivals)
    return f"{text} ({_p(max(p), 'at most ')})" if surely else f"{text} ({_p(min(p), 'at least ')})"


def _how_sure(rival: Rival) -> str:
    if rival.p is None:
        return ""
    seeds = f", ahead in {rival.ahead} of {rival.pairs} trainings" if rival.ahead < rival.pairs and rival.pairs > 1 else ""
    return f" ({_p(rival.p)}{seeds})"


def _p(value: float, bound: str = "") -> str:
    return "p <0.001" if value < 0.001 else f"p {bound}{value:.3f}"


def _gap(behind: Sequence[float], measure: str) -> str:
    """Points of a hundred for shares; errors in their own units."""
    if lower_is_better(measure):
        least, most = (f"{end:.3f}" for end in (min(behind), max(behind)))
        return least if least == most else f"{least} to {most}"
    least, most = (f"{100 * end:.1f}" for end in (min(behind), max(behind)))
    if most == "0.0":
        return "less than 0.1 points"
    return f"{least} points" if least == most else f"{least} to {most} points"


def _reached(group: RunGroup, measure: str, level: float, samples: int, seed: int) -> str:
    text = f"{group.name} reached {_mean(group, measure):.3f} in {title_of(measure)}"
    whole = len(group.tables) == len(group.runs) and len(set(group.instances.values())) == 1
    if whole and group.resampled([measure]):
        low, high = intervals_of(list(group.tables.values()), [measure], samples, level, seed)[measure]
        text += f" ({level:.0%} interval over {group.split} instances {low:.3f} to {high:.3f})"
    return text


def _trainings(groups: Sequence[RunGroup]) -> str:
    least, most = (count(len(group.runs) for group in groups) for count in (min, max))
    folds = {group.settings.get("data.folds") for group in groups}
    each = f" over {folds.pop()} folds" if len(folds) == 1 and None not in folds else ""
    each += " each" if len(groups) > 1 else ""
    if most == 1:
        return f"one training{each}"
    return f"{least} trainings{each}" if least == most else f"{least} to {most} trainings{each}"


def _unseen_rows(groups: Sequence[RunGroup]) -> Bool[np.ndarray, " N"] | None:
    """The instances whose label set no method met in training; None where methods were measured on others, or these are few or all."""
    if len({digest for group in groups for digest in group.instances.values()}) > 1 or any(len(g.tables) < len(g.runs) for g in groups):
        return None
    rows = np.logical_and.reduce([unseen for group in groups for unseen in group.unseen.values()])
    return rows if UNSEEN_FROM <= rows.mean() < 1 else None


def _has(group: RunGroup, measure: str) -> bool:
    return all(measure in run.metrics[group.split] for run in group.runs.values())


def _mean(group: RunGroup, measure: str, rows: Bool[np.ndarray, " N"] | None = None) -> float:
    """Over the trainings; of some rows, from what they count."""
    if rows is None:
        return float(np.mean([run.metrics[group.split][measure] for run in group.runs.values()]))
    return float(np.mean([_value(table[rows], measure) for table in group.tables.values()]))


def _value(table: SetTable, measure: str) -> float:
    metric = metric_of(measure)
    assert metric.from_sums is not None, measure
    return float(metric.from_sums(table.sums(np.ones((1, len(table))), metric.per_label))[0])


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
