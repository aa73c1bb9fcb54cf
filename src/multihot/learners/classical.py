"""Classical methods: trained at once on a matrix of features, without validation rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import signature
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from ..calibration import with_at_least_one
from ..components import find, split_config
from ..errors import ConfigurationError
from ..labels import LabelSpace, LabelStatistics
from ..training.settings import TrainingSettings
from .base import Cost, Predictor, Say, Task, Trained


class ClassicalLearner:
    """A classical method by its configuration.

    Args:
        method: ``name``, the classifier's arguments, and ``features``, ``decision`` and ``calibration``.
    """

    needs_validation: ClassVar[bool] = False
    in_updates: ClassVar[bool] = False
    emits_labels = False
    unread: ClassVar[list[str]] = []

    def __init__(self, method: Mapping[str, Any]):
        self.method = dict(method)

    @property
    def reads_by(self) -> str:
        from ..classical import decision_of

        return str(decision_of(self.method)["name"])

    def check(self, modality: str | None = None) -> None:
        from ..classical import check_classical

        check_classical(self.method)

    @property
    def predicts_degrees(self) -> bool:
        from ..classical import takes_decisions

        return not takes_decisions(self.method)

    def takes_label_sets(self, space: LabelSpace) -> bool:
        return True  # a label set counts as the uniform distribution over its labels

    def check_readings(self, training: TrainingSettings) -> None:
        if training.readings:
            raise ConfigurationError("training.readings[0]: a classical method trains in no epochs; leave training.readings out")

    def spelt_out(self, modality: str | None = None) -> dict[str, Any]:
        from ..classical import spell_out

        return spell_out(self.method, modality)

    def never_empty(self) -> dict[str, Any]:
        from ..classical import decision_of, takes_decisions

        return self.method | ({"decision": with_at_least_one(decision_of(self.method))} if takes_decisions(self.method) else {})

    def parts_by_kind(self, modality: str | None = None) -> list[tuple[str, Any]]:
        name, arguments = split_config("classical", self.method)
        members = arguments.get("members", getattr(signature(find("classical", name)).parameters.get("members"), "default", ()))
        inner = [ClassicalLearner({"name": member} if isinstance(member, str) else member).parts_by_kind() for member in members]
        return [("classical", {"name": name} | arguments), *chain.from_iterable(inner)]

    def settle(self, training: TrainingSettings, on_axis: Callable[[], bool]) -> TrainingSettings:
        return replace(training.for_decoder(False), monitor="micro_f1" if training.monitor == "auto" else training.monitor)

    def train(self, task: Task, folder: Path, resume: bool = False, say: Say = lambda line: None) -> Trained:
        from ..classical import fit_classical

        began = time.perf_counter()
        predictor = fit_classical(self.method, task.data, task.space, task.seed, statistics=task.statistics, say=say)
        cost = Cost(time.perf_counter() - began, predictor.num_parameters)
        predictor.save(folder)
        return Trained(predictor, cost)

    def load(self, folder: Path, space: LabelSpace, statistics: LabelStatistics, modality: str) -> Predictor:
        from ..classical import load_classical

        return load_classical(folder, space, statistics)

    def read_again(self, folder: Path, task: Task, promised: bool, say: Say) -> Predictor:
        from ..classical import load_classical

        predictor = load_classical(folder, task.space, task.statistics, self.method)
        say(f"{folder} read by {predictor.described()['rule']}")
        predictor.fit_again(task.data, task.space, task.seed)
        return predictor
