"""Which methods are worth a trial on a data set, binary relevance first, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .figures import Figures

MANY_FEATURES = 400  # columns of a table: the linear SVM, decided by label sets, was ahead of br on 499 and 1,836, on 294 and fewer not
MOSTLY_NEW = 0.75  # `once` from which on label sets are not taken from the training split: 0.52 on Corel5k, where that paid, 1 on CAL500
SEVERAL = 0.1  # share of rows with two labels or more from which on decoders are worth their cost; judgement
REPEATED = 0.2  # `once` up to which label sets repeat: below 0.05 on Reuters and Yeast, above 0.3 where br led all decoders by far

PLATT = {"method.calibration": "platt"}  # makes margins the log-odds that decisions by probability need
LINEAR: dict[str, dict[str, Any]] = {  # what is wanted -> how a linear SVM is trained and read for it
    "micro_f1": {"method.decision": {"name": "subset_correction", "measure": "micro_f1"}},
    "macro_f1": {"method.cost_sensitive": "macro_f1"},
    "example_f1": PLATT | {"method.decision": {"name": "expected_utility", "measure": "example_f1"}},
    "subset_accuracy": PLATT | {"method.decision": {"name": "expected_utility", "measure": "subset_accuracy"}},
    "map": {},
}
MULTITASK = {  # what is wanted -> what `ocd-mtl` did where label sets repeat
    "micro_f1": "level with br in micro-F1 on Reuters, GoEmotions and Yeast",
    "example_f1": "ahead of br in example F1 on Reuters, level on GoEmotions and Yeast",
    "subset_accuracy": "more label sets wholly right than br on Reuters, GoEmotions and Yeast",
}


@dataclass(frozen=True)
class Candidate:
    """A method to try: its name, its settings (dotted key -> value as in a configuration), and what speaks for it."""

    method: str
    settings: dict[str, Any]
    reason: str


def candidates_for(figures: Figures, measure: str, advised: Mapping[str, Any]) -> tuple[tuple[Candidate, ...], dict[str, str]]:
    """The methods to try on a data set.

    Args:
        figures: of its training split.
        measure: what is wanted.
        advised: the settings of binary relevance, by dotted key.

    Returns:
        (the methods, binary relevance first; name -> why not, for those that are passed over).
    """
    yardstick = Candidate("br", dict(advised), "the yardstick: each label on its own; what does not beat it has not earned its cost")
    if figures.degrees == "distribution":
        whole = Candidate("ldl", {}, "rows are label distributions, which it learns whole and is measured by")
        return (yardstick, whole), {"linear-svm, ocd-mtl": "they learn label sets"}
    if figures.degrees != "none":
        return (yardstick,), {"linear-svm, ocd-mtl": "targets are degrees, and these methods learn label sets"}
    found: list[Candidate] = [yardstick]
    if figures.labels_are == "values":
        found.append(Candidate("dldl", {}, "labels are numbers, one a row: where they are values, such as ages, it knows which are near"))
    others: dict[str, str] = {}
    for proposed, passed_over in (_linear(figures, measure), _decoders(figures, measure)):
        found += proposed
        others |= passed_over
    return tuple(found), others


def _repeats(figures: Figures) -> str:
    return f"{figures.once:.0%} of the rows carry a label set that no other row does"


def _linear(figures: Figures, measure: str) -> tuple[list[Candidate], dict[str, str]]:
    both = "linear-svm, logistic"
    if figures.modality == "text":
        ground = "texts become sparse word counts: it led every network in micro-F1 on Reuters, br led on GoEmotions' short comments"
    elif figures.modality == "table" and (figures.features or 0) >= MANY_FEATURES:
        ground = f"{figures.features:,} columns: decided by label sets it was ahead of br on Bibtex (1,836 columns) and Corel5k (499)"
    elif figures.modality == "table":
        return [], {both: f"{figures.features} columns: on tables of 68 to 294 columns neither was ahead of br in micro-F1"}
    elif figures.modality:
        return [], {both: "of a picture or a recording they see raw values alone"}
    else:
        return [], {both: f"only label statistics are known; worth a trial on texts, and on tables of {MANY_FEATURES} columns or more"}
    settings = LINEAR[measure]
    if measure == "example_f1" and figures.once > MOSTLY_NEW:
        settings = PLATT | {"method.decision": "expected_f1"}
        ground += f"; {_repeats(figures)}, so label sets are not taken from the training split"
    behind = "nowhere ahead of linear-svm in micro-F1 in our results"
    return [Candidate("linear-svm", settings, f"{ground}; it trains in seconds")], {"logistic": behind}


def _decoders(figures: Figures, measure: str) -> tuple[list[Candidate], dict[str, str]]:
    both = "ocd-mtl, ocd"
    if figures.several < SEVERAL:
        return [], {both: f"only {figures.several:.1%} of the rows carry two labels or more, so labels say little of one another"}
    if measure not in MULTITASK:
        return [], {both: "they emit whole label sets; judged label by label, neither led br in our results"}
    if figures.once <= REPEATED:
        why = f"{figures.several:.0%} of the rows carry several labels, and label sets repeat; there it was {MULTITASK[measure]}"
        alone = "ocd-mtl, which trains a scorer beside the decoder, was ahead of it or level on Reuters, GoEmotions and Yeast"
        return [Candidate("ocd-mtl", {"training.monitor": measure}, why)], {"ocd": alone}
    behind = f"{_repeats(figures)}; on such data (Bibtex, Corel5k, CAL500) br led decoders in micro-F1 by far"
    if measure != "subset_accuracy":
        return [], {both: behind}
    why = f"{_repeats(figures)}, and it emits label sets that training lacks: 2.2% right on Corel5k, 0.2% of br's; no difference on Bibtex"
    return [Candidate("ocd", {"training.monitor": measure}, why)], {"ocd-mtl": behind}
