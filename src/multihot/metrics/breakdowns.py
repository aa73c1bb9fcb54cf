"""The same measures taken apart: per label, by label frequency, and by whether training ever showed the whole label set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ConfigurationError, DataError
from ..labels import LabelStatistics, binarise, row_keys
from .evaluator import evaluate, measure, over_labels
from .inputs import as_matrix


def per_label(
    targets: Any, chosen: Any, scores: Any = None, *, known: Any = None, names: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Support, precision, recall, F1 and, with scores, average precision of every label.

    Args:
        targets: (N, L), as in ``evaluate``.
        chosen: (N, L), as in ``evaluate``.
        scores: (N, L), as in ``evaluate``.
        known: (N, L), as in ``evaluate``.
        names: the labels' names; their column numbers if left out.

    Returns:
        L dicts in column order: ``label``, ``support`` (instances that carry it), ``chosen`` (instances predicted to), ``precision``,
        ``recall``, ``f1`` and ``average_precision``.

    >>> per_label([[1, 0], [1, 1]], [[1, 0], [0, 1]], names=["cocoa", "grain"])[0]
    {'label': 'cocoa', 'support': 2, 'chosen': 1, 'precision': 1.0, 'recall': 0.5, 'f1': 0.6666666666666666}
    """
    evaluator = measure(targets, chosen, scores, known=known)
    if names is not None and len(names) != evaluator.num_labels:
        raise DataError(f"names has {len(names)} entries for {evaluator.num_labels} labels; give one name a label")
    counts = {"support": evaluator.sets.true, "chosen": evaluator.sets.chosen}
    columns = counts | evaluator.sets.per_label()
    if evaluator.curves is not None:
        columns["average_precision"] = evaluator.curves.average_precision
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    labels = names if names is not None else range(evaluator.num_labels)
    return [{"label": label, **dict(zip(columns, row, strict=True))} for label, row in zip(labels, values, strict=True)]


def by_frequency(
    targets: Any, chosen: Any, statistics: LabelStatistics, scores: Any = None, *, known: Any = None
) -> dict[str, dict[str, float]]:
    """Macro measures of the head, medium and tail labels: at least 100, 20 to 99, fewer than 20 training instances.

    Args:
        targets: (N, L), as in ``evaluate``.
        chosen: (N, L), as in ``evaluate``.
        statistics: of the training split.
        scores: (N, L), as in ``evaluate``; adds ``map``.
        known: (N, L), as in ``evaluate``.

    Returns:
        ``head``, ``medium``, ``tail`` -> ``num_labels`` and, where there are any, ``macro_precision``, ``macro_recall``, ``macro_f1``,
        ``macro_f1_harmonic`` and ``map``.

    >>> statistics = LabelStatistics.from_targets([[1, 0]] * 150 + [[1, 1]] * 30)
    >>> found = by_frequency([[1, 0], [1, 1]], [[1, 0], [1, 0]], statistics)
    >>> found["head"]["macro_f1"], found["medium"]["macro_f1"], found["tail"]
    (1.0, 0.0, {'num_labels': 0})
    """
    evaluator = measure(targets, chosen, scores, statistics, known=known)
    found: dict[str, dict[str, float]] = {}
    for group, labels in evaluator.frequency_groups().items():
        found[group] = {"num_labels": len(labels)}
        if len(labels):
            found[group] |= over_labels(evaluator.sets, labels)
            if evaluator.curves is not None:
                found[group]["map"] = float(evaluator.curves.average_precision[labels].mean())
    return found


def seen_unseen(
    targets: Any, chosen: Any, statistics: LabelStatistics, scores: Any = None, *, known: Any = None
) -> dict[str, dict[str, float]]:
    """All measures on the instances whose true label set did, and on those whose set did not, occur in training (Tsai 2019, chapter 3).

    Args:
        targets: (N, L), as in ``evaluate``.
        chosen: (N, L), as in ``evaluate``.
        statistics: of the training split.
        scores: (N, L), as in ``evaluate``.
        known: (N, L), as in ``evaluate``.

    Returns:
        ``seen`` and ``unseen`` -> ``num_examples`` and, where there are any, the measures of ``evaluate``.

    >>> statistics = LabelStatistics.from_targets([[1, 0], [0, 1]])
    >>> found = seen_unseen([[1, 0], [1, 1]], [[1, 0], [1, 0]], statistics)
    >>> found["seen"]["subset_accuracy"], found["unseen"]["subset_accuracy"]
    (1.0, 0.0)
    """
    seen = _set_frequency(targets, statistics) > 0
    return {
        name: _evaluate_rows(np.flatnonzero(rows), targets, chosen, scores, known) for name, rows in (("seen", seen), ("unseen", ~seen))
    }


def by_set_frequency(
    targets: Any,
    chosen: Any,
    statistics: LabelStatistics,
    *,
    edges: Sequence[int] = (0, 1, 10, 100, 1000),
    known: Any = None,
) -> list[dict[str, Any]]:
    """All measures of label sets by how often the true label set occurs in training (Tsai 2019, figure 4.5).

    Args:
        targets: (N, L), as in ``evaluate``.
        chosen: (N, L), as in ``evaluate``.
        statistics: of the training split.
        edges: rising; a bin runs from one edge to just below the next, the last one has no end.
        known: (N, L), as in ``evaluate``.

    Returns:
        One dict a bin: ``from``, ``to`` (None for the last), ``num_examples`` and, where there are any, the measures of ``evaluate``.

    >>> statistics = LabelStatistics.from_targets([[1, 0]] * 3)
    >>> [(bin["from"], bin["to"], bin["num_examples"]) for bin in by_set_frequency([[1, 0]], [[1, 0]], statistics, edges=(0, 1, 5))]
    [(0, 0, 0), (1, 4, 1), (5, None, 0)]
    """
    if list(edges) != sorted(set(edges)) or not edges or edges[0] != 0:
        raise ConfigurationError(f"edges must rise from 0, got {list(edges)}; for example (0, 1, 10, 100)")
    frequency = _set_frequency(targets, statistics)
    found: list[dict[str, Any]] = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        inside = (frequency >= low) & (high is None or frequency < high)
        bounds = {"from": low, "to": None if high is None else high - 1}
        found.append(bounds | _evaluate_rows(np.flatnonzero(inside), targets, chosen, None, known))
    return found


def label_sets_produced(chosen: Any, statistics: LabelStatistics) -> dict[str, int]:
    """How varied the predicted label sets are; the empty set counts as one.

    Args:
        chosen: (N, L) of 0 and 1: the predicted label sets.
        statistics: of the training split.

    Returns:
        ``distinct``: different label sets predicted; ``unseen``: those of them that never occur in training; ``unseen_examples``:
        instances that were given such a set.

    >>> statistics = LabelStatistics.from_targets([[1, 0], [0, 1]])
    >>> label_sets_produced([[1, 0], [1, 1], [1, 1]], statistics)
    {'distinct': 2, 'unseen': 1, 'unseen_examples': 2}
    """
    rows = binarise(as_matrix("chosen", chosen))
    frequency = _set_frequency(rows, statistics)
    produced = dict(zip(row_keys(rows), frequency.tolist(), strict=True))
    unseen = sum(count == 0 for count in produced.values())
    return {"distinct": len(produced), "unseen": unseen, "unseen_examples": int((frequency == 0).sum())}


def _set_frequency(matrix: Any, statistics: LabelStatistics) -> np.ndarray:
    given = as_matrix("label sets", matrix)
    if given.shape[1] != statistics.num_labels:
        raise DataError(
            f"statistics are of {statistics.num_labels} labels, but the label sets have {given.shape[1]}; use those of this data set"
        )
    return statistics.set_frequency(given)


def _evaluate_rows(rows: np.ndarray, targets: Any, chosen: Any, scores: Any, known: Any) -> dict[str, float]:
    if not len(rows):
        return {"num_examples": 0}
    given = {"targets": targets, "chosen": chosen, "scores": scores, "known": known}
    parts = {name: as_matrix(name, values)[rows] for name, values in given.items() if values is not None}
    return {"num_examples": len(rows), **evaluate(**parts)}
