"""Optimal Completion Distillation: the batch against a loop with enumerated policies, gradients by finite differences, trees, traps."""

import itertools

import numpy as np
import pytest
import torch
from brute_force import best_reward, next_log_probabilities, soft_max
from torch.func import functional_call
from toys import PrefixDecoder, ToyDecoder, random_batch, sequence_model

from multihot.decoders import RecurrentDecoder
from multihot.decoding import GreedyDecoding
from multihot.labels import LabelSpace, LabelStatistics
from multihot.objectives import OptimalCompletionObjective
from multihot.objectives.walk import sample, walk

ALL_SETS = LabelStatistics.from_targets(list(itertools.product([0, 1], repeat=3)))
SPACE = LabelSpace(["a", "b", "c"])


def drawn(model, batch, seed, steps=4):
    """What the objective draws after a seed."""
    torch.manual_seed(seed)
    with torch.no_grad():
        return walk(model.decoder, model.encode(batch), ~batch.known, steps, lambda logits, *_: sample(logits)).emitted.tolist()


def naive(model, batch, sequences, tau, masked, above=({}, {}, {})):
    """The sum over instances and steps, every policy by enumeration of all completions; ``above``: each label's ancestors."""
    total = torch.zeros(())
    for row, sequence in enumerate(sequences):
        encoding = model.encode(batch).select(torch.tensor([row]))
        unknown = {label for label in range(3) if not batch.known[row, label]}
        truth = {label for label in range(3) if batch.targets[row, label]} - unknown
        for step in range(1 + (sequence.index(3) if 3 in sequence else len(sequence) - 1)):
            prefix = tuple(sequence[:step])
            missing = truth - set(prefix)
            early = {label for label in missing if missing & set(above[label])}
            shut = unknown | early | (set(prefix) if masked else set())
            open_symbols = [symbol for symbol in range(4) if symbol not in shut]
            policy = soft_max([best_reward(truth, prefix, symbol, 3) for symbol in open_symbols], tau)
            log_p = next_log_probabilities(model.decoder, encoding, prefix, 3, unknown, masked)
            for symbol, p in zip(open_symbols, policy, strict=True):
                total = total + (p * (np.log(p) - log_p[symbol]) if p else 0)
    return total / len(sequences)


@pytest.mark.parametrize("decoder", [PrefixDecoder, ToyDecoder, RecurrentDecoder])
@pytest.mark.parametrize(("tau", "masked"), [(0.0, True), (0.0, False), (1e-8, True), (0.7, True), (0.7, False)])
def test_the_batch_is_what_a_loop_says(decoder, tau, masked):
    model, batch = sequence_model(3, decoder), random_batch(16, 3)
    batch.known[3:6, 1] = False
    objective = OptimalCompletionObjective(ALL_SETS, tau=tau, masked=masked)
    sequences = drawn(model, batch, seed=3)
    torch.manual_seed(3)
    torch.testing.assert_close(objective(model, batch), naive(model, batch, sequences, tau, masked), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_gradients_are_those_of_finite_differences(tau):
    model, batch = sequence_model(3).double(), random_batch(6, 3)
    batch.inputs["features"] = batch.inputs["features"].double()
    batch.known[0, 2] = False
    objective = OptimalCompletionObjective(ALL_SETS, tau=tau)
    objective.model = model  # so that its parameters can be exchanged
    names = ["model.decoder.table", "model.encoder.layers.0.weight"]
    values = [objective.get_parameter(name).detach().clone().requires_grad_() for name in names]

    def loss(*values):
        torch.manual_seed(1)  # the same sample
        return functional_call(objective, dict(zip(names, values, strict=True)), (model, batch))

    assert torch.autograd.gradcheck(loss, values, fast_mode=True)


def test_closed_labels_are_never_drawn_and_get_no_gradient():
    model, batch = sequence_model(3), random_batch(64, 3)
    batch.known[:, 1] = False
    assert not any(1 in sequence for seed in range(5) for sequence in drawn(model, batch, seed))
    OptimalCompletionObjective(ALL_SETS)(model, batch).backward()
    assert model.decoder.table.grad[:, 1].abs().max() == 0
    assert model.decoder.table.grad.isfinite().all()


def test_no_label_is_drawn_twice():
    for sequence in drawn(sequence_model(3), random_batch(200, 3), seed=0):
        labels = [symbol for symbol in sequence if symbol < 3]
        assert len(labels) == len(set(labels))
        assert sequence == labels + [3] * (4 - len(labels))


def test_samples_follow_the_model():
    logits = torch.tensor([[0.0, 1.0, -torch.inf, 2.0]])
    torch.manual_seed(0)
    counts = torch.bincount(sample(logits.expand(40000, -1)), minlength=4)
    wanted = 40000 * torch.softmax(logits[0], 0)
    assert counts[2] == 0
    assert ((counts - wanted)[[0, 1, 3]].abs() < 4 * wanted[[0, 1, 3]].sqrt()).all()


def test_a_walk_ends_with_its_last_sequence():
    model, batch = sequence_model(3), random_batch(5, 3)
    steps = []

    def two_labels(logits, step, rows):
        steps.append((step, len(rows)))
        return torch.tensor([0, 3, 3, 3, 3] if step < 1 else [1] if step < 2 else [3])

    walked = walk(model.decoder, model.encode(batch), ~batch.known, 100, two_labels)
    assert steps == [(0, 5), (1, 1), (2, 1)]  # those that have ended are left behind
    assert walked.emitted.tolist() == [[0, 1, 3], *[[3, 3, 3]] * 4]


def test_a_walk_says_of_every_instance_what_it_would_say_of_it_alone():
    model, batch = sequence_model(4).eval(), random_batch(12, 4)
    sequences = torch.tensor([[*range(row % 5), *[4] * (5 - row % 5)] for row in range(12)])
    encoding = model.encode(batch)
    together = walk(model.decoder, encoding, ~batch.known, 5, lambda _, step, rows: sequences[rows, step])
    assert together.emitted.tolist() == sequences.tolist()
    for row in range(12):
        alone = encoding.select(torch.tensor([row]))
        single = walk(model.decoder, alone, ~batch.known[:1], 5, lambda _, step, __, row=row: sequences[row : row + 1, step])
        length = row % 5 + 1
        torch.testing.assert_close(together.logits[row, :length], single.logits[0, :length])


def test_it_learns_to_stop_at_once_where_there_are_no_labels():
    model, batch = sequence_model(3), random_batch(32, 3)
    batch.targets[:] = 0
    objective = OptimalCompletionObjective(ALL_SETS)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(40):
        optimiser.zero_grad()
        objective(model, batch).backward()
        optimiser.step()
    assert not GreedyDecoding(SPACE)(model, batch).chosen.any()


TREES = {
    "chain": ({"b": "a", "c": "b"}, ({}, {0}, {0, 1})),
    "fork": ({"b": "a", "c": "a"}, ({}, {0}, {0})),
    "two roots": ({"a": "c"}, ({2}, {}, {})),
}


@pytest.mark.parametrize("tau", [0.0, 0.5])
@pytest.mark.parametrize("tree", TREES)
def test_in_a_tree_a_label_waits_for_the_true_labels_above_it(tree, tau):
    parents, above = TREES[tree]
    model, batch = sequence_model(3), random_batch(24, 3)  # children without their parents among them
    objective = OptimalCompletionObjective(ALL_SETS, tau=tau, parents=parents, label_space=SPACE)
    sequences = drawn(model, batch, seed=2)
    torch.manual_seed(2)
    torch.testing.assert_close(objective(model, batch), naive(model, batch, sequences, tau, True, above), rtol=1e-4, atol=1e-5)


def test_a_true_label_hangs_from_the_nearest_true_one_above_it():
    objective = OptimalCompletionObjective(ALL_SETS, parents={"b": "a", "c": "b"}, label_space=SPACE)
    policy = objective.policy(torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[0, 2, 3]]), torch.zeros(1, 3, dtype=torch.bool))
    assert policy[0].tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="'parents' parameter needs 'label_space'"):
        OptimalCompletionObjective(ALL_SETS, parents={"b": "a"})
    with pytest.raises(ValueError, match="'max_steps' parameter must be at least 1, got 0"):
        OptimalCompletionObjective(ALL_SETS, max_steps=0)
    with pytest.raises(ValueError, match="'tau' parameter"):
        OptimalCompletionObjective(ALL_SETS, tau=-1)


def test_the_step_limit_ends_a_walk():
    model, batch = sequence_model(3), random_batch(16, 3)
    sequences = drawn(model, batch, seed=5, steps=2)
    assert {len(sequence) for sequence in sequences} == {2}
    torch.manual_seed(5)
    loss = OptimalCompletionObjective(ALL_SETS, max_steps=2)(model, batch)
    torch.testing.assert_close(loss, naive(model, batch, sequences, 0.0, True), rtol=1e-4, atol=1e-5)
