"""The training loop's inside: one update, one validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..errors import DataError, MultihotError, NotANumberError
from ..interfaces import Decoding, Model, Objective
from ..predictions import Prediction
from ..types import Batch
from .clipping import ClippedShare, clip_gradients
from .errors import TrainingDivergedError
from .settings import TrainingSettings

Judge = Callable[[Prediction], dict[str, float]]  # a validation prediction -> its measures

Reading = tuple[Decoding, Judge]  # a way of reading the model that is logged besides its own

COMPETING = "competing"  # the monitored measure where the objective lets a validation compete for the best weights
CHECK_EVERY = 50  # updates; asking an accelerator after every update whether a loss is finite would make it wait


class TrainingModule(pl.LightningModule):
    """One objective, lowered turn by turn over a stream of batches.

    Args:
        model: what is trained.
        objective: says what each turn lowers and which parameters it may change.
        decoding: reads label sets out of the model at validation.
        settings: optimiser, schedule, clipping.
        total_updates: length of the stream.
        updates_per_epoch: for the log.
        judge: measures a validation prediction.
        readings: by name, what every validation reads the model by besides, to be logged.
        seconds_before: what the training took until it was interrupted.
    """

    def __init__(
        self,
        model: Model,
        objective: Objective,
        decoding: Decoding,
        settings: TrainingSettings,
        total_updates: int,
        updates_per_epoch: int,
        judge: Judge,
        readings: Mapping[str, Reading] | None = None,
        seconds_before: float = 0.0,
    ):
        super().__init__()
        self.automatic_optimization = False  # several turns, each with an optimiser of its own
        self.model = model
        self.objective = objective
        self.decoding = decoding
        self.settings = settings
        self.total_updates = total_updates
        self.updates_per_epoch = updates_per_epoch
        self.judge = judge
        objective.attach(model)
        self.kinds = list(dict.fromkeys(objective.turns))
        self.latest: dict[str, Tensor] = {}  # of each turn; whatever the logging interval, every turn is logged
        self.clipped = {kind: ClippedShare() for kind in self.kinds}
        self.predicted: list[Prediction] = []
        self.readings = dict(readings or {})
        self.read: dict[str, list[Prediction]] = {name: [] for name in self.readings}
        self.losses: list[Tensor] = []
        self.seconds_before = seconds_before
        self.began = time.perf_counter()
        self.instances_seen = 0  # since this start
        self.best_update = 0

    def on_train_start(self) -> None:
        self.began = time.perf_counter()

    def seconds(self) -> float:
        """How long the training has taken, over all its starts."""
        return self.seconds_before + time.perf_counter() - self.began

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        total: Any = self.trainer.fit_loop.epoch_loop.batch_progress.total
        clipped = {kind: share.to_list() for kind, share in self.clipped.items()}
        # what turns other than the next one reported last is logged beside it
        latest = {"latest": self.latest, "reported": dict(self.objective.reported)}
        checkpoint["multihot"] = {"updates": total.processed, "seconds": self.seconds(), "clipped": clipped, **latest}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.latest.update(checkpoint["multihot"].get("latest", {}))
        self.objective.reported.update(checkpoint["multihot"].get("reported", {}))
        for kind, numbers in checkpoint["multihot"].get("clipped", {}).items():
            self.clipped[kind] = ClippedShare(*numbers)

    def configure_optimizers(self) -> list[Optimizer]:
        return [make_optimiser(list(self.objective.turn_parameters(self.model, kind)), self.settings) for kind in self.kinds]

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        self.objective.set_progress(batch_idx / self.total_updates)
        turn = self.objective.turn(batch_idx)
        optimiser = self._optimiser(turn)
        for group in optimiser.param_groups:
            rate = self.settings.learning_rate_at(batch_idx, self.total_updates, self.updates_per_epoch)
            group["lr"] = rate * self.objective.learning_rate(turn)
        try:
            loss = self.objective(self.model, batch, turn)
        except NotANumberError as error:
            raise self._diverged(f"{error};", batch, batch_idx) from error
        except DataError as error:  # the loss knows rows of the batch; the user knows instances
            raise DataError(f"{error}; row 0 is the first of these instances: {', '.join(map(str, batch.ids))}") from error
        self._check_finite(loss, turn, batch, batch_idx)
        optimiser.zero_grad()
        self.manual_backward(loss)
        if self.settings.gradient_clip:
            self._clip(optimiser, turn)
        optimiser.step()
        self.instances_seen += len(batch)
        if batch_idx + 1 == self.total_updates:
            self.trainer.should_stop = True  # so that the last update is followed by a validation, whatever the interval
        self.latest[self._name(turn, "loss")] = loss.detach()
        self.log_dict(self.latest, prog_bar=False)
        self.log_dict({f"training/{name}": value for name, value in self.objective.reported.items()})
        self.log("epoch", float(batch_idx // self.updates_per_epoch))

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self.predicted.append(self.decoding(self.model, batch))
        for name, (decoding, _) in self.readings.items():
            self.read[name].append(decoding(self.model, batch))
        self.losses.append(self.objective(self.model, batch, "model").detach() * len(batch))

    def on_validation_epoch_end(self) -> None:
        prediction = Prediction.concatenate(gather(self.predicted))
        total = torch.stack(self.losses).sum() / max(sum(len(part) for part in self.predicted), 1)
        self.predicted, self.losses = [], []
        measures = self.judge(prediction) | {"loss": float(total)}
        if self.settings.monitor not in measures:
            raise MultihotError(f"training.monitor '{self.settings.monitor}' is not measured; measured are: {', '.join(sorted(measures))}")
        self.log_dict({f"validation/{name}": value for name, value in measures.items()}, sync_dist=False)
        worst = float("-inf" if self.settings.monitor_mode == "max" else "inf")
        self.log(COMPETING, measures[self.settings.monitor] if self.objective.competes() else worst, logger=False, sync_dist=False)

        for name, (_, judge_reading) in self.readings.items():
            found = judge_reading(Prediction.concatenate(gather(self.read[name])))
            self.read[name] = []
            self.log_dict({f"reading/{name}/{measure}": value for measure, value in found.items()}, sync_dist=False)

    def _optimiser(self, turn: str) -> Any:
        optimisers = self.optimizers()
        return optimisers[self.kinds.index(turn)] if isinstance(optimisers, list) else optimisers

    def _name(self, turn: str, what: str) -> str:
        """What a turn's figure is called in the log."""
        return f"training/{turn}_{what}" if len(self.kinds) > 1 else f"training/{what}"

    def _clip(self, optimiser: Any, turn: str) -> None:
        bound, by = self.settings.gradient_clip, self.settings.gradient_clip_by
        assert bound is not None, "it is asked for"
        assert by is not None, "its family says by what"
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)  # Lightning would clip gradients that are still scaled
        scale = scaler.get_scale() if scaler is not None else 1.0
        clipped = clip_gradients(optimiser, bound, by, scale)
        self.latest[self._name(turn, "clipped")] = self.clipped[turn].add(clipped)

    def _check_finite(self, loss: Tensor, turn: str, batch: Batch, update: int) -> None:
        if loss.device.type != "cpu" and update % CHECK_EVERY:
            return
        if not torch.isfinite(loss):
            whose = f"{turn}'s loss" if len(self.kinds) > 1 else "loss"
            raise self._diverged(f"the {whose} became {float(loss.detach())}", batch, update)

    def _diverged(self, what: str, batch: Batch, update: int) -> TrainingDivergedError:
        some = ", ".join(str(name) for name in list(batch.ids)[:5])
        best = getattr(self.trainer.checkpoint_callback, "best_model_path", "")
        kept = f"the last good checkpoint is {best}" if best else "no checkpoint was good yet"
        return TrainingDivergedError(
            f"{what} at update {update + 1}, in the batch with instances {some}, ...; {kept}; "
            "lower training.learning_rate or set training.precision=32-true"
        )


def make_optimiser(parameters: list[nn.Parameter], settings: TrainingSettings) -> Optimizer:
    """The optimiser that the settings name; parameters that never get a gradient are left out."""
    trainable = [p for p in parameters if p.requires_grad]
    options: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.optimiser == "sgd":
        return torch.optim.SGD(trainable, momentum=0.9, **options)
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return kind(trainable, fused=True, **options)


def gather(parts: list[Prediction]) -> list[Prediction]:
    """The predictions of all processes, where there are several; an instance that two of them saw is kept once by ``reorder``."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return parts
    everyone: list[list[Prediction] | None] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(everyone, parts)
    return [part for share in everyone if share for part in share]
