"""Iterative stratification against the random split and against a plain transcription of the paper's algorithm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.data import iterative_stratification, random_split
from multihot.errors import ConfigurationError


def skewed(rows, labels, seed=0):
    shares = np.clip(0.4 / np.arange(1, labels + 1) ** 0.9, 0, 1)
    return sparse.csr_matrix(np.random.default_rng(seed).random((rows, labels)) < shares)


def deviation(targets, parts, fractions):
    """Mean absolute difference between a part's share of a label and its share of the rows."""
    totals = np.asarray(targets.sum(axis=0)).ravel()
    shares = [np.asarray(targets[part].sum(axis=0)).ravel()[totals > 0] / totals[totals > 0] for part in parts]
    return float(np.mean([np.abs(share - fraction) for share, fraction in zip(shares, fractions, strict=True)]))


def transcription(targets, fractions, seed):
    """Sechidis et al. 2011, algorithm 1, as slow as it reads."""
    generator = np.random.default_rng(seed)
    dense, left = targets.toarray(), set(range(targets.shape[0]))
    wanted_rows = np.array(fractions) * len(left)
    wanted = np.outer(fractions, dense.sum(axis=0))
    parts = [[] for _ in fractions]
    while left:
        counts = dense[sorted(left)].sum(axis=0)
        if counts.any():
            label = min(np.flatnonzero(counts), key=lambda i: counts[i])
            rows, desire = [row for row in sorted(left) if dense[row, label]], wanted[:, label]
        else:
            rows, desire = sorted(left), wanted_rows
        for row in rows:
            best = np.flatnonzero(desire == desire.max())
            best = best[wanted_rows[best] == wanted_rows[best].max()]
            part = int(generator.choice(best))
            parts[part].append(row)
            left.remove(row)
            wanted[part] -= dense[row]
            wanted_rows[part] -= 1
    return [np.array(part, dtype=int) for part in parts]


@pytest.mark.parametrize("fractions", [[0.9, 0.1], [0.7, 0.2, 0.1], [0.25] * 4])
def test_as_even_as_the_transcription_and_far_more_than_chance(fractions):
    targets = skewed(600, 20)
    ours = np.mean([deviation(targets, iterative_stratification(targets, fractions, seed), fractions) for seed in range(5)])
    slow = np.mean([deviation(targets, transcription(targets, fractions, seed), fractions) for seed in range(5)])
    chance = np.mean([deviation(targets, random_split(600, fractions, seed), fractions) for seed in range(5)])
    assert ours < 1.15 * slow
    assert ours < chance / 2


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 5), st.sampled_from([(0.5, 0.5), (0.8, 0.1, 0.1), (1.0,)]))
def test_every_row_lands_in_one_part_and_the_seed_decides(rows, labels, seed, fractions):
    targets = skewed(rows, labels, seed)
    for cut in (lambda: iterative_stratification(targets, fractions, seed), lambda: random_split(rows, fractions, seed)):
        parts = cut()
        assert len(parts) == len(fractions)
        assert sorted(np.concatenate(parts).tolist()) == list(range(rows))
        assert all((a == b).all() for a, b in zip(parts, cut(), strict=True))


def test_rows_without_labels_are_spread_and_a_label_of_two_rows_reaches_both_halves():
    targets = np.zeros((100, 2), dtype=bool)
    targets[:2, 0] = targets[2:20, 1] = True
    first, second = iterative_stratification(targets, [0.5, 0.5], seed=3)
    assert (targets[first].sum(axis=0) == targets[second].sum(axis=0)).all()
    assert len(first) == len(second) == 50


def test_another_seed_gives_another_cut():
    targets = skewed(200, 8)
    assert not np.array_equal(iterative_stratification(targets, [0.5, 0.5], 0)[0], iterative_stratification(targets, [0.5, 0.5], 1)[0])


def test_hundred_thousand_rows_are_split_evenly():
    targets = skewed(100_000, 100)
    parts = iterative_stratification(targets, [0.9, 0.1], seed=0)
    assert deviation(targets, parts, [0.9, 0.1]) < 0.002


@pytest.mark.parametrize("fractions", [[0.5, 0.4], [1.0, 0.0], [], [1.5, -0.5]])
def test_fractions_that_are_no_shares(fractions):
    with pytest.raises(ConfigurationError, match="must lie above 0 and sum to 1"):
        random_split(10, fractions, 0)
