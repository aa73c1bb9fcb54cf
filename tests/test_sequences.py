"""Label sets as sequences, and the optimal policy: the worked example to the digit, everything else by enumeration."""

import itertools
import random

import numpy as np
import pytest
import torch
from brute_force import best_reward, soft_max

from multihot.sequences import below_missing, emitted_before, label_sets, optimal_policy, optimal_q_values, order_labels, up_to_stop

A, B, C, D, STOP = range(5)
TRUTH = torch.tensor([[1.0, 1.0, 0.0, 1.0]])
SAID = torch.tensor([[B, C, A, D, STOP]])


def test_the_worked_example_of_the_thesis():
    q = optimal_q_values(TRUTH, SAID)[0]
    assert q.tolist() == [[0, 0, -1, 0, -3], [0, -1, -1, 0, -2], [-1, -2, -2, -1, -3], [-2, -2, -2, -1, -2], [-2, -2, -2, -2, -1]]
    third, half = 1 / 3, 1 / 2
    wanted = [[third, third, 0, third, 0], [half, 0, 0, half, 0], [half, 0, 0, half, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    for tau in (0.0, 1e-8):
        torch.testing.assert_close(optimal_policy(q, tau), torch.tensor(wanted))


def random_case(generator: random.Random, num_labels: int) -> tuple[set[int], list[int]]:
    """A label set, empty now and then, and a sequence with wrong and repeated labels that may end before its last place."""
    truth = {label for label in range(num_labels) if generator.random() < 0.5}
    return truth, [generator.randrange(num_labels + 1) for _ in range(num_labels + 1)]


@pytest.mark.parametrize("tau", [0.0, 1e-8, 0.3, 1.0, 5.0])
def test_policy_is_the_best_that_enumeration_finds(tau):
    generator = random.Random(int(10 * tau))
    cases = [(set(), [0, 0, 3, 1]), ({0, 1, 2}, [3, 0, 1, 2]), *(random_case(generator, 3) for _ in range(40))]
    targets = torch.tensor([[float(label in truth) for label in range(3)] for truth, _ in cases])
    q = optimal_q_values(targets, torch.tensor([said for _, said in cases])).double()
    for row, (truth, said) in enumerate(cases):
        for step in range(1 + (said.index(3) if 3 in said else 3)):
            best = [best_reward(truth, tuple(said[:step]), symbol, 3) for symbol in range(4)]
            assert q[row, step].tolist() == best
            np.testing.assert_allclose(optimal_policy(q, tau)[row, step], soft_max(best, tau), atol=1e-12)


def test_the_limit_is_where_small_temperatures_go():
    q = optimal_q_values(torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), torch.tensor([[2, 1, 0, 3], [0, 3, 3, 3]]))
    torch.testing.assert_close(optimal_policy(q, 0.0), optimal_policy(q, 0.02))


def test_a_choice_that_is_shut_gets_nothing():
    q = torch.tensor([0.0, -torch.inf, -1.0])
    assert optimal_policy(q, 0.5)[1] == 0
    assert optimal_policy(q).tolist() == [1, 0, 0]


def test_what_stands_behind_the_stop_changes_nothing():
    ended = torch.tensor([[B, STOP, STOP, STOP]])
    going_on = torch.tensor([[B, STOP, A, C]])
    assert torch.equal(optimal_q_values(TRUTH, ended), optimal_q_values(TRUTH, going_on))


@pytest.mark.parametrize("symbol", [5, -1])
def test_a_symbol_that_does_not_exist_is_refused(symbol):
    with pytest.raises(ValueError, match=r"symbols from 0 to 4 \(stop\)"):
        optimal_q_values(TRUTH, torch.tensor([[symbol]]))


@pytest.mark.parametrize("tau", [-1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(tau):
    with pytest.raises(ValueError, match="'tau' parameter must be a finite number, at least 0"):
        optimal_policy(torch.zeros(2), tau)


def test_label_sets_become_sequences_and_come_back():
    targets = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
    for priority in (torch.tensor([3.0, 1.0, 4.0, 1.0]), torch.rand(16, 4)):
        sequences = order_labels(targets, priority)
        assert torch.equal(label_sets(sequences, 4), targets.bool())
        priorities = priority.expand(16, 4)
        for row, sequence in enumerate(sequences.tolist()):
            labels = [symbol for symbol in sequence if symbol < 4]
            assert sequence == labels + [4] * (5 - len(labels))
            assert labels == sorted(labels, key=lambda label: (-priorities[row, label].item(), label))


def test_prefixes_are_what_a_loop_says():
    emitted = torch.tensor([[1, 0, 3, 3], [2, 2, 1, 3], [3, 3, 3, 3]])
    for row, sequence in enumerate(emitted.tolist()):
        end = sequence.index(3)
        assert up_to_stop(emitted, 3)[row].tolist() == [step <= end for step in range(4)]
        for step in range(4):
            assert emitted_before(emitted, 3)[row, step].tolist() == [label in sequence[:step] for label in range(3)]


def test_no_instances_make_no_sequences():
    assert order_labels(torch.zeros(0, 3), torch.arange(3.0)).shape == (0, 1)


def test_labels_below_a_missing_one_are_what_a_loop_says():
    above = [{}, {0}, {0, 1}, {}, {3}]
    ancestors = torch.tensor([[-1, -1], [0, -1], [1, 0], [-1, -1], [3, -1]])
    missing = torch.tensor(list(itertools.product([False, True], repeat=5)))[None]
    found = below_missing(missing, ancestors)
    for step, row in enumerate(missing[0].tolist()):
        assert found[0, step].tolist() == [any(row[other] for other in above[label]) for label in range(5)]
