"""Maximum likelihood of label sequences against a loop over instances and steps."""

import numpy as np
import pytest
import torch
from brute_force import next_log_probabilities
from toys import random_batch, sequence_model

from multihot.errors import ConfigurationError
from multihot.labels import LabelSpace, LabelStatistics
from multihot.objectives import LikelihoodObjective

SPACE = LabelSpace(["a", "b", "c", "d"])
STATISTICS = LabelStatistics.from_targets([[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 0]])  # 1, 3, 3, 2
PARENTS = {"b": "d", "a": "b"}
ORDERS = {"frequent_first": [1, 2, 3, 0], "rare_first": [0, 3, 2, 1], "tree": [2, 3, 1, 0]}


def naive(model, batch, order, masked=True):
    total = torch.zeros(())
    for row in range(len(batch)):
        encoding = model.encode(batch).select(torch.tensor([row]))
        unknown = [label for label in range(4) if not batch.known[row, label]]
        labels = [label for label in order if batch.targets[row, label] >= 0.5 and label not in unknown]
        for step, symbol in enumerate([*labels, 4]):
            total = total - next_log_probabilities(model.decoder, encoding, tuple(labels[:step]), 4, unknown, masked)[symbol]
    return total / len(batch)


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("order", ORDERS)
def test_it_is_what_a_loop_says(order, masked):
    model, batch = sequence_model(4), random_batch(12, 4)
    batch.targets[0], batch.targets[1] = 0, 1
    batch.known[2:6, 1] = False
    parents = PARENTS if order == "tree" else None
    objective = LikelihoodObjective(STATISTICS, SPACE, order=order, parents=parents, masked=masked)
    torch.testing.assert_close(objective(model, batch), naive(model, batch, ORDERS[order], masked))


def test_a_random_order_is_another_one_each_time_and_fair():
    objective = LikelihoodObjective(STATISTICS, order="random")
    torch.manual_seed(0)
    sequences = objective.order(torch.ones(6000, 4))
    orders, counts = np.unique(sequences[:, :4].numpy(), axis=0, return_counts=True)
    assert len(orders) == 24
    assert abs(counts - 250).max() < 5 * 250**0.5


def test_an_instance_without_labels_learns_to_stop():
    model, batch = sequence_model(3), random_batch(4, 3)
    batch.targets[:] = 0
    loss = LikelihoodObjective(LabelStatistics.from_targets(np.zeros((1, 3))))(model, batch)
    stops = [next_log_probabilities(model.decoder, model.encode(batch).select(torch.tensor([row])), (), 3)[3] for row in range(4)]
    torch.testing.assert_close(loss, -torch.stack(stops).mean())


def test_unknown_labels_get_no_gradient():
    model, batch = sequence_model(3), random_batch(8, 3)
    batch.known[:, 1] = False
    LikelihoodObjective(LabelStatistics.from_targets(np.eye(3)))(model, batch).backward()
    assert model.decoder.table.grad[:, 1].abs().max() == 0
    assert model.decoder.table.grad[:, 0].abs().max() > 0


def test_wrong_orders_are_refused():
    with pytest.raises(ValueError, match="'order' parameter must be one of frequent_first, rare_first, random, tree, got 'alphabetical'"):
        LikelihoodObjective(STATISTICS, order="alphabetical")
    with pytest.raises(ValueError, match="'tree' needs 'parents'"):
        LikelihoodObjective(STATISTICS, SPACE, order="tree")
    with pytest.raises(ConfigurationError, match="names 'e', which is no label"):
        LikelihoodObjective(STATISTICS, SPACE, order="tree", parents={"e": "a"})
