"""Samplings: how often rows and labels are drawn, against their definitions counted one by one."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.components import build, choices
from multihot.data.samplers import (
    ClassAwareSampling,
    InstanceBalancedSampling,
    LabelPowersetSampling,
    RepeatFactorSampling,
    SimilarLengthSampler,
    SquareRootSampling,
)
from multihot.errors import ConfigurationError, DataError

RANDOM = np.random.default_rng(0)
TARGETS = RANDOM.random((400, 8)) < 0.5 / np.arange(1, 9) ** 1.5
TARGETS[:, 7] = False  # a label without rows
TARGETS[:3, 6] = True  # a rare one
NAMES = ["class_aware", "instance_balanced", "label_powerset", "repeat_factor", "square_root"]


def sampling_of(name, targets=TARGETS, **arguments):
    return build("sampler", {"name": name, **arguments}, targets=sparse.csr_matrix(targets))


def draws_of(sampling, epochs):
    return [sampling.rows(np.random.default_rng(epoch)) for epoch in range(epochs)]


def row_chances(label_chances, members):
    """Probability of each row when a group is drawn and then a row of it, summed group by group."""
    total = sum(label_chances.values())
    chances = np.zeros(len(TARGETS))
    for group, rows in members.items():
        for row in rows:
            chances[row] += label_chances[group] / total / len(rows)
    return chances


def by_label():
    found = {label: [row for row in range(len(TARGETS)) if TARGETS[row, label]] for label in range(8)}
    return {label: rows for label, rows in found.items() if rows}


def by_set():
    found = {}
    for row in range(len(TARGETS)):
        found.setdefault(tuple(TARGETS[row]), []).append(row)
    return found


def assert_drawn_with(chances, sampling, epochs=300):
    drawn = np.bincount(np.concatenate(draws_of(sampling, epochs)), minlength=len(TARGETS))
    expected = chances * epochs * sampling.size
    assert np.abs(drawn - expected).max() < 6 * np.sqrt(expected.max())
    assert (drawn[chances == 0] == 0).all()


def test_these_samplings_are_offered():
    assert sorted(choices("sampler")) == NAMES


def test_class_aware_draws_every_label_alike():
    members = by_label()
    assert_drawn_with(row_chances(dict.fromkeys(members, 1.0), members), ClassAwareSampling(sparse.csr_matrix(TARGETS)))


def test_square_root_draws_labels_by_the_root_of_their_counts():
    members = by_label()
    chances = {label: math.sqrt(len(rows)) for label, rows in members.items()}
    assert_drawn_with(row_chances(chances, members), SquareRootSampling(sparse.csr_matrix(TARGETS)))


def test_label_powerset_draws_every_label_set_alike_the_empty_one_too():
    members = by_set()
    assert tuple([False] * 8) in members
    assert_drawn_with(row_chances(dict.fromkeys(members, 1.0), members), LabelPowersetSampling(sparse.csr_matrix(TARGETS)))


def test_a_label_goes_through_its_rows_before_it_repeats_one():
    targets = np.zeros((50, 2), dtype=bool)
    targets[:45, 0] = targets[45:, 1] = True
    for rows in draws_of(ClassAwareSampling(sparse.csr_matrix(targets)), 20):
        rare = Counter(row for row in rows.tolist() if row >= 45)
        assert max(rare.values()) - min(rare[row] for row in range(45, 50)) <= 1


def repeat_factors(threshold):
    factors = []
    for row in TARGETS:
        shares = [TARGETS[:, label].mean() for label in np.flatnonzero(row)]
        factors.append(max([1.0, *(math.sqrt(threshold / share) for share in shares)]))
    return factors


@pytest.mark.parametrize("threshold", [0.001, 0.1, 0.5])
def test_repeat_factor_repeats_rows_as_its_definition_says(threshold):
    sampling, factors = RepeatFactorSampling(sparse.csr_matrix(TARGETS), threshold), np.array(repeat_factors(threshold))
    np.testing.assert_allclose(sampling.factors, factors, rtol=1e-12)
    epochs = [np.bincount(rows, minlength=400) for rows in draws_of(sampling, 400)]
    assert {counts.sum() for counts in epochs} == {sampling.size} == {round(factors.sum())}
    assert all((np.floor(factors) <= counts).all() and (counts <= np.ceil(factors) + 1).all() for counts in epochs)
    assert np.abs(np.mean(epochs, axis=0) - factors).max() < 0.13  # 5 standard errors of a fair coin, 400 times


def test_repeat_factor_rounds_other_rows_up_every_epoch():
    first, second = draws_of(RepeatFactorSampling(sparse.csr_matrix(TARGETS), 0.1), 2)
    assert not np.array_equal(first, second)


def test_instance_balanced_is_what_no_sampling_is_bit_for_bit():
    lengths = RANDOM.integers(1, 90, size=400)
    for epoch in range(3):
        plain = SimilarLengthSampler(400, 16, lengths, shuffle=True, seed=5)
        named = SimilarLengthSampler(400, 16, lengths, shuffle=True, seed=5, sampling=InstanceBalancedSampling(sparse.csr_matrix(TARGETS)))
        plain.set_epoch(epoch)
        named.set_epoch(epoch)
        assert list(plain) == list(named)


@pytest.mark.parametrize("name", NAMES)
@given(world_size=st.integers(1, 4), batch_size=st.integers(1, 40), epoch=st.integers(0, 3), seed=st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_processes_share_one_epoch(name, world_size, batch_size, epoch, seed):
    arguments = {"threshold": 0.2} if name == "repeat_factor" else {}
    shares = []
    for rank in range(world_size):
        sampler = SimilarLengthSampler(400, batch_size, None, True, seed, rank, world_size, sampling_of(name, **arguments))
        sampler.set_epoch(epoch)
        shares.append(list(sampler))
        assert len(shares[-1]) == len(sampler)
    whole = SimilarLengthSampler(400, batch_size, None, True, seed, 0, 1, sampling_of(name, **arguments))
    whole.set_epoch(epoch)
    together = Counter(itertools.chain.from_iterable(itertools.chain.from_iterable(shares)))
    assert together == Counter(itertools.chain.from_iterable(whole))
    assert max(len(batch) for share in shares for batch in share) <= batch_size


@pytest.mark.parametrize("name", [name for name in NAMES if name != "instance_balanced"])
def test_an_epoch_follows_from_seed_and_epoch_alone(name):
    arguments = {"threshold": 0.2} if name == "repeat_factor" else {}

    def epoch_of(seed, epoch):
        sampler = SimilarLengthSampler(400, 16, None, True, seed, sampling=sampling_of(name, **arguments))
        sampler.set_epoch(epoch)
        return list(sampler)

    assert epoch_of(1, 2) == epoch_of(1, 2)
    assert Counter(itertools.chain(*epoch_of(1, 2))) != Counter(itertools.chain(*epoch_of(1, 3)))
    assert Counter(itertools.chain(*epoch_of(1, 2))) != Counter(itertools.chain(*epoch_of(2, 2)))


@pytest.mark.parametrize("kind", [ClassAwareSampling, SquareRootSampling])
def test_rows_without_labels_are_never_drawn_and_no_label_at_all_is_refused(kind):
    bare = set(np.flatnonzero(~TARGETS.any(axis=1)).tolist())
    assert bare
    assert not bare & set(np.concatenate(draws_of(kind(sparse.csr_matrix(TARGETS)), 20)).tolist())
    with pytest.raises(DataError, match="not one training row carries a label"):
        kind(sparse.csr_matrix((3, 2), dtype=bool))


def test_rows_without_labels_stay_under_repeat_factor():
    sampling = sampling_of("repeat_factor", threshold=0.2)
    assert set(np.flatnonzero(~TARGETS.any(axis=1))) <= set(sampling.rows(np.random.default_rng(0)).tolist())


@pytest.mark.parametrize("threshold", [0, -1, 1.5, "a lot", True])
def test_a_threshold_that_is_no_share_is_refused(threshold):
    with pytest.raises(ConfigurationError, match=r"threshold must be a share of the rows in \(0, 1\]"):
        sampling_of("repeat_factor", threshold=threshold)


def test_label_powerset_without_rows_is_refused():
    with pytest.raises(DataError, match="not one training row"):
        LabelPowersetSampling(sparse.csr_matrix((0, 2), dtype=bool))
