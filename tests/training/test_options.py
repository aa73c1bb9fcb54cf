"""Precision, loggers and the schedule: what is passed on to Lightning arrives there."""

import pytest
import torch
from toys import LABELS, ToyDecoder, ToyEncoder, ToyGreedyDecoding, ToyOwnSamplesObjective, toy_loader

from multihot.errors import ConfigurationError
from multihot.interfaces import Model
from multihot.training import TrainingSettings
from multihot.training.fit import make_loggers, resolve_precision, train


def settings_with(**changes):
    return TrainingSettings(**{"epochs": 2, "monitor": "subset_accuracy", "device": "cpu", **changes})


@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true"])
def test_other_precisions_train(tmp_path, precision):
    torch.manual_seed(0)
    model = Model(ToyEncoder(), decoder=ToyDecoder(LABELS, 32))
    loader, held_out = toy_loader(), toy_loader(64)
    if precision == "64-true":
        model, loader.dataset.targets = model.double(), loader.dataset.targets.double()
        held_out.dataset.targets = held_out.dataset.targets.double()
        loader.dataset.features, held_out.dataset.features = loader.dataset.features.double(), held_out.dataset.features.double()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    objective = ToyOwnSamplesObjective()
    train(
        model,
        objective,
        ToyGreedyDecoding(),
        loader,
        held_out,
        lambda p: {"subset_accuracy": 0.0},
        settings_with(precision=precision),
        tmp_path,
    )
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())
    assert any(not torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("device", ["auto", "cpu"])
@pytest.mark.parametrize("bfloat16", [False, True])
def test_automatic_precision_on_a_cpu_is_fp32_whatever_the_cpu_computes_in(monkeypatch, device, bfloat16):
    for probe in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, probe, lambda: bfloat16, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_precision(settings_with(precision="auto", device=device)) == "32-true"


@pytest.mark.parametrize(("bfloat16", "precision"), [(False, "32-true"), (True, "bf16-mixed")])
def test_automatic_precision_on_a_gpu_is_what_it_computes_in(monkeypatch, bfloat16, precision):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bfloat16)
    assert resolve_precision(settings_with(precision="auto", device="auto")) == precision
    assert resolve_precision(settings_with(precision="auto", device="cpu")) == "32-true"
    assert resolve_precision(settings_with(precision="16-mixed")) == "16-mixed"


def test_loggers_by_name(tmp_path):
    pytest.importorskip("tensorboard")
    kinds = [type(logger).__name__ for logger in make_loggers(settings_with(loggers=["tensorboard"]), tmp_path)]
    assert kinds == ["CSVLog", "TensorBoardLogger"]
    with pytest.raises(ConfigurationError, match=r"training.loggers has no 'tensorbord'; did you mean 'tensorboard'"):
        settings_with(loggers=["tensorbord"])


def test_a_logger_that_is_not_installed_is_named_with_its_remedy(tmp_path, monkeypatch):
    import lightning.pytorch.loggers as loggers

    class Absent:
        def __init__(self, **_):
            raise ModuleNotFoundError("No module named 'wandb'")

    monkeypatch.setattr(loggers, "WandbLogger", Absent)
    with pytest.raises(ConfigurationError, match=r"logger 'wandb' is not installed .*pip install \"multihot\[loggers\]\""):
        make_loggers(settings_with(loggers=["wandb"]), tmp_path)


@pytest.mark.parametrize(
    ("schedule", "warmup", "expected"),
    [
        ("constant", 0.0, [1, 1, 1, 1]),
        ("linear", 0.0, [1, 0.75, 0.5, 0.25]),
        ("cosine", 0.0, [1, 0.853553, 0.5, 0.146447]),
        ("linear", 0.5, [1 / 3, 2 / 3, 1, 0.5]),
        ("step", 0.0, [1, 1, 0.1, 0.1]),  # an epoch is one update here
    ],
)
def test_the_learning_rate_follows_its_schedule(schedule, warmup, expected):
    settings = settings_with(schedule=schedule, warmup=warmup, learning_rate=1.0, step_every="2 epochs")
    assert [settings.learning_rate_at(update, 4, per_epoch=1) for update in range(4)] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("every", "ends"), [("40 epochs", [120, 240, 300]), ("70 updates", [70, 140, 210, 280, 300])])
def test_the_step_schedule_multiplies_the_learning_rate_every_so_often(every, ends):
    settings = settings_with(schedule="step", warmup=0.0, learning_rate=0.01, step_every=every, step_factor=0.1)
    rates = [settings.learning_rate_at(update, 300, per_epoch=3) for update in range(300)]
    expected = [0.01 * 10**-steps for steps, (start, end) in enumerate(zip([0, *ends], ends, strict=False)) for _ in range(start, end)]
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "training.epochs must be at least 1, got 0"),
        ({"learning_rate": -1.0}, "training.learning_rate must be above 0"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"validate_every": "often"}, "must read like '1 epoch' or '500 updates', got 'often'"),
        ({"step_every": "40"}, "training.step_every must read like '1 epoch' or '500 updates', got '40'"),
        ({"step_factor": 0.0}, "training.step_factor must be above 0"),
        ({"warmup": 1.0}, r"training.warmup must be in \[0, 1\)"),
        ({"patience": 0}, "training.patience must be at least 1 or null"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        settings_with(**changes)
