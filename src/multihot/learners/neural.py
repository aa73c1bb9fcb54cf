"""Neural methods: an encoder with a scorer or a decoder, trained in updates, whose validation rows choose weights and decisions."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from ..components import build, find, split_config
from ..errors import ConfigurationError, DataError
from ..evaluation import measure, targets_of, truth_of
from ..interfaces import Decoding
from ..labels import LabelSpace, LabelStatistics
from ..method import Method, processor_of
from ..metrics import evaluate
from ..metrics.registry import headlines
from ..parts import PARTS, defaults, spelt_out
from ..predictions import Prediction
from ..training.settings import TrainingSettings
from .base import Cost, Predictor, Say, Task, Trained
from .label_sets import never_empty
from .readings import readings_of

SEVERAL = 2


class NeuralLearner:
    """A neural method by its configuration.

    Args:
        method: ``name``, and the parts that are not the method's own.
    """

    needs_validation: ClassVar[bool] = True
    in_updates: ClassVar[bool] = True

    def __init__(self, method: Mapping[str, Any]):
        self.method = dict(method)

    @property
    def parts(self) -> Method:
        """The method's parts by name."""
        return Method.from_config(self.method)

    @property
    def emits_labels(self) -> bool:
        return self.parts.decoder is not None

    @property
    def reads_by(self) -> str:
        return split_config("decoding", self.parts.decoding)[0]

    @property
    def unread(self) -> list[str]:
        taken = inspect.signature(find("decoding", self.reads_by)).parameters
        return [kind for kind in ("decision", "calibration") if kind not in taken]

    def check(self, modality: str | None = None) -> None:
        self.parts.check() if modality is None else self.parts.for_modality(modality).check(modality)
        for kind in self.unread:
            if self.method.get(kind) is not None:
                raise ConfigurationError(f"method.{kind} has no effect: decoding '{self.reads_by}' takes none; leave it out, or set null")

    @property
    def predicts_degrees(self) -> bool:
        return bool(find("decoding", self.reads_by).predicts_degrees)

    def takes_label_sets(self, space: LabelSpace) -> bool:
        if not self.predicts_degrees or len(space) < SEVERAL:
            return True
        if self.parts.distribution is None:
            return split_config("objective", self.parts.objective)[0] == "bilevel"  # it spreads each label of a row
        distribution = build("distribution", self.parts.distribution, label_space=space, num_labels=len(space))
        try:
            distribution(torch.arange(len(space))[None] < SEVERAL)
        except DataError:
            return False
        return True

    def check_readings(self, training: TrainingSettings) -> None:
        readings_of(self.method, training.readings)

    def spelt_out(self, modality: str | None = None) -> dict[str, Any]:
        parts = self.parts.for_modality(modality) if modality else self.parts
        found: dict[str, Any] = {"name": self.method.get("name", "br")} | {
            kind: spelt_out(kind, getattr(parts, kind)) for kind in PARTS if kind not in self.unread
        }
        found["processor"] = parts.processor
        if found["encoder"] is not None:
            name, arguments = split_config("encoder", found["encoder"])
            cls = find("encoder", name)
            usual = defaults(processor_of(cls))
            told = {key: value for key, value in cls.tells_processor(**arguments).items() if key in usual}
            own = {key: value for key, value in (usual | told).items() if key not in arguments}
            found["processor"] = own | (dict(parts.processor) if isinstance(parts.processor, Mapping) else {})
        like = {"name": parts.sized_like} if isinstance(parts.sized_like, str) else parts.sized_like
        found["sized_like"] = None if like is None else NeuralLearner(like).spelt_out() | {"encoder": None, "scorer": None}
        return found

    def never_empty(self) -> dict[str, Any]:
        return never_empty(self.method)

    def parts_by_kind(self, modality: str | None = None) -> list[tuple[str, Any]]:
        parts = self.parts.for_modality(modality) if modality else self.parts
        return [(kind, part) for kind in PARTS if (part := getattr(parts, kind)) is not None]

    def settle(self, training: TrainingSettings, on_axis: Callable[[], bool]) -> TrainingSettings:
        from ..training.fit import resolve_precision

        settled = replace(training.for_decoder(self.emits_labels), precision=resolve_precision(training))
        return replace(settled, monitor=self._monitor(on_axis)) if training.monitor == "auto" else settled

    def _monitor(self, on_axis: Callable[[], bool]) -> str:
        if not self.predicts_degrees:
            return "micro_f1"
        return "mean_absolute_error" if on_axis() else "kullback_leibler"

    def train(self, task: Task, folder: Path, resume: bool = False, say: Say = lambda line: None) -> Trained:
        from ..data.batches import make_loader
        from ..training.fit import seed_everything, train
        from ..training.module import Reading
        from .feature_cache import encode_once
        from .neural_predictor import NeuralPredictor, kept_for_promise

        data, space, training = task.data, task.space, task.training
        seed_everything(task.seed)
        method = self.parts.for_modality(data.modality).check(data.modality)
        processor = method.build_processor(num_features=data.num_features).fit(data.splits["train"])
        if processor.remark:
            say(processor.remark)
        loss = method.build_loss(space, task.statistics)
        model, objective, decoding = method.assemble(processor, space, task.statistics, loss, say)
        options: dict[str, Any] = {"workers": training.workers, "unseen": task.unseen}
        sampling = build("sampler", training.sampler, targets=data.label_sets("train", space)[0])
        loaders = {
            split: make_loader(
                encode_once(model.encoder, processor, processor.prepare(data.splits[split])), processor, space,
                batch_size=training.batch_size, shuffle=split == "train", seed=task.seed,
                sampling=sampling if split == "train" else None, **options,
            )
            for split in ("train", "validation")
        }  # fmt: skip
        validation_ids = list(data.splits["validation"]["id"])
        targets, known = targets_of(data, "validation", space)
        truth = truth_of(data, "validation", space) if decoding.predicts_degrees else None
        kept = kept_for_promise(decoding, training.monitor, len(validation_ids))

        def judge(prediction: Prediction) -> dict[str, float]:
            if kept is None or not kept.any():
                return measure(decoding.fit(prediction.reorder(validation_ids), targets, known, kept), targets, task.whole, known, truth)
            rows = np.flatnonzero(~kept)
            some, known_of_some = targets[rows], None if known is None else known[rows]
            ordered = prediction.reorder([validation_ids[i] for i in rows])
            return measure(decoding.fit(ordered, some, known_of_some, np.zeros(len(rows), dtype=bool)), some, task.whole, known_of_some)

        def also(reading: Decoding) -> Reading:
            def judge_reading(prediction: Prediction) -> dict[str, float]:
                found = evaluate(targets, reading.fit(prediction.reorder(validation_ids), targets, known).chosen, known=known)
                return {name: found[name] for name in headlines() if name in found}

            return reading, judge_reading

        readings = {
            name: also(other.build_decoding(space, task.statistics, loss))
            for name, other in readings_of(self.method, training.readings, task.statistics).items()
        }
        outcome = train(
            model, objective, decoding, loaders["train"], loaders["validation"], judge, training, folder, task.seed, resume, readings
        )
        predictor = NeuralPredictor(model, decoding, processor, space)
        began = time.perf_counter()
        validation = decoding.fit(predictor.predict(data.splits["validation"]), targets, known, kept)
        cost = Cost(**asdict(outcome)).after_predicting(len(validation), time.perf_counter() - began)
        predictor.save(folder)
        return Trained(predictor, cost, validation)

    def load(self, folder: Path, space: LabelSpace, statistics: LabelStatistics, modality: str) -> Predictor:
        from .neural_predictor import NeuralPredictor

        return NeuralPredictor.load(folder, self.parts.for_modality(modality), space, statistics)

    def read_again(self, folder: Path, task: Task, promised: bool, say: Say) -> Predictor:
        from .neural_predictor import NeuralPredictor, kept_for_promise

        method = self.parts.for_modality(task.data.modality).check(task.data.modality)
        predictor = NeuralPredictor.load(folder, method, task.space, task.statistics, decided=False)
        say(f"{folder} read by {method.summary()}")
        if predictor.decoding.decision is not None or predictor.decoding.calibration is not None:
            rows = task.data.splits["validation"]
            kept = kept_for_promise(predictor.decoding, task.training.monitor, len(rows))
            if kept is not None and not promised:
                say("the weights were chosen by all of the validation split, so nothing is guaranteed; train with this decision for that")
                kept[:] = False
            predictor.decoding.fit(predictor.predict(rows), *targets_of(task.data, "validation", task.space), kept)
        return predictor
