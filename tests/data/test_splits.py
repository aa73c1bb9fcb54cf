"""Iterative stratification against the random split and against a plain transcription of the paper's algorithm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.data import iterative_stratification, load, random_split, splits
from multihot.errors import ConfigurationError


def skewed(rows, labels, seed=0):
    shares = np.clip(0.4 / np.arange(1, labels + 1) ** 0.9, 0, 1)
    return sparse.csr_matrix(np.random.default_rng(seed).random((rows, labels)) < shares)


def crowded(rows=400, labels=12):
    """Rows with many labels each, so that the sizes of the parts drift from their shares."""
    return sparse.csr_matrix(np.random.default_rng(0).random((rows, labels)) < 0.3)


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


@st.composite
def label_matrices(draw):
    """Any label matrix: rows without labels, labels without rows, a label a row, all labels in every row."""
    rows, labels = draw(st.integers(1, 60)), draw(st.integers(1, 80))
    kind, generator = (
        draw(st.sampled_from(["sparse", "dense", "one label a row", "none", "all"])),
        np.random.default_rng(draw(st.integers(0, 99))),
    )
    if kind == "one label a row":
        return sparse.csr_matrix((np.ones(rows, dtype=bool), (np.arange(rows), np.arange(rows))), shape=(rows, rows))
    share = {"sparse": 0.03, "dense": 0.5, "none": 0.0, "all": 1.0}[kind]
    return sparse.csr_matrix(generator.random((rows, labels)) < share)


SHARES = [(0.9, 0.1), (0.5, 0.5), (0.8, 0.1, 0.1), (0.25,) * 4, (0.97, 0.01, 0.01, 0.01), (1.0,)]


@settings(max_examples=150, deadline=None)
@given(label_matrices(), st.sampled_from(SHARES), st.integers(0, 3))
def test_sizes_are_the_shares_whatever_the_labels(targets, fractions, seed):
    parts = iterative_stratification(targets, fractions, seed)
    rows = targets.shape[0]
    assert sorted(np.concatenate(parts).tolist()) == list(range(rows))
    assert all(abs(len(part) - fraction * rows) <= 1 for part, fraction in zip(parts, fractions, strict=True))
    assert all((a == b).all() for a, b in zip(parts, iterative_stratification(targets, fractions, seed), strict=True))


@pytest.mark.parametrize(("rows", "labels", "each"), [(1000, 1255, 3), (1000, 1000, 1), (2000, 20_000, 5), (2000, 200, 5)])
def test_many_rare_labels_leave_the_share_as_it_is(rows, labels, each):
    columns = np.random.default_rng(0).integers(0, labels, rows * each) if each > 1 else np.arange(rows)
    targets = sparse.csr_matrix((np.ones(rows * each, dtype=bool), (np.repeat(np.arange(rows), each), columns)), shape=(rows, labels))
    assert abs(len(iterative_stratification(targets, [0.9, 0.1], 0)[1]) - 0.1 * rows) <= 1


def test_where_the_sizes_were_right_nothing_moves(monkeypatch):
    kept = {}
    for seed in range(8):
        kept[seed] = iterative_stratification(crowded(), [0.9, 0.1], seed)
    monkeypatch.setattr(splits._Draw, "level", lambda draw, sizes: 0)
    right = 0
    for seed, parts in kept.items():
        plain = iterative_stratification(crowded(), [0.9, 0.1], seed)
        if abs(len(plain[1]) - 40) <= 1:
            right += 1
            assert all((a == b).all() for a, b in zip(parts, plain, strict=True))
    assert 0 < right < len(kept)


def frequencies_off(targets, parts):
    """Mean absolute difference between a label's frequency in a part and in all rows."""
    every = targets.toarray().mean(axis=0)
    return float(np.mean([np.abs(targets[part].toarray().mean(axis=0) - every) for part in parts]))


@pytest.mark.parametrize("fractions", [[0.9, 0.1], [0.7, 0.2, 0.1]])
def test_frequencies_in_the_parts_are_as_even_as_the_papers(fractions):
    targets = crowded()
    ours = np.mean([frequencies_off(targets, iterative_stratification(targets, fractions, seed)) for seed in range(5)])
    paper = np.mean([frequencies_off(targets, transcription(targets, fractions, seed)) for seed in range(5)])
    assert ours < 1.02 * paper


@pytest.mark.parametrize("name", ["mulan/yeast", "reuters21578"])
def test_frequencies_on_real_data_are_as_even_as_without_levelling(name, shared_data, monkeypatch):
    data = load(name, from_path=shared_data)
    targets = data.label_sets("train", data.label_space())[0]
    ours = [iterative_stratification(targets, [0.9, 0.1], seed) for seed in range(3)]
    monkeypatch.setattr(splits._Draw, "level", lambda draw, sizes: 0)
    plain = [iterative_stratification(targets, [0.9, 0.1], seed) for seed in range(3)]
    assert max(abs(len(parts[1]) - 0.1 * targets.shape[0]) for parts in ours) <= 1
    assert np.mean([frequencies_off(targets, parts) for parts in ours]) < 1.02 * np.mean(
        [frequencies_off(targets, parts) for parts in plain]
    )


def test_labels_are_as_even_as_without_sizes_on_tables_where_that_can_be(shared_data, monkeypatch):
    """The rows that sizes cost are given back by exchanging others, where labels are few."""
    targets = load("mulan/yeast", from_path=shared_data)
    targets = targets.label_sets("train", targets.label_space())[0]
    totals = np.asarray(targets.sum(axis=0)).ravel()

    def off(parts):
        return np.abs(np.asarray(targets[parts[1]].sum(axis=0)).ravel() - 0.1 * totals).mean()

    ours = [off(iterative_stratification(targets, [0.9, 0.1], seed)) for seed in range(5)]
    monkeypatch.setattr(splits._Draw, "_exchange", lambda *_: None)
    moved_alone = [off(iterative_stratification(targets, [0.9, 0.1], seed)) for seed in range(5)]
    monkeypatch.setattr(splits._Draw, "level", lambda draw, sizes: 0)
    free = [off(iterative_stratification(targets, [0.9, 0.1], seed)) for seed in range(5)]
    assert np.mean(ours) < 1.2 * np.mean(free) < np.mean(moved_alone)


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
