"""What happens around the updates: checkpoints that a training can go on from, interruption, the progress bar."""

from __future__ import annotations

import random
import signal
import threading
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint, EarlyStopping
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from ..metrics.registry import title_of
from ..storage import replacing
from .errors import TrainingInterruptedError
from .settings import TrainingSettings

SEEN = 3600  # seconds from which the time left is estimated: long enough for slow updates and for validations between them
MANY_UPDATES = 10_000  # from which on the word before their number would take the room of the validation measure


class RandomStates(Callback):
    """Keeps the state of every random generator in the checkpoint, so that a resumed training draws the same numbers."""

    def __init__(self) -> None:
        self.loaded: dict[str, Any] | None = None

    def state_dict(self) -> dict[str, Any]:
        numpy_state: Any = np.random.get_state()
        kind, keys, position, has_gauss, cached = numpy_state
        version, internal, gauss = random.getstate()
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "numpy": [kind, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, cached],
            "python": [version, list(internal), gauss],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.loaded = state_dict

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Restore right before the first update: building loaders and optimisers may have drawn numbers in between."""
        if self.loaded is None:
            return
        state, self.loaded = self.loaded, None
        torch.set_rng_state(state["torch"].cpu())
        if state["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda"]])
        kind, keys, position, has_gauss, cached = state["numpy"]
        np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, cached))
        version, internal, gauss = state["python"]
        random.setstate((version, tuple(internal), gauss))


class LastCheckpoint(Checkpoint):
    """Keeps one checkpoint to go on from: after every validation, and when the user interrupts.

    An interrupt (Ctrl-C or a polite kill) waits for the update in hand, so that the checkpoint lies between two updates; a second
    Ctrl-C stops at once, and the checkpoint of the last validation remains.
    """

    def __init__(self, path: Path):
        self.path = path
        self.interrupted = False
        self.previous: dict[int, Any] = {}

    def save(self, trainer: pl.Trainer) -> None:
        with replacing(self.path) if trainer.is_global_zero else nullcontext(self.path) as partial:
            trainer.save_checkpoint(trainer.strategy.broadcast(partial))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self.previous[number] = signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, frame: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        # where a validation follows right away, it is what saves and stops
        validation_follows = trainer.should_stop or (batch_idx + 1) % (trainer.val_check_batch or 1) == 0
        if self.interrupted and not validation_follows:
            trainer._logger_connector.update_train_step_metrics()  # Lightning logs an update only after this, which does not return
            self._stop(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        if self.interrupted:
            self._stop(trainer)
        self.save(trainer)

    def _stop(self, trainer: pl.Trainer) -> None:
        self.save(trainer)
        raise TrainingInterruptedError(f"stopped after update {trainer.fit_loop.epoch_loop.batch_idx + 1}; nothing is lost")

    def restore_signals(self) -> None:
        """Give Ctrl-C back to whoever had it before the training."""
        for number, handler in self.previous.items():
            signal.signal(number, handler)
        self.previous = {}


class Patience(EarlyStopping):
    """Stops a training that no longer gets better, counting only validations that the objective lets compete."""

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if pl_module.objective.competes():  # type: ignore[operator, union-attr]  # it is a TrainingModule
            super().on_validation_end(trainer, pl_module)


class TimeLeft(ProgressColumn):
    """How long the rest will take, once that can be told."""

    def render(self, task: Task) -> Text:
        if task.finished:
            return Text(f"{timedelta(seconds=int(task.finished_time or 0))} in all")
        return Text("" if task.time_remaining is None else f"{timedelta(seconds=int(task.time_remaining))} left")


def progress_columns(updates: int) -> list[ProgressColumn]:
    """Numbers first; whatever does not fit into the line is taken from the bar."""
    whole = [
        TextColumn("{task.description}"),
        TextColumn(
            "update {task.completed:,.0f}/{task.total:,.0f}" if updates < MANY_UPDATES else "{task.completed:,.0f}/{task.total:,.0f}"
        ),
        TimeLeft(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[measure]}"),
    ]
    return [*whole, BarColumn(bar_width=None, table_column=Column(ratio=1))]


class TrainingProgress(Callback):
    """Epoch, update, time left and the latest validation measure; the bar takes what the line has left for it."""

    def __init__(self, settings: TrainingSettings, updates: int, updates_per_epoch: int):
        self.settings = settings
        self.updates = updates
        self.updates_per_epoch = updates_per_epoch
        self.progress: Progress | None = None
        self.task: TaskID = TaskID(0)
        self.best: float | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        from rich.console import Console

        self.progress = Progress(*progress_columns(self.updates), console=Console(stderr=True), expand=True, speed_estimate_period=SEEN)
        self.progress.start()
        done = trainer.fit_loop.epoch_loop.batch_idx + 1 if trainer.fit_loop.epoch_loop.batch_idx > 0 else 0
        self.task = self.progress.add_task("training", total=self.updates, completed=done, measure="")

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.progress:
            epochs = -(-self.updates // self.updates_per_epoch)
            epoch = batch_idx // self.updates_per_epoch + 1
            self.progress.update(self.task, completed=batch_idx + 1, description=f"epoch {epoch}/{epochs}")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        value = trainer.callback_metrics.get(f"validation/{self.settings.monitor}")
        if self.progress is None or value is None or trainer.sanity_checking:
            return
        better = max if self.settings.monitor_mode == "max" else min
        self.best = float(value) if self.best is None else better(self.best, float(value))
        self.progress.update(self.task, measure=f"{title_of(self.settings.monitor)} {float(value):.4f} (best {self.best:.4f})")

    def stop(self) -> None:
        """Leave the terminal as it was, however the training ended."""
        if self.progress:
            self.progress.stop()
            self.progress = None
