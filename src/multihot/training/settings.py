"""How long, how fast and on what a method trains."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ConfigurationError, nearest
from ..metrics.registry import lower_is_better

SCHEDULES = ("constant", "linear", "cosine", "step")
CLIP_BY = ("norm", "value")
SOURCES_BOUND = 10.0  # entries of gradients are clipped to [-10, 10] (Tsai 2019, table 4.4)
EPOCHS = {"scorer": 12, "decoder": 20}  # a decoder learns more slowly than a scorer does
OPTIMISERS = ("adam", "adamw", "sgd")
LOGGERS = ("tensorboard", "mlflow", "wandb")
FAMILY = ("epochs", "gradient_clip", "gradient_clip_by")  # what a family of methods says where a setting is left open
# what a setting of "auto" may come to
AUTO = {"monitor": ("micro_f1", "mean_absolute_error", "kullback_leibler"), "precision": ("32-true", "bf16-mixed")}


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one training.

    Args:
        epochs: passes over the training split; None is 12, and 20 where a decoder emits labels.
        updates: number of updates; when given, it replaces ``epochs``.
        batch_size: instances a batch.
        sampler: which instances an epoch consists of: a sampler's name, or a mapping with ``name`` and its arguments.
        optimiser: "adam", "adamw" or "sgd" (momentum 0.9).
        learning_rate: the optimiser's step size.
        weight_decay: the optimiser's weight decay.
        schedule: how the learning rate goes: "constant", "linear" or "cosine" decay to 0, or in a "step" now and then.
        step_every: when the "step" schedule changes the learning rate: "40 epochs", "500 updates".
        step_factor: what the learning rate is then multiplied by, above 0.
        warmup: share of the updates in which the learning rate rises from 0, in [0, 1).
        gradient_clip: bound of the gradients; 0 for none. None does as the methods' sources do: no clipping, but where a decoder emits
            labels, entries beyond 10 are clipped (Tsai 2019, table 4.4). The log says which share of the updates was clipped.
        gradient_clip_by: what is bounded: the "norm" of all gradients together, or the "value" of each entry; None is the norm, but where a
            decoder emits labels and no bound is given.
        validate_every: "1 epoch", "2 epochs", "500 updates".
        monitor: the validation measure that picks the best checkpoint ("micro_f1", "map", "loss", ...); "auto" is "micro_f1", and of
            methods that predict label distributions "mean_absolute_error" where labels lie on an axis, else "kullback_leibler".
        readings: decodings, by name or as mappings with arguments, that every validation reads the same model by besides the method's own,
            only to be logged; where label sets depend on how a model is read, one training then gives the curve of each
            (Tsai 2019, figure 4.3).
        patience: stop after that many validations without progress; None trains to the end.
        precision: Lightning's precision; "auto" is 32-true on a CPU, and bf16-mixed on a GPU that computes in bfloat16.
        device: Lightning's accelerator ("auto", "cpu", "gpu", ...).
        devices: Lightning's devices.
        strategy: Lightning's strategy.
        workers: processes that prepare batches.
        loggers: of "tensorboard", "mlflow", "wandb"; a CSV log is always kept.

    Raises:
        ConfigurationError: for a value that is not allowed.

    >>> TrainingSettings(epochs=3).total_updates(per_epoch=10)
    30
    """

    epochs: int | None = None
    updates: int | None = None
    batch_size: int = 32
    sampler: str | dict[str, Any] = "instance_balanced"
    optimiser: str = "adam"
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    schedule: str = "linear"
    step_every: str = "40 epochs"
    step_factor: float = 0.1
    warmup: float = 0.0
    gradient_clip: float | None = None
    gradient_clip_by: str | None = None
    validate_every: str = "1 epoch"
    monitor: str = "auto"
    readings: list[str | dict[str, Any]] = field(default_factory=list)
    patience: int | None = None
    precision: str = "auto"
    device: str = "auto"
    devices: int | str = "auto"
    strategy: str = "auto"
    workers: int = 0
    loggers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, least in {"epochs": 1, "batch_size": 1, "workers": 0, "gradient_clip": 0, "weight_decay": 0}.items():
            if getattr(self, name) is not None and not getattr(self, name) >= least:
                raise ConfigurationError(f"training.{name} must be at least {least}, got {getattr(self, name)!r}")
        for name in ("updates", "patience"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ConfigurationError(f"training.{name} must be at least 1 or null, got {getattr(self, name)!r}")
        for name in ("learning_rate", "step_factor"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"training.{name} must be above 0, got {getattr(self, name)!r}")
        if not 0 <= self.warmup < 1:
            raise ConfigurationError(f"training.warmup must be in [0, 1), got {self.warmup!r}")
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("optimiser", self.optimiser, OPTIMISERS)
        if self.gradient_clip_by is not None:
            _one_of("gradient_clip_by", self.gradient_clip_by, CLIP_BY)
        for logger in self.loggers:
            _one_of("loggers", logger, LOGGERS)
        for name in ("validate_every", "step_every"):
            self.interval(name, 1)

    def total_updates(self, per_epoch: int) -> int:
        """Updates in the whole training, where an epoch has that many."""
        return self.updates or (self.epochs or EPOCHS["scorer"]) * per_epoch

    def interval(self, name: str, per_epoch: int) -> int:
        """How many updates the setting of that name stands for: ``validate_every`` or ``step_every``."""
        number, _, unit = getattr(self, name).partition(" ")
        if not number.isdecimal() or len(number) > 9 or int(number) < 1 or unit not in ("epoch", "epochs", "update", "updates"):
            raise ConfigurationError(f"training.{name} must read like '1 epoch' or '500 updates', got {getattr(self, name)!r}")
        return int(number) * (per_epoch if unit.startswith("epoch") else 1)

    def learning_rate_at(self, update: int, total: int, per_epoch: int) -> float:
        """The learning rate of one update (counted from 0), of ``total``, of which an epoch has ``per_epoch``."""
        warmup = self.warmup * total
        if update < warmup:
            return self.learning_rate * (update + 1) / (warmup + 1)
        rest = (update - warmup) / max(total - warmup, 1)
        steps = update // self.interval("step_every", per_epoch)
        factors = {"linear": 1 - rest, "cosine": 0.5 * (1 + math.cos(math.pi * rest)), "step": self.step_factor**steps}
        return self.learning_rate * factors.get(self.schedule, 1.0)

    def for_decoder(self, decoder: bool) -> TrainingSettings:
        """The settings with the epochs and the clipping of the family of methods, where none were asked for."""
        epochs = self.epochs or EPOCHS["decoder" if decoder else "scorer"]
        if self.gradient_clip is None and decoder:
            return replace(self, epochs=epochs, gradient_clip=SOURCES_BOUND, gradient_clip_by=self.gradient_clip_by or "value")
        return replace(self, epochs=epochs, gradient_clip=self.gradient_clip or 0.0, gradient_clip_by=self.gradient_clip_by or "norm")

    @property
    def monitor_mode(self) -> str:
        """Whether the monitored measure should grow ("max") or fall ("min")."""
        return "min" if lower_is_better(self.monitor) else "max"


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigurationError(f"training.{name} has no '{value}'; {nearest(str(value), allowed)}")
