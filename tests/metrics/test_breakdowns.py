"""Breakdowns against the same measures on the selected rows or columns, and against scikit-learn."""

import json

import numpy as np
import pytest
from scipy import sparse
from sklearn import metrics as sk

from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelStatistics
from multihot.metrics import by_frequency, by_set_frequency, evaluate, label_sets_produced, per_label, seen_unseen

RANDOM = np.random.default_rng(0)
TRAINING = RANDOM.random((400, 4)) < [0.5, 0.3, 0.1, 0.02]
TARGETS, CHOSEN = RANDOM.random((60, 4)) < [0.5, 0.4, 0.2, 0.2], RANDOM.random((60, 4)) < 0.3
SCORES = RANDOM.normal(size=(60, 4)).round(1)
STATISTICS = LabelStatistics.from_targets(TRAINING)
FREQUENCY = np.array([(row == TRAINING).all(axis=1).sum() for row in TARGETS])


def test_per_label_agrees_with_scikit_learn() -> None:
    found = per_label(TARGETS, CHOSEN, SCORES, names=["a", "b", "c", "d"])
    precision, recall, f1, support = sk.precision_recall_fscore_support(TARGETS, CHOSEN, average=None, zero_division=0)
    for key, expected in {"precision": precision, "recall": recall, "f1": f1, "support": support}.items():
        assert [row[key] for row in found] == pytest.approx(expected)
    assert [row["average_precision"] for row in found] == pytest.approx(sk.average_precision_score(TARGETS, SCORES, average=None))
    assert [row["label"] for row in found] == ["a", "b", "c", "d"]
    assert [row["chosen"] for row in found] == CHOSEN.sum(axis=0).tolist()
    assert json.loads(json.dumps(found)) == found


def test_per_label_wants_one_name_a_label() -> None:
    with pytest.raises(DataError, match="2 entries for 4 labels"):
        per_label(TARGETS, CHOSEN, names=["a", "b"])


def test_by_frequency_measures_each_group_of_labels() -> None:
    found = by_frequency(TARGETS, CHOSEN, STATISTICS, SCORES)
    counts = TRAINING.sum(axis=0)
    groups = {"head": counts >= 100, "medium": (counts >= 20) & (counts < 100), "tail": counts < 20}
    assert found.keys() == groups.keys()
    for name, columns in groups.items():
        alone = evaluate(TARGETS[:, columns], CHOSEN[:, columns], SCORES[:, columns])
        assert found[name]["num_labels"] == columns.sum() > 0
        assert {key: value for key, value in found[name].items() if key != "num_labels"} == pytest.approx(
            {key: alone[key] for key in ("macro_precision", "macro_recall", "macro_f1", "macro_f1_harmonic", "map")}
        )
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_seen_and_unseen_label_sets(kind: type) -> None:
    found = seen_unseen(kind(TARGETS), kind(CHOSEN), STATISTICS, SCORES)
    for name, rows in {"seen": FREQUENCY > 0, "unseen": FREQUENCY == 0}.items():
        assert found[name] == pytest.approx({"num_examples": rows.sum(), **evaluate(TARGETS[rows], CHOSEN[rows], SCORES[rows])})
        assert found[name]["num_examples"] > 0


def test_by_set_frequency_covers_every_row_once() -> None:
    found = by_set_frequency(TARGETS, CHOSEN, STATISTICS, edges=(0, 1, 10, 50))
    assert [(bin["from"], bin["to"]) for bin in found] == [(0, 0), (1, 9), (10, 49), (50, None)]
    assert sum(bin["num_examples"] for bin in found) == len(TARGETS)
    for bin in found:
        high = np.inf if bin["to"] is None else bin["to"]
        rows = (bin["from"] <= FREQUENCY) & (high >= FREQUENCY)
        assert bin["num_examples"] == rows.sum()
        assert bin["example_f1"] == pytest.approx(sk.f1_score(TARGETS[rows], CHOSEN[rows], average="samples", zero_division=0))
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("edges", [(), (1, 5), (0, 5, 5), (0, 9, 3)])
def test_edges_must_rise_from_zero(edges: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="rise from 0"):
        by_set_frequency(TARGETS, CHOSEN, STATISTICS, edges=edges)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_label_sets_produced(kind: type) -> None:
    produced = [tuple(row) for row in CHOSEN.tolist()]
    in_training = {tuple(row) for row in TRAINING.tolist()}
    unseen = [row for row in produced if row not in in_training]
    expected = {"distinct": len(set(produced)), "unseen": len(set(unseen)), "unseen_examples": len(unseen)}
    assert label_sets_produced(kind(CHOSEN), STATISTICS) == expected
    assert expected["unseen"] > 0


def test_statistics_of_other_labels_are_refused() -> None:
    with pytest.raises(DataError, match="statistics are of 4 labels"):
        seen_unseen(np.eye(3), np.eye(3), STATISTICS)
