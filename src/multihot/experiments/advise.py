"""From the label statistics of a data set to a loss, a sampler, a decision, an initial bias and methods to try, each with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..components import split_config
from ..data import MultiLabelData
from ..errors import ConfigurationError, nearest
from ..labels import LabelStatistics
from ..method import METHODS
from ..metrics.registry import compared_by_default
from .candidates import Candidate, candidates_for
from .config import override
from .figures import Figures, figures_of

MEASURES = compared_by_default("label sets", "scores")
PER_LABEL = ("macro_f1", "map")  # every label counts the same in them, however rare it is
DENSE = 0.1  # from this share of present labels on, set-wise ZLPR led binary cross entropy in our own results
LONG_TAIL = 5.0  # MeanIR from which on methods made for long tails are worth a trial
MANY = 10_000  # labels from which on dense targets cost too much


@dataclass(frozen=True)
class Choice:
    """One setting: its dotted key, its value as in a configuration, and what it follows from."""

    key: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Advice:
    """What to train with.

    Args:
        measure: what is wanted.
        figures: of the training split.
        choices: the settings, the loss first.
        rejected: loss -> why it was not chosen.
        candidates: methods to try, binary relevance with these settings first.
        others: methods -> why they are passed over.
        notes: what no setting can mend.
    """

    measure: str
    figures: Figures
    choices: tuple[Choice, ...]
    rejected: dict[str, str]
    candidates: tuple[Candidate, ...]
    others: dict[str, str]
    notes: tuple[str, ...]

    def __getitem__(self, key: str) -> Any:
        """The value of a setting."""
        return next(choice.value for choice in self.choices if choice.key == key)

    def to_config(self, **content: Any) -> dict[str, Any]:
        """The settings as a configuration that ``multihot train`` reads; ``content`` holds its other sections, such as ``data``."""
        config = override({"method": {"name": "br"}, **content}, [f"{choice.key}=null" for choice in self.choices])
        for choice in self.choices:
            section, key = choice.key.split(".")
            config[section][key] = dict(choice.value) if isinstance(choice.value, Mapping) else choice.value
        return config


def advise(source: MultiLabelData | LabelStatistics, measure: str = "micro_f1", missing: bool = False) -> Advice:
    """Recommend loss, sampler, decision and initial bias for a data set, and name methods to try.

    Only the training split is looked at. The rules are few and stand in the documentation; ``multihot.experiments.ablation`` checks
    them on the data itself.

    Args:
        source: a data set, or the statistics of its training split (hard labels, all annotated).
        measure: what is wanted: "micro_f1", "macro_f1", "example_f1", "subset_accuracy" or "map".
        missing: whether a label that a row does not carry may only not have been annotated.

    Returns:
        The advice.

    Raises:
        ConfigurationError: for another measure.
        DataError: where not one training row carries a label.

    >>> advice = advise(LabelStatistics.from_targets([[1, 0, 0], [1, 1, 0], [0, 1, 1], [1, 0, 0]]))
    >>> advice["method.loss"], advice.choices[0].reason
    ('zlpr', 'labels are dense: 50.0% of them hold for a row, at least 10%, where ZLPR led in our results')
    """
    if measure not in MEASURES:
        raise ConfigurationError(f"--measure: there is no advice for '{measure}'; {nearest(str(measure), MEASURES)}")
    figures = figures_of(source)
    loss = _loss(figures, measure, missing)
    choices = (
        loss,
        _sampler(figures, measure),
        _decision(figures, measure, loss),
        _scorer(figures, loss),
        _monitor(figures, measure),
    )
    candidates, others = candidates_for(figures, measure, {choice.key: choice.value for choice in choices})
    rejected = _rejected(figures, measure, missing, split_config("loss", loss.value)[0])
    return Advice(measure, figures, choices, rejected, candidates, others, _notes(figures))


def long_tailed(figures: Figures, measure: str) -> bool:
    """Whether rare labels are many and count as much as frequent ones."""
    return measure in PER_LABEL and figures.mean_imbalance >= LONG_TAIL


def _loss(figures: Figures, measure: str, missing: bool) -> Choice:
    """The first rule that applies."""
    key, density = "method.loss", f"{figures.density:.1%}"
    if figures.degrees == "distribution":
        return Choice(key, "label_distribution", "degrees sum to one in every row, so the labels share one distribution")
    if figures.degrees == "free":
        return Choice(key, "binary_cross_entropy", "targets are degrees that do not sum to one, so each is a probability of its own")
    if missing:
        return Choice(key, "hill", "absent labels may be unannotated, and Hill lowers the weight of negatives with a high probability")
    if measure == "subset_accuracy":
        return Choice(key, "zlpr", "subset accuracy wants the whole set right, and ZLPR lowers the loss of whole sets")
    if figures.density >= DENSE:
        why = f"labels are dense: {density} of them hold for a row, at least {DENSE:.0%}, where ZLPR led in our results"
        return Choice(key, "zlpr", why)
    return Choice(
        key, "binary_cross_entropy", f"labels are sparse: {density} of them hold for a row, below {DENSE:.0%}, where it led in our results"
    )


def _sampler(figures: Figures, measure: str) -> Choice:
    why = "every row once an epoch: the loss and the measure take labels as they occur"
    if long_tailed(figures, measure):
        why = "every row once an epoch: class-aware sampling helped in some of our long-tailed results and hurt in others"
    return Choice("training.sampler", "instance_balanced", why)


def _decision(figures: Figures, measure: str, loss: Choice) -> Choice:
    key = "method.decision"
    if measure == "subset_accuracy":
        return Choice(key, "subset_correction", "label sets of the training split, chosen whole: more of them are right to the last label")
    if measure == "macro_f1":
        fall_back = f"; of {figures.tail} tail labels, most fall back on a common one" if figures.tail else ""
        why = f"macro-F1 is a mean over labels, so each gets its own threshold{fall_back}"
        return Choice(key, "per_label", why)
    wanted = "example_f1" if measure == "example_f1" else "micro_f1"
    why = (
        "mAP needs no threshold; this one is for the label sets"
        if measure == "map"
        else f"one threshold, the best for {wanted} in validation"
    )
    return Choice(key, {"name": "global", "measure": wanted}, why)


def _scorer(figures: Figures, loss: Choice) -> Choice:
    """The last layer starts from label frequencies, but where a softmax makes the labels share one probability."""
    part = METHODS["br"].scorer
    assert isinstance(part, Mapping), "the scorer of br is given with its arguments"
    if loss.value == "label_distribution":
        return Choice("method.scorer", {**part, "prior_bias": False}, "initial bias 0: a softmax reads logits, not the log-odds of labels")
    bias = f"initial bias: log-odds of label frequencies, {figures.lowest_bias:.1f} to {figures.highest_bias:.1f}"
    return Choice("method.scorer", {**part, "prior_bias": True}, f"{bias}, so that training need not learn first how rare labels are")


def _monitor(figures: Figures, measure: str) -> Choice:
    return Choice("training.monitor", measure, f"the best checkpoint is the one with the best {measure} on validation data")


def _rejected(figures: Figures, measure: str, missing: bool, chosen: str) -> dict[str, str]:
    ratio = f"MeanIR is {figures.mean_imbalance:.1f}"
    dense = f"{figures.density:.1%} of the labels hold for a row"
    weighing = (
        "made for long tails, where it was behind binary cross entropy in our results"
        if long_tailed(figures, measure)
        else "made for long tails, which are absent here or count little in " + measure
    )
    reasons = {
        "binary_cross_entropy": f"{dense}, {ratio}; it judges every entry alike, and is the one to beat",
        "zlpr": f"{dense}, {ratio}; it compares the labels of a row, and gives rare ones no weight of their own",
        "asymmetric": f"{dense}; made for very many negatives, with three parameters to tune",
        "distribution_balanced": f"{ratio}; {weighing}",
        "dab": f"{ratio}; {weighing}",
        "hill": "absent labels are taken as annotated; say --missing if they may not be",
        "label_distribution": "targets are no distributions over the labels",
    }
    if missing:
        reasons["splc"] = "corrects missing labels by the model's own word, which needs a model that is good already; hill does not"
    return {name: reason for name, reason in reasons.items() if name != chosen}


def _notes(figures: Figures) -> tuple[str, ...]:
    notes = []
    if figures.degrees == "none":
        empty = f"{figures.empty:.1%} of the rows carry no label, so predictions may be empty; method.decision.at_least=1 forbids that"
        none = "every training row carries a label, so no prediction is left empty: `multihot train` sets at_least: 1, whatever decides"
        notes.append(empty if figures.empty else none)
    if figures.unknown:
        notes.append(f"{figures.unknown:.1%} of the entries are not annotated; every loss leaves them out, which needs no setting")
    if figures.labels_are == "votes":
        notes.append("labels are numbers, several a row: if they are votes of several annotators, ask again with distribution='votes'")
    if figures.labels_are != "values" and figures.degrees == "none" and math.isclose(figures.cardinality, 1.0) and not figures.empty:
        notes.append("every row carries exactly one label: if that is so by nature, this is a multi-class problem")
    if figures.labels >= MANY:
        notes.append(f"{figures.labels:,} labels: in code of your own, the sparse-target losses of multihot.losses avoid dense targets")
    if figures.tail:
        notes.append(f"{figures.tail} of {figures.labels} labels have fewer than 20 rows: no loss stands in for more of them")
    return tuple(notes)
