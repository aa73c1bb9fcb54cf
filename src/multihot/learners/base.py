"""What a run needs of a method, be it neural or classical: to check it, to train it, to read it and to describe it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ..data import MultiLabelData
from ..labels import LabelSpace, LabelStatistics
from ..predictions import Prediction
from ..training.settings import TrainingSettings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """What a training cost, and the predictions after it.

    Args:
        seconds: of training.
        parameters: numbers learned and kept.
        updates: of the parameters; None for a method that does not train in updates, as are the four below.
        epochs: passes over the training rows.
        best_update: whose weights were kept.
        best_value: what validation measured of them.
        instances_per_second: in training.
        predictions_per_second: of the split that was predicted last.
        decoding_seconds: of predicting the validation and the test split.
        peak_memory_bytes: the most that the process held.
    """

    seconds: float
    parameters: int
    updates: int | None = None
    epochs: float | None = None
    best_update: int | None = None
    best_value: float | None = None
    instances_per_second: float | None = None
    predictions_per_second: float | None = None
    decoding_seconds: float | None = None
    peak_memory_bytes: int | None = None

    def after_predicting(self, rows: int, seconds: float) -> Cost:
        """With the time that a prediction took."""
        return replace(self, predictions_per_second=rows / seconds, decoding_seconds=(self.decoding_seconds or 0.0) + seconds)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Cost:
        """The cost that a run wrote down, without what this version does not know; a run of an older one may lack its parameters.

        >>> Cost.from_dict({"seconds": 1.5, "energy": 3}) == Cost(1.5, 0)
        True
        """
        known = {field.name for field in fields(cls)}
        return cls(**{"parameters": 0} | {name: value for name, value in content.items() if name in known})

    def to_dict(self) -> dict[str, float]:
        """What is known of it, by name.

        >>> Cost(1.5, 10).after_predicting(20, 2.0).to_dict()
        {'seconds': 1.5, 'parameters': 10, 'predictions_per_second': 10.0, 'decoding_seconds': 2.0}
        """
        return {name: value for name, value in asdict(self).items() if value is not None}


class Predictor(Protocol):
    """A trained method: rows in, predictions out."""

    @property
    def num_parameters(self) -> int: ...

    def described(self) -> dict[str, str]:
        """``scores``: what those of its predictions are (a ``ScoreKind``); ``uncalibrated``: the same of scores before a calibration,
        where there is one; ``rule``: how label sets come about, in a sentence."""

    def predict(self, rows: Any) -> Prediction:
        """Rows with the input column that the method was trained on -> their prediction, in the rows' order."""

    def save(self, folder: Path) -> None:
        """Write all that ``load`` needs, without pickle."""

    def save_decisions(self, folder: Path) -> None:
        """Write what calibration and decision learned."""

    def explained(self, rows: Any, prediction: Prediction) -> dict[str, Any]:
        """What a report shows beyond predictions, as it needs the model: file name -> content."""


@dataclass(frozen=True)
class Task:
    """What a method is trained on.

    Args:
        data: with all its splits.
        space: the labels.
        statistics: of the rows that are trained on.
        whole: of the whole training split, rows that were set aside from it included.
        training: how to train; nothing in it is "auto" any more.
        seed: of initial weights, order of batches and sampling.
        unseen: what becomes of labels that training lacks.
    """

    data: MultiLabelData
    space: LabelSpace
    statistics: LabelStatistics
    whole: LabelStatistics
    training: TrainingSettings
    seed: int = 0
    unseen: str = "ignore"


@dataclass(frozen=True)
class Trained:
    """What a training gave.

    Args:
        predictor: the trained method.
        cost: what it took.
        validation: its prediction of the validation split, where it was made already.
    """

    predictor: Predictor
    cost: Cost
    validation: Prediction | None = None


class Learner(Protocol):
    """A method by its configuration, before it is trained. ``learner_of`` makes one."""

    method: dict[str, Any]
    needs_validation: ClassVar[bool]  # whether it chooses anything on validation rows
    in_updates: ClassVar[bool]  # whether it trains in updates and epochs

    @property
    def emits_labels(self) -> bool:
        """Whether it has a decoder that emits labels one after another."""

    @property
    def reads_by(self) -> str:
        """What gets label sets out of it: its decoding or, of a classical method, its decision."""

    @property
    def unread(self) -> list[str]:
        """Of "decision" and "calibration", what nothing in the method reads."""

    def check(self, modality: str | None = None) -> None:
        """Refuse a method that cannot work, before any data is read.

        Args:
            modality: of the data, where it is known.

        Raises:
            ConfigurationError: naming the part or setting.
        """

    @property
    def predicts_degrees(self) -> bool:
        """Whether it learns and predicts one label distribution a row, instead of label sets."""

    def takes_label_sets(self, space: LabelSpace) -> bool:
        """Whether it can be trained on rows that carry several labels, or none, and no distribution over them."""

    def check_readings(self, training: TrainingSettings) -> None:
        """Refuse ``training.readings`` that do not fit the method."""

    def spelt_out(self, modality: str | None = None) -> dict[str, Any]:
        """The configuration with every part of the method and every argument of each, those left open at their defaults.

        Args:
            modality: of the data; says which encoder or features are meant where none are named.
        """

    def parts_by_kind(self, modality: str | None = None) -> list[tuple[str, Any]]:
        """Every part as (kind, name or mapping with arguments), with what it takes for a modality; of an ensemble, its members too."""

    def never_empty(self) -> dict[str, Any]:
        """The configuration with ``at_least: 1`` among the rules of its label sets, unless it says another ``at_least``."""

    def settle(self, training: TrainingSettings, on_axis: Callable[[], bool]) -> TrainingSettings:
        """The settings with what each "auto" stands for.

        Args:
            training: as they were given.
            on_axis: tells, where it matters, whether the labels lie on an axis on which the data's instances have a place.
        """

    def train(self, task: Task, folder: Path, resume: bool = False, say: Say = lambda line: None) -> Trained:
        """Train, and write the trained method into the folder."""

    def load(self, folder: Path, space: LabelSpace, statistics: LabelStatistics, modality: str) -> Predictor:
        """Take back what ``train`` wrote."""

    def read_again(self, folder: Path, task: Task, promised: bool, say: Say) -> Predictor:
        """What another training of the same parts left in a folder, with this method's decoding, decision and calibration, fitted anew.

        Args:
            folder: of the finished run.
            task: what the run was trained on.
            promised: whether the run kept validation rows for a decision that promises something.
            say: told in one line what happens.
        """


def never_empty_where_none_is(learner: Learner, statistics: LabelStatistics) -> Mapping[str, Any]:
    """The method's configuration as ``never_empty`` has it where every training row carries a label, and as it is elsewhere."""
    return learner.never_empty() if statistics.none_empty else dict(learner.method)
