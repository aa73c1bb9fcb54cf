"""Train a model with an objective on Lightning, keeping the best checkpoint."""

from __future__ import annotations

import inspect
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.accelerators import CPUAccelerator
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from torch.utils.data import DataLoader

from ..errors import ConfigurationError, RunError
from ..interfaces import Decoding, Model, Objective
from ..memory import keep_freed_memory
from .callbacks import LastCheckpoint, Patience, RandomStates, TrainingProgress
from .log import CSVLog
from .module import COMPETING, Judge, Reading, TrainingModule
from .settings import TrainingSettings
from .stream import stream_loader


@dataclass
class TrainingOutcome:
    """What a training cost and reached."""

    updates: int
    epochs: float
    seconds: float
    best_update: int
    best_value: float
    parameters: int
    instances_per_second: float


def train(
    model: Model,
    objective: Objective,
    decoding: Decoding,
    loader: DataLoader,
    validation_loader: DataLoader,
    judge: Judge,
    settings: TrainingSettings,
    folder: Path,
    seed: int = 0,
    resume: bool = False,
    readings: Mapping[str, Reading] | None = None,
) -> TrainingOutcome:
    """Train, and leave the weights of the best validation in the model.

    Args:
        model: changed in place.
        objective: what is lowered; may own parameters (a critic, a threshold).
        decoding: reads label sets at validation.
        loader: one epoch of training batches, in an order that depends on the seed and the epoch alone.
        validation_loader: the validation batches.
        judge: a validation prediction -> its measures.
        settings: how to train.
        folder: where ``log/`` and ``checkpoints/`` go.
        seed: of every random number from here on.
        resume: go on from ``checkpoints/last.ckpt``; the result is that of a training never interrupted.
        readings: by name, what every validation reads the model by besides, and how that is measured; it is logged and changes nothing.

    Returns:
        What it cost and reached.

    Raises:
        TrainingInterruptedError: after Ctrl-C, with the checkpoint to go on from saved.
        TrainingDivergedError: when a loss is not finite.
    """
    if settings.monitor == "auto":  # an experiment names it, since it knows the data
        settings = replace(settings, monitor="micro_f1")
    settings = settings.for_decoder(model.decoder is not None)
    per_epoch = len(loader)
    updates = settings.total_updates(per_epoch)
    last = folder / "checkpoints" / "last.ckpt"
    start, seconds_before = _position(last) if resume and last.exists() else (0, 0.0)
    module = TrainingModule(model, objective, decoding, settings, updates, per_epoch, judge, readings, seconds_before)
    keeper, progress = LastCheckpoint(last), TrainingProgress(settings, updates, per_epoch)
    best = _best_checkpoint(settings, last.parent)
    callbacks: list[Callback] = [RandomStates(), progress, best, keeper]
    if settings.patience:
        callbacks.append(Patience(f"validation/{settings.monitor}", mode=settings.monitor_mode, patience=settings.patience))
    keep_freed_memory()
    with quiet_lightning():
        seed_everything(seed)
        trainer = _trainer(settings, folder, callbacks, updates, per_epoch, start)
        try:
            options: dict[str, Any] = {"weights_only": True} if "weights_only" in inspect.signature(trainer.fit).parameters else {}
            trainer.fit(module, stream_loader(loader, updates, start), validation_loader, ckpt_path=last if start else None, **options)
        finally:
            progress.stop()
            keeper.restore_signals()
    done = trainer.fit_loop.epoch_loop.batch_progress.total.completed
    _load_best(module, Path(best.best_model_path))
    return TrainingOutcome(
        updates=done,
        epochs=done / per_epoch,
        seconds=module.seconds(),
        best_update=module.best_update,
        best_value=float(best.best_model_score) if best.best_model_score is not None else float("nan"),
        parameters=sum(p.numel() for p in model.parameters()),
        instances_per_second=module.instances_seen / max(module.seconds() - seconds_before, 1e-9),
    )


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch, in worker processes too."""
    pl.seed_everything(seed, workers=True, verbose=False)


def check_hardware(settings: TrainingSettings) -> None:
    """Refuse devices, a strategy or a precision that there are not on this machine.

    Raises:
        ConfigurationError: naming the settings, and how to mend them.
    """
    asked = {name: getattr(settings, name) for name in ("device", "devices", "strategy", "precision")}
    said = ", ".join(f"training.{name}={value}" for name, value in asked.items() if value != "auto") or "training.device=auto"
    try:
        with quiet_lightning():
            trainer = pl.Trainer(
                accelerator=settings.device, devices=settings.devices, strategy=settings.strategy,
                precision=resolve_precision(settings), logger=False, enable_checkpointing=False,  # type: ignore[arg-type]
                enable_progress_bar=False, enable_model_summary=False,
            )  # fmt: skip
    except (ValueError, TypeError, RuntimeError, LookupError, ImportError, MisconfigurationException) as error:
        raise ConfigurationError(f"{said} cannot be had on this machine ({error}); leave it out to take what there is") from error
    cores = os.cpu_count() or 1
    if isinstance(trainer.accelerator, CPUAccelerator) and trainer.num_devices > cores:
        raise ConfigurationError(f"training.devices={settings.devices} asks for more processes than the {cores} cores; give fewer")


def _best_checkpoint(settings: TrainingSettings, folder: Path) -> ModelCheckpoint:
    """Keeps the weights of the best validation, under one name."""
    return ModelCheckpoint(
        folder,
        "best",
        COMPETING,
        mode=settings.monitor_mode,
        save_weights_only=True,
        enable_version_counter=False,
    )


def _trainer(settings: TrainingSettings, folder: Path, callbacks: list[Callback], updates: int, per_epoch: int, start: int) -> pl.Trainer:
    return pl.Trainer(
        accelerator=settings.device,
        devices=settings.devices,
        strategy=settings.strategy,
        precision=resolve_precision(settings),  # type: ignore[arg-type]
        max_epochs=1,  # the stream holds every epoch
        min_epochs=0,  # and may end early
        val_check_interval=min(settings.interval("validate_every", per_epoch), updates),
        num_sanity_val_steps=0,
        callbacks=callbacks,
        logger=make_loggers(settings, folder, start),
        log_every_n_steps=max(1, min(50, per_epoch // 5)),
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def resolve_precision(settings: TrainingSettings) -> str:
    """What "auto" stands for: 32-true on a CPU, whatever it can do, so that a seed gives the same model on every processor.

    On a GPU it is bf16-mixed where the GPU computes in bfloat16. Anything but "auto" is taken as it stands.
    """
    if settings.precision != "auto":
        return settings.precision
    on_gpu = settings.device in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    return "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "32-true"


def make_loggers(settings: TrainingSettings, folder: Path, start: int = 0) -> list[Logger]:
    """The CSV log that is always kept (``log/metrics.csv``), and those the settings name; ``start``: the update to begin at."""
    loggers: list[Logger] = [CSVLog(folder / "log" / "metrics.csv", start)]
    for name in settings.loggers:
        try:
            if name == "tensorboard":
                from lightning.pytorch.loggers import TensorBoardLogger

                loggers.append(TensorBoardLogger(folder, name="", version="tensorboard"))
            elif name == "mlflow":
                from lightning.pytorch.loggers import MLFlowLogger

                loggers.append(MLFlowLogger(run_name=folder.name, tracking_uri=f"file:{folder / 'mlflow'}"))
            else:
                from lightning.pytorch.loggers import WandbLogger

                loggers.append(WandbLogger(name=folder.name, save_dir=folder))
        except ImportError as error:
            raise ConfigurationError(f"logger '{name}' is not installed ({error}); pip install \"multihot[loggers]\"") from error
    return loggers


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Lightning's remarks on devices, workers and log folders are not about anything a user of multihot decides."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _position(checkpoint: Path) -> tuple[int, float]:
    """How many updates a checkpoint has behind it, and how many seconds they took."""
    content = _read(checkpoint)
    return content["multihot"]["updates"], content["multihot"]["seconds"]


def _read(checkpoint: Path) -> dict[str, Any]:
    """A checkpoint's tensors and numbers; anything else in it is refused, and never executed."""
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        if "multihot" not in content:
            raise KeyError("multihot")
        return content
    except (UnpicklingError, RuntimeError, EOFError, LookupError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, UnpicklingError):  # PyTorch's own words advise to load it all the same
            reason = "refused by its first bytes or contents, and nothing of it was run"
        raise RunError(f"{checkpoint} is damaged or holds more than tensors and numbers ({reason}); train anew with --overwrite") from error


def _load_best(module: TrainingModule, path: Path) -> None:
    content = _read(path)
    module.best_update = content["multihot"]["updates"]
    module.load_state_dict(content["state_dict"])
