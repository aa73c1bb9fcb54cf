"""The sockets carry all hard cases: BCE, a set-wise loss, a decoder trained on its own samples, a sum of two, and a critic of its own."""

import numpy as np
import pytest
import torch
from toys import LABELS, ToyDecoder, ToyEncoder, toy_loader

from multihot.components import allowing, build
from multihot.errors import ConfigurationError
from multihot.interfaces import Model
from multihot.labels import LabelSpace, LabelStatistics
from multihot.method import Method
from multihot.training import TrainingSettings
from multihot.training.fit import train

CASES = {
    "binary cross entropy": Method(encoder="toys.ToyEncoder", loss="bce"),
    "a set-wise loss": Method(encoder="toys.ToyEncoder", loss="zlpr"),
    "a decoder on its own samples": Method(
        encoder="toys.ToyEncoder", scorer=None, decoder="toys.ToyDecoder", loss=None, decision=None,
        objective="toys.ToyOwnSamplesObjective", decoding="toys.ToyGreedyDecoding",
    ),
    "a sum of two": Method(
        encoder="toys.ToyEncoder", decoder="toys.ToyDecoder", objective="toys.ToySumObjective", decoding="toys.ToyGreedyDecoding",
    ),
    "a critic of its own": Method(encoder="toys.ToyEncoder", objective="toys.ToyAdversarialObjective"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _toys_are_trusted():
    with allowing("toys"):
        yield


class TableOfSix:
    """Stands for a fitted processor."""

    def provides(self):
        return {"num_features": 6}


@pytest.mark.parametrize("case", CASES)
def test_the_sockets_carry_every_case(case, tmp_path):
    method = CASES[case].check("table")
    space = LabelSpace([str(i) for i in range(LABELS)])
    loader, held_out = toy_loader(512), toy_loader(256, seed=1)
    statistics = LabelStatistics.from_targets(loader.dataset.targets.numpy())
    torch.manual_seed(0)
    model, objective, decoding = method.assemble(TableOfSix(), space, statistics)
    truth = held_out.dataset.targets.numpy().astype(bool)

    def judge(prediction):
        ordered = prediction.reorder([str(i) for i in range(len(truth))])
        return {"subset_accuracy": float((decoding.fit(ordered, truth).chosen == truth).all(1).mean())}

    settings = TrainingSettings(epochs=12 * len(objective.turns), learning_rate=5e-3, monitor="subset_accuracy", device="cpu")
    outcome = train(model, objective, decoding, loader, held_out, judge, settings, tmp_path)
    commonest = max(np.unique(truth, axis=0, return_counts=True)[1]) / len(truth)
    assert outcome.best_value > max(0.7, commonest + 0.2), f"{case}: {outcome.best_value:.3f}; guessing one set gives {commonest:.3f}"


def test_a_turn_changes_only_its_own_parameters():
    method = CASES["a critic of its own"]
    space, loader = LabelSpace("abcd"), toy_loader(64)
    statistics = LabelStatistics.from_targets(loader.dataset.targets.numpy())
    model, objective, _ = method.assemble(TableOfSix(), space, statistics)
    batch = next(iter(loader))
    for turn, moved, still in (("critic", objective.critic, model), ("model", model, objective.critic)):
        optimiser = torch.optim.SGD(objective.turn_parameters(model, turn), lr=0.1)
        before_moved, before_still = ([p.clone() for p in part.parameters()] for part in (moved, still))
        objective(model, batch, turn).backward()
        optimiser.step()
        assert any(not torch.equal(a, b) for a, b in zip(before_moved, moved.parameters(), strict=True))
        assert all(torch.equal(a, b) for a, b in zip(before_still, still.parameters(), strict=True))


def test_a_sum_of_two_encodes_once():
    encoder = ToyEncoder()
    calls = []
    encoder.register_forward_hook(lambda *_: calls.append(1))
    scorer = build("scorer", "binary_relevance", num_labels=LABELS, width=encoder.width)
    model = Model(encoder, scorer, ToyDecoder(LABELS, encoder.width))
    objective = build("objective", "toys.ToySumObjective", loss=build("loss", "bce"))
    objective(model, next(iter(toy_loader(32))), "model").backward()
    assert len(calls) == 1
    assert set(objective.reported) == {"scoring", "sampling"}


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            Method(decoding="toys.ToyGreedyDecoding"),
            "needs a decoder, but this method has only a scorer; add `decoder: recurrent` or use `decoding: threshold`",
        ),
        (Method(decoder="toys.ToyDecoder"), "objective 'scoring' does not train the decoder"),
        (Method(scorer=None), "neither a scorer nor a decoder"),
        (Method(scorer=None, decoder="toys.ToyDecoder"), "needs a scorer, but this method has only a decoder"),
        (Method(loss="zlrp"), "there is no loss 'zlrp'; did you mean 'zlpr'?"),
        (
            Method(scorer={"name": "binary_relevance", "hiden_size": 3}),
            "scorer 'binary_relevance' has no setting 'hiden_size'; did you mean 'hidden_size'?",
        ),
        (Method(encoder="toys.NoSuchEncoder"), "cannot be imported"),
    ],
)  # fmt: skip
def test_a_method_is_checked_as_a_whole(method, message):
    with pytest.raises(ConfigurationError) as error:
        method.check()
    assert message in str(error.value)


def test_an_encoder_of_another_modality_is_refused():
    with pytest.raises(ConfigurationError, match="encoder 'text_cnn' reads text, but the data is table; use `encoder: tabular`"):
        Method(encoder="text_cnn").check("table")


def test_unknown_parts_and_methods_are_refused():
    with pytest.raises(ConfigurationError, match="did you mean 'scorer'"):
        Method.from_config({"scorrer": "binary_relevance"})
    with pytest.raises(ConfigurationError, match="there is no method 'bt'; Choices: br"):
        Method.from_config({"name": "bt"})
