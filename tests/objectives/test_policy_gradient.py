"""The policy gradient against the gradient of the expected reward, by enumeration of all label sequences."""

import pytest
import torch
from brute_force import all_sequences
from toys import ToyEncoder, random_batch, sequence_model

from multihot.decoders import RecurrentDecoder
from multihot.decoding import GreedyDecoding
from multihot.interfaces import Model
from multihot.labels import LabelSpace, LabelStatistics
from multihot.objectives import LikelihoodObjective, PolicyGradientObjective
from multihot.objectives.policy_gradient import at_rest, f1_reward, set_difference_reward
from multihot.objectives.walk import sample, walk
from multihot.types import Batch

STATISTICS = LabelStatistics.from_targets([[1, 1], [1, 0]])


def f1(chosen: set[int], truth: set[int]) -> float:
    return 2 * len(chosen & truth) / (len(chosen) + len(truth)) if chosen or truth else 1.0


def set_difference(chosen: set[int], truth: set[int]) -> float:
    return -float(len(chosen ^ truth))


SETS = [set(), {0}, {2}, {0, 1}, {0, 1, 2}]


@pytest.mark.parametrize(("function", "plain"), [(f1_reward, f1), (set_difference_reward, set_difference)])
def test_rewards_are_what_sets_say(function, plain):
    for chosen in SETS:
        for truth in SETS:
            rows = [torch.tensor([[label in one for label in range(3)]]) for one in (chosen, truth)]
            assert function(*rows).item() == pytest.approx(plain(chosen, truth))


@pytest.mark.parametrize(("reward", "plain"), [("f1", f1), ("set_difference", set_difference)])
@pytest.mark.parametrize("truth", [(1.0, 0.0), (1.0, 1.0), (0.0, 0.0)])
def test_its_mean_is_the_gradient_of_the_expected_reward(reward, plain, truth):
    model, one = sequence_model(2), random_batch(1, 2)
    labels = {label for label in range(2) if truth[label]}
    found = all_sequences(model.decoder, model.encode(one), 2)
    assert sum(log_p.exp().item() for log_p in found.values()) == pytest.approx(1)
    expected = sum(log_p.exp() * plain(set(sequence), labels) for sequence, log_p in found.items())
    (wanted,) = torch.autograd.grad(-expected, model.decoder.table)

    rows = 40000
    batch = Batch(
        {"features": one.inputs["features"].expand(rows, -1)}, torch.tensor([truth]).expand(rows, -1), torch.ones(rows, 2, dtype=torch.bool)
    )
    objective = PolicyGradientObjective(STATISTICS, reward=reward, warm_start=0.0, likelihood=0.0)
    torch.manual_seed(0)
    (gradient,) = torch.autograd.grad(objective(model, batch), model.decoder.table)
    assert (gradient - wanted).abs().max() < 4 * 2 / rows**0.5  # rewards differ by 2 at most, and so do gradients of log p
    assert wanted.abs().max() > 0.03


def test_it_warms_up_by_maximum_likelihood_and_keeps_a_share_of_it():
    model, batch = sequence_model(2), random_batch(16, 2)
    likelihood = LikelihoodObjective(STATISTICS)(model, batch)
    objective = PolicyGradientObjective(STATISTICS, warm_start=0.5, likelihood=0.25)
    torch.testing.assert_close(objective(model, batch), likelihood)
    bare = PolicyGradientObjective(STATISTICS, warm_start=0.5, likelihood=0.0)
    losses = []
    for one in (objective, bare):
        one.set_progress(0.5)
        torch.manual_seed(1)
        losses.append(one(model, batch))
    torch.testing.assert_close(losses[0], losses[1] + 0.25 * likelihood)
    assert set(objective.reported) == {"reward", "baseline"}


def test_closed_labels_are_never_drawn_and_get_no_gradient():
    model, batch = sequence_model(2), random_batch(64, 2)
    batch.known[:, 1] = False
    PolicyGradientObjective(STATISTICS, warm_start=0.0)(model, batch).backward()
    assert model.decoder.table.grad[:, 1].abs().max() == 0
    assert model.decoder.table.grad.isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reward": "accuracy"}, "'reward' parameter must be one of set_difference, f1, got 'accuracy'"),
        ({"warm_start": 2}, r"'warm_start' parameter must be in \[0, 1\], got 2"),
        ({"likelihood": -1}, "'likelihood' parameter must be at least 0, got -1"),
        ({"max_steps": 0}, "'max_steps' parameter must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PolicyGradientObjective(STATISTICS, **arguments)


LABELS = 4


def model_with_dropout():
    torch.manual_seed(3)
    decoder = RecurrentDecoder(LABELS, 32, hidden_size=8, embedding_size=5, attention_size=3, dropout=0.5)
    for parameter in decoder.parameters():  # large weights: dropout then changes what is likeliest
        torch.nn.init.normal_(parameter)
    return Model(ToyEncoder(dropout=0.5), decoder=decoder).train()


def test_the_baseline_is_what_the_model_would_predict_without_dropout():
    model, batch = model_with_dropout(), random_batch(64, LABELS)
    objective = PolicyGradientObjective(LabelStatistics.from_targets([[1] * LABELS]), warm_start=0.0, likelihood=0.0).train()
    objective(model, batch)
    chosen = GreedyDecoding(LabelSpace(["a", "b", "c", "d"]))(model.eval(), batch).chosen
    truth = batch.targets.numpy() > 0.5
    expected = [f1(set(ours.nonzero()[0]), set(theirs.nonzero()[0])) for ours, theirs in zip(chosen, truth, strict=True)]
    assert objective.reported["baseline"].item() == pytest.approx(sum(expected) / 64)
    chosen = GreedyDecoding(LabelSpace(["a", "b", "c", "d"]))(model.train(), batch).chosen
    with_dropout = [f1(set(ours.nonzero()[0]), set(theirs.nonzero()[0])) for ours, theirs in zip(chosen, truth, strict=True)]
    assert sum(with_dropout) != pytest.approx(sum(expected), abs=0.1)


def test_the_baseline_draws_no_random_numbers_and_leaves_every_part_as_it_was():
    model, batch = model_with_dropout(), random_batch(16, LABELS)
    model.encoder.eval()  # a frozen part stays at rest
    modes = [part.training for part in model.modules()]
    objective = PolicyGradientObjective(LabelStatistics.from_targets([[1] * LABELS]), warm_start=0.0, likelihood=0.0).train()
    torch.manual_seed(0)
    objective(model, batch).backward()
    drawn = torch.get_rng_state()
    assert [part.training for part in model.modules()] == modes
    torch.manual_seed(0)
    walk(model.decoder, model.encode(batch), ~batch.known, LABELS + 1, lambda logits, *_: sample(logits))
    assert torch.equal(torch.get_rng_state(), drawn)
    with at_rest(model):
        assert not any(part.training for part in model.modules())
    with pytest.raises(ZeroDivisionError), at_rest(model):
        1 / 0  # noqa: B018
    assert [part.training for part in model.modules()] == modes
