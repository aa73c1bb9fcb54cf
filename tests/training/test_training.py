"""Training: resumed equals uninterrupted, the best checkpoint comes back, what diverges stops."""

import csv
import signal

import pytest
import torch
from toys import LABELS, ToyData, ToyDecoder, ToyEncoder, ToyGreedyDecoding, ToyOwnSamplesObjective, toy_loader

from multihot.errors import DataError
from multihot.interfaces import Model, Objective
from multihot.training import TrainingDivergedError, TrainingInterruptedError, TrainingSettings
from multihot.training.clipping import clip_gradients
from multihot.training.fit import train

PER_EPOCH = 8  # batches of the toy loader


class InterruptingData(ToyData):
    """Sends Ctrl-C while a certain batch is fetched, as a user would."""

    def __init__(self, rows: int, at: int):
        super().__init__(rows)
        self.fetched, self.at = 0, at

    def __getitem__(self, rows):
        self.fetched += 1
        if self.fetched == self.at:
            self.strike()
        return super().__getitem__(rows)

    def strike(self):
        signal.raise_signal(signal.SIGINT)


class KilledError(RuntimeError):
    pass


class KillingData(InterruptingData):
    """Dies while a certain batch is fetched, with no time to save anything."""

    def strike(self):
        raise KilledError


def run(folder, settings, data=None, resume=False):
    """Train a decoder on its own samples with dropout: every kind of random number is in it."""
    torch.manual_seed(0)
    model = Model(ToyEncoder(dropout=0.3), decoder=ToyDecoder(LABELS, 32))
    loader = toy_loader(PER_EPOCH * 32)
    if data is not None:
        loader.__dict__["dataset"] = data
    held_out = toy_loader(64, seed=1)
    truth = held_out.dataset.targets.numpy().astype(bool)

    def judge(prediction):
        return {"subset_accuracy": float((prediction.reorder([str(i) for i in range(64)]).chosen == truth).all(1).mean())}

    outcome = train(model, ToyOwnSamplesObjective(), ToyGreedyDecoding(), loader, held_out, judge, settings, folder, 0, resume)
    return model, outcome


def validations(folder):
    with (folder / "log" / "metrics.csv").open() as file:
        return [(row["step"], row["validation/subset_accuracy"]) for row in csv.DictReader(file) if row["validation/subset_accuracy"]]


def log_rows(folder):
    with (folder / "log" / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def logged(folder, name):
    with (folder / "log" / "metrics.csv").open() as file:
        return {int(row["step"]) + 1: float(row[name]) for row in csv.DictReader(file) if row[name]}


def settings_with(**changes):
    return TrainingSettings(**{"epochs": 3, "monitor": "subset_accuracy", "device": "cpu", "schedule": "cosine", "warmup": 0.1, **changes})


@pytest.mark.parametrize("interrupt_at", [1, 5, 8, 9, 13, 16, 23, 24])
@pytest.mark.parametrize("validate_every", ["1 epoch", "5 updates"])
def test_resumed_equals_uninterrupted(tmp_path, interrupt_at, validate_every):
    settings = settings_with(validate_every=validate_every)
    whole, outcome = run(tmp_path / "whole", settings)
    with pytest.raises(TrainingInterruptedError, match="nothing is lost"):
        run(tmp_path / "parts", settings, InterruptingData(PER_EPOCH * 32, interrupt_at))
    resumed, outcome_resumed = run(tmp_path / "parts", settings, resume=True)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert log_rows(tmp_path / "parts") == log_rows(tmp_path / "whole")
    assert (outcome.best_update, outcome.best_value, outcome.updates) == (
        outcome_resumed.best_update, outcome_resumed.best_value, outcome_resumed.updates,
    )  # fmt: skip


@pytest.mark.parametrize(("by", "bound"), [("norm", 0.9), ("value", 0.15)])
def test_the_log_tells_the_share_of_clipped_updates_and_goes_on_after_an_interruption(tmp_path, monkeypatch, by, bound):
    settings = settings_with(gradient_clip=bound, gradient_clip_by=by)
    sizes = []

    def watched(optimiser, *arguments):
        entries = torch.cat([p.grad.flatten().double() for group in optimiser.param_groups for p in group["params"] if p.grad is not None])
        sizes.append(float(entries.norm() if by == "norm" else entries.abs().max()))
        return clip_gradients(optimiser, *arguments)

    monkeypatch.setattr("multihot.training.module.clip_gradients", watched)
    whole, _ = run(tmp_path / "whole", settings)
    expected = {updates: sum(size > bound for size in sizes[:updates]) / updates for updates in range(1, 25)}
    assert 0 < expected[24] < 1, sorted(sizes)
    assert logged(tmp_path / "whole", "training/clipped") == pytest.approx(expected, abs=1e-6)
    with pytest.raises(TrainingInterruptedError):
        run(tmp_path / "parts", settings, InterruptingData(PER_EPOCH * 32, 13))
    resumed, _ = run(tmp_path / "parts", settings, resume=True)
    shares = logged(tmp_path / "parts", "training/clipped")
    assert shares == pytest.approx({updates: expected[updates] for updates in shares}, abs=1e-6)
    assert set(range(14, 25)) <= set(shares)
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in whole.state_dict().items())


def test_a_killed_training_goes_on_from_its_last_validation(tmp_path):
    whole, outcome = run(tmp_path / "whole", settings_with())
    with pytest.raises(KilledError):
        run(tmp_path / "parts", settings_with(), KillingData(PER_EPOCH * 32, at=12))
    resumed, outcome_resumed = run(tmp_path / "parts", settings_with(), resume=True)
    assert outcome_resumed.updates == outcome.updates == 24
    assert all(torch.equal(tensor, resumed.state_dict()[name]) for name, tensor in whole.state_dict().items())


def test_best_weights_come_back(tmp_path):
    values = iter([0.1, 0.9, 0.2])
    snapshots = []

    class Judge:
        def __call__(self, prediction):
            snapshots.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
            return {"subset_accuracy": next(values)}

    model = Model(ToyEncoder(), decoder=ToyDecoder(LABELS, 32))
    outcome = train(model, ToyOwnSamplesObjective(), ToyGreedyDecoding(), toy_loader(), toy_loader(64), Judge(), settings_with(), tmp_path)
    assert outcome.best_value == pytest.approx(0.9)
    assert outcome.best_update == 2 * PER_EPOCH
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in snapshots[1].items())


def test_patience_stops_early_and_a_measure_that_should_fall_is_minimised(tmp_path):
    model = Model(ToyEncoder(), decoder=ToyDecoder(LABELS, 32))
    values = iter([0.5, 0.4, 0.6, 0.7, 0.8, 0.9])
    settings = settings_with(epochs=6, patience=2, monitor="ranking_loss")
    outcome = train(
        model, ToyOwnSamplesObjective(), ToyGreedyDecoding(), toy_loader(), toy_loader(64), lambda p: {"ranking_loss": next(values)},
        settings, tmp_path,
    )  # fmt: skip
    assert (outcome.updates, outcome.best_update) == (4 * PER_EPOCH, 2 * PER_EPOCH)
    assert outcome.best_value == pytest.approx(0.4)


@pytest.mark.parametrize(("interval", "validations"), [("5 updates", 4), ("1 epoch", 2), ("100 updates", 1)])
def test_the_last_update_is_always_validated(tmp_path, interval, validations):
    seen = []
    model = Model(ToyEncoder(), decoder=ToyDecoder(LABELS, 32))

    def judge(prediction):
        seen.append(len(prediction))
        return {"subset_accuracy": 0.0}

    settings = settings_with(epochs=2, validate_every=interval)
    train(model, ToyOwnSamplesObjective(), ToyGreedyDecoding(), toy_loader(), toy_loader(64), judge, settings, tmp_path)
    assert seen == [64] * validations
    with (tmp_path / "log" / "metrics.csv").open() as file:
        logged = [row for row in csv.DictReader(file) if row["validation/subset_accuracy"]]
    assert len(logged) == validations


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path):
    class BrokenObjective(Objective):
        needs = frozenset({"decoder"})

        def forward(self, model, batch, turn="model", encoding=None):
            return model.encode(batch).pooled.sum() * float("nan")

    model = Model(ToyEncoder(), decoder=ToyDecoder(LABELS, 32))
    with pytest.raises(TrainingDivergedError, match="the loss became nan at update 1, in the batch with instances"):
        train(
            model, BrokenObjective(), ToyGreedyDecoding(), toy_loader(), toy_loader(64), lambda p: {"subset_accuracy": 0.0},
            settings_with(), tmp_path,
        )  # fmt: skip


def test_a_target_that_the_loss_refuses_is_named_by_its_instances(tmp_path):
    class RefusingObjective(Objective):
        needs = frozenset({"decoder"})

        def forward(self, model, batch, turn="model", encoding=None):
            raise DataError("targets: row 1 carries 3 labels")

    model = Model(ToyEncoder(), decoder=ToyDecoder(LABELS, 32))
    with pytest.raises(DataError, match=r"row 1 carries 3 labels; row 0 is the first of these instances: \d+, \d+"):
        train(
            model, RefusingObjective(), ToyGreedyDecoding(), toy_loader(), toy_loader(64), lambda p: {"subset_accuracy": 0.0},
            settings_with(), tmp_path,
        )  # fmt: skip
