"""The multi-task objective: a weighted sum on one encoding."""

import pytest
import torch
from toys import random_batch, sequence_model

from multihot.components import build
from multihot.labels import LabelSpace, LabelStatistics
from multihot.losses import BinaryCrossEntropyLoss
from multihot.objectives import LikelihoodObjective, MultitaskObjective, OptimalCompletionObjective, ScoringObjective

STATISTICS = LabelStatistics.from_targets([[1, 1, 0], [1, 0, 1]])


def test_it_is_the_weighted_sum_and_encodes_once():
    model, batch = sequence_model(3), random_batch(16, 3)
    batch.known[0, 0] = False
    calls = []
    model.encoder.register_forward_hook(lambda *_: calls.append(1))
    objective = MultitaskObjective(BinaryCrossEntropyLoss(), STATISTICS, sequence="likelihood", weight=0.3)
    total = objective(model, batch)
    assert len(calls) == 1
    parts = LikelihoodObjective(STATISTICS)(model, batch), ScoringObjective(BinaryCrossEntropyLoss())(model, batch)
    torch.testing.assert_close(total, parts[0] + 0.3 * parts[1])
    torch.testing.assert_close((objective.reported["sequence"], objective.reported["scoring"]), tuple(part.detach() for part in parts))


def test_the_sequence_may_be_any_objective_with_its_arguments():
    parts = {"statistics": STATISTICS, "label_space": LabelSpace("abc"), "loss": BinaryCrossEntropyLoss()}
    tree = {"name": "optimal_completion", "tau": 0.5, "parents": {"b": "a"}}
    objective = build("objective", {"name": "multitask", "sequence": tree}, **parts)
    assert isinstance(objective.sequence, OptimalCompletionObjective)
    assert objective.sequence.tau == 0.5
    assert objective.sequence.ancestors.tolist() == [[-1], [0], [-1]]


def test_progress_reaches_the_parts():
    objective = MultitaskObjective(BinaryCrossEntropyLoss(), STATISTICS, sequence="scheduled_sampling")
    objective.set_progress(1.0)
    assert objective.sequence.share_of_truth == pytest.approx(0.7)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="'weight' parameter must be at least 0, got -1"):
        MultitaskObjective(BinaryCrossEntropyLoss(), STATISTICS, weight=-1)
