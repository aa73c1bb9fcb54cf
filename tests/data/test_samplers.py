"""Batches: their rows, their order, and how processes share them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multihot.data.samplers import SimilarLengthSampler
from multihot.errors import ConfigurationError

LENGTHS = np.random.default_rng(0).integers(1, 400, size=1000)


def flat(batches):
    return list(itertools.chain.from_iterable(batches))


@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 4), st.booleans(), st.booleans(), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_processes_partition_the_rows(num_rows, batch_size, world_size, shuffle, with_lengths, epoch):
    lengths = LENGTHS[:num_rows] if with_lengths else None
    if num_rows < world_size:
        return
    samplers = [SimilarLengthSampler(num_rows, batch_size, lengths, shuffle, 1, rank, world_size) for rank in range(world_size)]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    shares = [list(sampler) for sampler in samplers]
    sizes = [len(batch) for share in shares for batch in share]
    assert sorted(flat(flat(shares))) == list(range(num_rows))
    assert {len(share) for share in shares} == {len(samplers[0])}
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1


def test_order_is_a_function_of_seed_and_epoch_alone():
    def order(seed, epoch, draws_before=0):
        np.random.default_rng().random(draws_before)
        sampler = SimilarLengthSampler(1000, 16, LENGTHS, shuffle=True, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(3, 5) == order(3, 5, draws_before=7)
    assert order(3, 5) != order(3, 6)
    assert order(3, 5) != order(4, 5)


def test_shuffled_batches_hold_rows_of_similar_length():
    def padding(lengths):
        batches = list(SimilarLengthSampler(1000, 20, lengths, shuffle=True))
        return sum(LENGTHS[batch].max() * len(batch) for batch in batches) / LENGTHS.sum()

    assert padding(LENGTHS) < 1.1
    assert padding(None) > 1.5


def test_shuffling_mixes_different_rows_every_epoch():
    sampler = SimilarLengthSampler(10_000, 10, np.tile(LENGTHS, 10), shuffle=True)
    first = {frozenset(batch) for batch in sampler}
    sampler.set_epoch(1)
    assert not first & {frozenset(batch) for batch in sampler}


def test_batches_of_one_step_have_similar_length_on_all_processes():
    shares = [list(SimilarLengthSampler(1000, 10, LENGTHS, True, 0, rank, 2)) for rank in range(2)]
    gaps = [abs(LENGTHS[a].mean() - LENGTHS[b].mean()) for a, b in zip(*shares, strict=True)]
    assert np.mean(gaps) < 20


def test_without_shuffling_the_longest_rows_come_first_and_every_epoch_is_alike():
    sampler = SimilarLengthSampler(1000, 16, LENGTHS)
    once = list(sampler)
    sampler.set_epoch(4)
    assert list(sampler) == once
    assert np.all(np.diff(LENGTHS[flat(once)]) <= 0)
    assert flat(SimilarLengthSampler(50, 7)) == list(range(50))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_rows": 4, "batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"num_rows": 4, "batch_size": 2, "lengths": [1, 2]}, "2 lengths for 4 rows"),
    ],
)
def test_unusable_settings_are_refused(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        SimilarLengthSampler(**arguments)


def test_fewer_rows_than_processes_are_refused():
    with pytest.raises(ConfigurationError, match="2 rows cannot be shared among 3 processes"):
        list(SimilarLengthSampler(2, 1, rank=0, world_size=3))


def test_no_rows_make_no_batches():
    assert list(SimilarLengthSampler(0, 8)) == []
