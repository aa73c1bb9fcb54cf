"""The adversarial objective in a whole training: plain without its weight, resumed as uninterrupted, stopped where it diverges."""

import csv
import signal

import pytest
import torch
from toys import LABELS, ToyData, ToyEncoder, toy_loader

from multihot.calibration import FixedDecision
from multihot.decoding import ThresholdDecoding
from multihot.interfaces import Model
from multihot.losses import BinaryCrossEntropyLoss
from multihot.objectives import AdversarialObjective, ScoringObjective
from multihot.scorers import BinaryRelevanceScorer
from multihot.training import TrainingDivergedError, TrainingInterruptedError, TrainingSettings
from multihot.training.fit import train

ROWS = 256
SMALL = {"layers": 2, "hidden_size": 16, "projection": 8, "bottleneck": 0.5, "spectral_norm": True}
SETTINGS = {"epochs": 4, "monitor": "subset_accuracy", "device": "cpu", "precision": "32-true", "learning_rate": 5e-3}


class InterruptingData(ToyData):
    """Sends Ctrl-C while a certain batch is fetched, as a user would."""

    def __init__(self, at: int):
        super().__init__(ROWS)
        self.fetched, self.at = 0, at

    def __getitem__(self, rows):
        self.fetched += 1
        if self.fetched == self.at:
            signal.raise_signal(signal.SIGINT)
        return super().__getitem__(rows)


def run(folder, objective=None, data=None, resume=False, **settings):
    torch.manual_seed(0)
    scorer = BinaryRelevanceScorer(LABELS, 32, hidden_size=16, layers=1, attention=False)
    model = Model(ToyEncoder(dropout=0.3), scorer)
    loss = BinaryCrossEntropyLoss()
    objective = objective(loss) if objective else AdversarialObjective(loss, LABELS, 32, discriminator=SMALL)
    loader, held_out = toy_loader(ROWS), toy_loader(64, seed=1)
    if data is not None:
        loader.__dict__["dataset"] = data
    truth = held_out.dataset.targets.numpy().astype(bool)

    def judge(prediction):
        return {"subset_accuracy": float((prediction.reorder([str(i) for i in range(64)]).chosen == truth).all(1).mean())}

    decoding = ThresholdDecoding(loss, FixedDecision())
    outcome = train(model, objective, decoding, loader, held_out, judge, TrainingSettings(**(SETTINGS | settings)), folder, 0, resume)
    return model, objective, outcome


def same(one, other):
    return all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in one.state_dict().items())


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run(tmp_path_factory.mktemp("plain"), ScoringObjective)[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return run(folder)[0], folder


@pytest.mark.parametrize("off", [{"weight": 0.0}, {"pretraining": 1.0}])
def test_without_the_discriminator_training_is_binary_cross_entropy_bit_for_bit(tmp_path, plain, off):
    found, *_ = run(tmp_path, lambda loss: AdversarialObjective(loss, LABELS, 32, discriminator=SMALL, **off))
    assert same(plain, found)


def test_the_discriminator_makes_a_difference_and_its_distances_are_logged(plain, whole):
    model, folder = whole
    assert not same(plain, model)
    with (folder / "log" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("d_real", "d_generated", "d_mismatched", "gradient_norm", "information", "model_loss", "discriminator_loss"):
        assert any(row[f"training/{name}"] for row in rows), name


def test_only_weights_that_met_the_discriminator_may_be_the_best(tmp_path):
    def spoiling(loss):  # the game without cross entropy makes the classifier worse
        return AdversarialObjective(
            loss,
            LABELS,
            32,
            alpha=0.0,
            conditional=False,
            discriminator_updates=1,
            discriminator={"layers": 1, "hidden_size": 32, "projection": 16},
        )

    outcome = run(tmp_path, spoiling, epochs=12, learning_rate=2e-2)[2]
    with (tmp_path / "log" / "metrics.csv").open() as file:
        rows = [(int(row["step"]) + 1, row["validation/subset_accuracy"]) for row in csv.DictReader(file)]
    values = {update: float(value) for update, value in rows if value}
    game = {update: value for update, value in values.items() if update > outcome.updates / 2}
    assert max(values.values()) > max(game.values()), "pretraining must be better here, or this shows nothing"
    assert outcome.best_update in game
    assert outcome.best_value == pytest.approx(max(game.values()))


@pytest.mark.parametrize("interrupt_at", [9, 17, 26])
def test_resumed_equals_uninterrupted(tmp_path, whole, interrupt_at):
    with pytest.raises(TrainingInterruptedError, match="nothing is lost"):
        run(tmp_path, data=InterruptingData(interrupt_at))
    resumed, *_ = run(tmp_path, resume=True)
    assert same(whole[0], resumed)


def test_a_game_that_diverges_stops_and_keeps_the_best_checkpoint(tmp_path):
    def exploding(loss):
        return AdversarialObjective(loss, LABELS, 32, learning_rate_factor=1e30, discriminator={"layers": 2, "hidden_size": 16})

    with pytest.raises(TrainingDivergedError) as stopped:
        run(tmp_path, exploding)
    message = str(stopped.value)
    assert "discriminator's loss became" in message
    assert "the last good checkpoint is" in message
    assert "\n" not in message
    kept = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    assert all(torch.isfinite(tensor).all() for name, tensor in kept.items() if name.startswith("model."))
