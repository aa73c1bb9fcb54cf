"""Every metric by its name: what tables, comparisons, advice, reports and documents read. A new metric is a file and a line here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ..errors import ConfigurationError, nearest
from .axis_values import AXIS_METRICS
from .label_distributions import DISTRIBUTION_METRICS
from .metric import Kind, Metric
from .ranking import SCORE_METRICS
from .sets import SET_METRICS, mean

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *AXIS_METRICS,
        *DISTRIBUTION_METRICS,
        *SET_METRICS,
        *SCORE_METRICS,
    )
}
PARTS = ("head", "medium", "tail")  # of the labels, by their frequency in training; a metric over a part has its name behind its own


def metric_of(name: str) -> Metric:
    """What is said of a metric, by its key in ``metrics.json``; of one that nobody registered, what its name says.

    >>> [metric_of(name).title for name in ("micro_f1", "precision_at_3", "map_tail", "mean_absolute_error_1", "my_own")]
    ['micro-F1', 'precision@3', 'mAP, tail', 'MAE, axis 1', 'my own']
    """
    if name in METRICS:
        return METRICS[name]
    if cut := re.fullmatch(r"(\w+_at_)(\d+)", name):
        family = METRICS.get(f"{cut[1]}k")
        if family is not None:
            return replace(family, name=name, title=family.title.replace("@k", f"@{cut[2]}"))
    whole, _, part = name.rpartition("_")
    if whole in METRICS and (part in PARTS or part.isdigit()):
        metric = METRICS[whole]
        place, sums = (f"axis {part}", mean(name)) if part.isdigit() else (part, None)
        return replace(metric, name=name, title=f"{metric.title}, {place}", headline=False, compared=False, from_sums=sums)
    return Metric(name, name.replace("_", " "), "", "scores")


def check_monitored(name: str) -> None:
    """Refuse what no training could be watched by.

    Raises:
        ConfigurationError: naming the nearest metrics.
    """
    if name not in ("auto", "loss", *METRICS) and not metric_of(name).explanation:
        raise ConfigurationError(f"training.monitor: there is no metric '{name}'; {nearest(name, METRICS)}")


def title_of(name: str) -> str:
    """What people call a metric."""
    return metric_of(name).title


def lower_is_better(name: str) -> bool:
    """Whether smaller values of a metric are better; its loss, which training logs too, among them.

    >>> lower_is_better("ranking_loss"), lower_is_better("map"), lower_is_better("mean_absolute_error_2")
    (True, False, True)
    """
    return name == "loss" or metric_of(name).better == "lower"


def of_label_sets(name: str) -> bool:
    """Whether a metric follows from the true and the predicted label sets alone."""
    return name in METRICS and METRICS[name].kind == "label sets"


def of_distributions(name: str) -> bool:
    """Whether a metric is one of label distributions, or of where they place an instance on an axis."""
    return metric_of(name).kind in ("label distributions", "positions on an axis")


def headlines() -> list[str]:
    """The metrics that are shown first, those of distributions before those of label sets."""
    return [metric.name for metric in METRICS.values() if metric.headline]


def compared_by_default(*kinds: Kind) -> list[str]:
    """The metrics of some kinds that are compared where nobody says which."""
    return [metric.name for metric in METRICS.values() if metric.compared and metric.kind in kinds]


def check_resampled(names: str | Iterable[str]) -> list[Metric]:
    """The metrics asked for; refuses one that does not follow from sums over instances.

    Raises:
        ConfigurationError: naming it, and the nearest that do.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if metric_of(name).from_sums is None:
            known = [metric.name for metric in METRICS.values() if metric.from_sums is not None]
            raise ConfigurationError(f"'{name}' is no metric that can be resampled; {nearest(str(name), known)}")
    return [metric_of(name) for name in wanted]
