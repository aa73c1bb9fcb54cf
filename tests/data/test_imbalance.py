"""Imbalance figures, against naive loops and against those that were published with the Mulan sets."""

import math

import numpy as np
import pytest
from scipy import sparse

from multihot.data import load
from multihot.data.imbalance import imbalance_ratios, measure_imbalance, scumble
from multihot.labels import LabelStatistics

RANDOM = np.random.default_rng(1)
TARGETS = RANDOM.random((120, 9)) < 0.7 / np.arange(1, 10)
TARGETS[:, 8] = False


def naive(targets):
    """IRLbl of every label that occurs and SCUMBLE of every row, straight from their definitions."""
    counts = [sum(row[label] for row in targets) for label in range(targets.shape[1])]
    ratios = [max(counts) / count if count else math.nan for count in counts]
    rows = []
    for row in targets:
        present = [ratios[label] for label in range(len(counts)) if row[label]]
        rows.append(1 - math.prod(present) ** (1 / len(present)) / (sum(present) / len(present)) if present else 0.0)
    return ratios, rows


def test_against_naive_loops():
    statistics = LabelStatistics.from_targets(TARGETS)
    ratios, rows = naive(TARGETS)
    np.testing.assert_allclose(imbalance_ratios(statistics), ratios)
    of_set = {tuple(labels): value for labels, value in zip(statistics.sets.toarray(), scumble(statistics), strict=True)}
    np.testing.assert_allclose([of_set[tuple(row)] for row in TARGETS], rows, atol=1e-12)
    figures, known = measure_imbalance(statistics), np.array([ratio for ratio in ratios if not math.isnan(ratio)])
    assert figures.mean == pytest.approx(known.mean())
    assert figures.largest == known.max()
    assert figures.variation == pytest.approx(math.sqrt(((known - known.mean()) ** 2).sum() / (len(known) - 1)) / known.mean())
    assert figures.scumble == pytest.approx(np.mean(rows))
    assert figures.scumble_variation == pytest.approx(np.std(rows, ddof=1) / np.mean(rows))


def test_equal_labels_have_no_imbalance():
    figures = measure_imbalance(LabelStatistics.from_targets(np.eye(4)))
    assert (figures.mean, figures.variation, figures.largest, figures.scumble, figures.scumble_variation) == (1, 0, 1, 0, 0)


def test_labels_without_any_row_have_no_figures():
    figures = measure_imbalance(LabelStatistics.from_targets(np.zeros((3, 2))))
    assert math.isnan(figures.mean)
    assert math.isnan(figures.scumble)


@pytest.mark.parametrize(
    ("name", "mean", "level"),  # MeanIR and SCUMBLE as the R package mldr and the papers print them
    [("emotions", 1.478, 0.011), ("yeast", 7.197, 0.104), ("scene", 1.254, 0.000), ("cal500", 20.578, 0.337), ("corel5k", 189.568, 0.394)],
)
def test_published_figures(shared_data, name, mean, level):
    data = load(f"mulan/{name}", from_path=shared_data)
    space = data.label_space()
    whole = sparse.vstack([data.targets(split, space)[0] for split in data.splits])
    figures = measure_imbalance(LabelStatistics.from_targets(whole))
    assert figures.mean == pytest.approx(mean, abs=5.1e-4)
    assert figures.scumble == pytest.approx(level, abs=5.1e-4)
