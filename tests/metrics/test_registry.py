"""What is said of metrics is said once, of all of them, and holds."""

from pathlib import Path

import numpy as np
import pytest

from multihot.labels import LabelStatistics
from multihot.metrics import METRICS, evaluate, metric_of
from multihot.metrics.registry import compared_by_default, headlines, lower_is_better


def measured(targets, scores):
    return evaluate(targets, scores > 0.5, scores, LabelStatistics.from_targets(TARGETS), probabilities=True)


random = np.random.default_rng(0)
TARGETS = random.random((200, 5)) < [0.7, 0.5, 0.3, 0.2, 0.06]


def test_every_metric_that_is_measured_is_described():
    found = measured(TARGETS, random.random(TARGETS.shape))
    undescribed = [name for name in found if not metric_of(name).explanation]
    assert not undescribed


def test_every_described_metric_has_a_title_of_its_own():
    titles = [metric.title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)


def test_better_says_where_a_perfect_prediction_stands():
    """The true labels as scores are nowhere worse than chance, and reach the bound that `better` names."""
    perfect, chance = measured(TARGETS, TARGETS.astype(float)), measured(TARGETS, random.random(TARGETS.shape))
    for name, value in perfect.items():
        if (better := metric_of(name).better) == "neither":
            continue
        assert value <= chance[name] if better == "lower" else value >= chance[name], name


def test_values_lie_within_their_bounds():
    for scores in (TARGETS.astype(float), 1.0 - TARGETS, random.random(TARGETS.shape)):
        for name, value in measured(TARGETS, scores).items():
            low, high = metric_of(name).bounds
            assert low <= value <= high + 1e-12, name


@pytest.mark.parametrize(
    ("name", "lower"),
    [("loss", True), ("hamming_accuracy", False), ("mean_absolute_error_1", True), ("ndcg_at_5", False), ("macro_f1_tail", False)],
)
def test_directions_of_metrics_with_a_number_or_a_part(name, lower):
    assert lower_is_better(name) is lower


def test_headlines_and_defaults_are_registered():
    assert set(headlines()) <= set(METRICS)
    assert compared_by_default("label sets", "scores") == ["micro_f1", "macro_f1", "example_f1", "subset_accuracy", "map"]


def test_the_documents_define_every_metric():
    text = (Path(__file__).parents[2] / "docs/measures.md").read_text()
    assert not [name for name in METRICS if f"`{name}`" not in text]
