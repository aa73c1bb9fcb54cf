"""Scheduled sampling: what is fed, how often, and what is learned from it."""

import numpy as np
import pytest
import torch
from toys import random_batch, sequence_model

from multihot.labels import LabelSpace, LabelStatistics
from multihot.objectives import LikelihoodObjective, ScheduledSamplingObjective
from multihot.objectives.scheduled_sampling import feed
from multihot.objectives.walk import log_probabilities, walk

STATISTICS = LabelStatistics.from_targets([[1, 0, 0], [1, 1, 0], [1, 1, 1]])


def test_the_share_of_truth_falls_linearly():
    objective = ScheduledSamplingObjective(STATISTICS)
    shares = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        objective.set_progress(progress)
        shares.append(objective.share_of_truth)
    np.testing.assert_allclose(shares, [1.0, 0.925, 0.85, 0.7])


def test_the_truth_is_fed_as_often_as_said_and_else_a_draw_of_the_model():
    torch.manual_seed(0)
    logits = torch.tensor([0.5, 1.0, -torch.inf, -1.0, 3.0]).expand(50000, -1)  # label 2 is shut, the last is stop
    fed = feed(torch.full((50000,), 3), logits, share_of_truth=0.7)
    drawn = torch.softmax(torch.tensor([0.5, 1.0, -torch.inf, -1.0, -torch.inf]), 0)
    wanted = 50000 * (0.3 * drawn + 0.7 * torch.eye(5)[3])
    counts = torch.bincount(fed, minlength=5)
    assert counts[2] == counts[4] == 0
    assert ((counts - wanted)[[0, 1, 3]].abs() < 4 * wanted[[0, 1, 3]].sqrt()).all()


def test_where_the_truth_ends_so_does_what_is_fed():
    assert feed(torch.full((100,), 3), torch.zeros(100, 4), share_of_truth=0.0).tolist() == [3] * 100


def test_where_no_label_is_left_to_draw_the_truth_is_fed():
    logits = torch.tensor([[-torch.inf, -torch.inf, 0.0]])
    assert feed(torch.tensor([1]), logits, share_of_truth=0.0).tolist() == [1]


def test_at_the_start_it_is_maximum_likelihood():
    model, batch = sequence_model(3), random_batch(32, 3)
    batch.known[:5, 0] = False
    torch.testing.assert_close(ScheduledSamplingObjective(STATISTICS)(model, batch), LikelihoodObjective(STATISTICS)(model, batch))


@pytest.mark.parametrize("order", ["frequent_first", "tree"])
def test_the_target_stays_the_truth_whatever_is_fed(order):
    model, batch = sequence_model(3), random_batch(32, 3)
    space, parents = LabelSpace("abc"), {"a": "b"} if order == "tree" else None
    objective = ScheduledSamplingObjective(STATISTICS, space, order=order, parents=parents, lowest=0.2)
    objective.set_progress(1.0)
    torch.manual_seed(7)
    loss = objective(model, batch)
    sequences, encoding = objective.order(batch.targets), model.encode(batch)
    torch.manual_seed(7)
    fed = walk(model.decoder, encoding, ~batch.known, 4, lambda logits, step, rows: feed(sequences[rows, step], logits, 0.2))
    assert not torch.equal(fed.emitted, sequences[:, : fed.emitted.shape[1]])
    log_p = log_probabilities(fed.logits, sequences, ~batch.known)
    ends = (sequences == 3).int().argmax(1)
    sums = [sum(log_p[row, step, sequences[row, step]] for step in range(ends[row] + 1)) for row in range(32)]
    torch.testing.assert_close(loss, -torch.stack(sums).mean())
    assert loss.isfinite()


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"'lowest' parameter must be in \[0, 1\], got 1.5"):
        ScheduledSamplingObjective(STATISTICS, lowest=1.5)
