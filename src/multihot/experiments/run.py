"""A run folder: what training leaves behind, and all that prediction, comparison and reports ever read."""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..components import UntrustedError, allowed, allowing
from ..data import MultiLabelData
from ..data import load as load_data
from ..data.dataset import INPUTS
from ..data.in_memory import from_rows
from ..errors import DataError, MultihotError, RunError
from ..evaluation import break_down, measure, targets_of, truth_of
from ..labels import LabelSpace, LabelStatistics
from ..predictions import Prediction, TrueDegrees, load_prediction, load_truth
from ..storage.json_files import check_name, read_json
from ..storage.shapes import ATTENTION, FEATURE_MAP, LABELS, METRICS, misfit
from .config import Config, stored_config
from .seal import SEALED_FROM, check_file, check_metrics

if TYPE_CHECKING:
    from ..learners import Predictor

T = TypeVar("T")
logger = logging.getLogger("multihot.experiments")

FORMAT = 2  # of the run folder; grows when an older multihot could no longer read it
PACKAGES = (
    "multihot", "torch", "lightning", "scikit-learn", "numpy", "scipy", "datasets", "pyarrow", "transformers", "timm", "torchvision",
)  # fmt: skip


class Run:
    """A finished run. Parts of its method that multihot does not ship are imported if they were allowed when it was opened.

    Args:
        folder: the run folder.

    Raises:
        RunError: if the folder is missing, the run did not finish, or a newer multihot wrote it.

    Example:
        ``run = multihot.load("runs/first")`` then ``run.predict(["a new text"])``.
    """

    def __init__(self, folder: str | Path):
        self.folder, self._allowed = check_name(Path(folder)), allowed()
        if not self.folder.is_dir():
            raise RunError(f"there is no run folder {self.folder}; `multihot train ... --out {self.folder}` makes one")
        if not (self.folder / "metrics.json").exists():
            going_on = (
                f"`multihot train --resume {self.folder}` goes on with it" if (self.folder / "config.yaml").exists() else "train it first"
            )
            before = kept_beside(self.folder)
            aside = f"; the finished run before it is in {before}" if before else ""
            raise RunError(f"{self.folder} holds no finished run (metrics.json is missing); {going_on}{aside}")
        written = self.environment.get("run_format", 0)
        if not isinstance(written, int) or written > FORMAT:
            raise RunError(f"{self.folder} was written by multihot {self.environment.get('multihot')}, which is newer; upgrade multihot")
        self._file("environment.json")

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions and machine of the training."""
        return read_json(self.folder / "environment.json")

    @cached_property
    def config(self) -> Config:
        """The experiment as it was run."""
        path = self._file("config.yaml")
        if not path.exists():
            raise RunError(f"{self.folder}: config.yaml is missing; the run was altered")
        return stored_config(path)

    @cached_property
    def trained_on(self) -> dict[str, Any]:
        """What ``labels.json`` says of the training data: names, statistics, modality, and how its columns were read."""
        return read_json(self._file("labels.json"), LABELS)

    @cached_property
    def labels(self) -> LabelSpace:
        """The labels, in the order of every column."""
        return self._read(lambda path: LabelSpace(self.trained_on["names"]), self.folder / "labels.json")

    @cached_property
    def statistics(self) -> LabelStatistics:
        """The label statistics of the training split."""
        return self._statistics("statistics")

    @cached_property
    def whole_statistics(self) -> LabelStatistics:
        """Those of the training split with the validation rows that were cut off from it: by them labels are head, medium or tail."""
        return self._statistics("whole_statistics") if "whole_statistics" in self.trained_on else self.statistics

    def _statistics(self, name: str) -> LabelStatistics:
        found = self._read(lambda path: LabelStatistics.from_dict(self.trained_on[name]), self.folder / "labels.json")
        if found.num_labels != len(self.labels):
            raise RunError(f"{self.folder / 'labels.json'}: {len(self.labels)} names, but {name} of {found.num_labels} labels")
        return found

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """``validation`` and ``test`` measures, ``breakdowns``, ``cost`` and ``data``."""
        path = self.folder / "metrics.json"
        content = read_json(path)
        check_metrics(path, content, self.environment.get("run_format", 0))
        if wrong := misfit(content, METRICS):
            raise RunError(f"{path}: {wrong}; the run was altered, train it again")
        return content

    @property
    def log(self) -> Path:
        """The log of the training, ``log/metrics.csv``; not there for a method that does not train in updates."""
        return self._file("log/metrics.csv")

    @cached_property
    def attention(self) -> dict[str, Any]:
        """For some test instances, by id: their ``words`` and the attention ``weights`` over them of each emitted label."""
        path = self._file("attention.json")
        return read_json(path, ATTENTION) if path.exists() else {}

    @cached_property
    def feature_map(self) -> dict[str, Any]:
        """Where the encoder puts some test instances: ``points`` by id and the share of the variance that each axis ``explained``.

        Empty for a method that predicts no label distributions.
        """
        path = self._file("feature_map.json")
        return read_json(path, FEATURE_MAP) if path.exists() else {}

    @cached_property
    def predictor(self) -> Predictor:
        """The trained method, loaded when it is first asked for."""
        self.check_files()
        try:
            with allowing(*self._allowed):
                return self._load()
        except UntrustedError as error:
            raise error.said_of(self.folder) from None
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:  # what other values make of its parts
            if isinstance(error, MultihotError):
                raise
            raise RunError(
                f"{self.folder}: its files do not fit together ({type(error).__name__}: {error}); train the run again"
            ) from error

    def _load(self) -> Predictor:
        from ..learners import learner_of

        return learner_of(self.config.method).load(self.folder, self.labels, self.statistics, self.trained_on["modality"])

    def prediction(self, split: str = "test") -> tuple[Prediction, Any]:
        """The prediction kept at training for a split, and the targets (N, L) or None."""
        path = self._file(f"predictions/{split}.parquet")
        if not path.exists():
            raise RunError(f"{self.folder}: predictions/{split}.parquet is missing; this run kept none for '{split}'")
        return self._read(load_prediction, path)

    def truth(self, split: str = "test") -> TrueDegrees | None:
        """The true label distributions kept at training for a split, and where its instances lie on the label axis."""
        path = self._file(f"predictions/{split}.parquet")
        return self._read(lambda file: load_truth(file, self.labels.positions), path) if path.exists() else None

    def _read(self, reader: Callable[[Path], T], path: Path) -> T:
        try:
            return reader(path)
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as error:  # what a file that holds anything else makes of it
            raise RunError(f"{path} is damaged ({error}); train the run again") from error

    def check_files(self) -> None:
        """Refuse a run of which a file that prediction needs is not as training left it."""
        for name in self.metrics.get("files", {}):
            if not name.startswith("predictions/"):
                self._file(name)

    def _file(self, name: str) -> Path:
        files = self.metrics.get("files", {})
        path = check_file(self.folder, name, files)
        if name not in files and path.exists() and self.environment.get("run_format", 0) >= SEALED_FROM:
            raise RunError(f"{path} was added since the training, so it is not of this run; remove it, or copy the run again")
        return path

    def rows(self, source: Any) -> Any:
        """New rows from a file, a list of texts, a list of mappings or a ``datasets.Dataset``, read as the training rows were."""
        data = self.data(source)
        return next(iter(data.splits.values()))

    def data(self, source: Any) -> MultiLabelData:
        """A data set read with the columns and formats of the training."""
        if isinstance(source, MultiLabelData):
            return source
        if isinstance(source, Sequence) and not isinstance(source, (str, Path)):
            return from_rows(_as_rows(source))
        if not isinstance(source, (str, Path, Mapping)):
            raise DataError(
                f"instances cannot be read from {type(source).__name__}; give a file, a list of texts (a table's column: list(column)), or "
                "a list of mappings with the input column, such as [{'features': [0.5, 2]}]"
            )
        data = load_data(source, **{**self.trained_on["reading"], "require_labels": False})
        for note in data.notes:
            logger.warning("%s: %s", data.name, note)
        return data

    def predict(self, source: Any) -> Prediction:
        """Label sets for new instances.

        Args:
            source: a file, a list of texts, a list of mappings with the input column, or a ``datasets.Dataset``.

        Returns:
            Their prediction, in the order given; ``run.labels.decode(prediction.chosen)`` names the labels.
        """
        import datasets

        rows = source if isinstance(source, datasets.Dataset) else self.rows(source)
        self._check_input(rows)
        return self.predictor.predict(rows)

    def _check_input(self, rows: Any) -> None:
        """Refuse rows of another kind than the run was trained on."""
        wanted = self.trained_on["modality"]
        given = sorted({INPUTS[name] for name in rows.column_names if name in INPUTS})
        if wanted not in given:
            columns = " or ".join(f"'{name}'" for name, kind in INPUTS.items() if kind == wanted)
            raise DataError(
                f"{self.folder} was trained on {wanted} data, but these rows are {' and '.join(given) or 'without an input'}; "
                f"give rows with {columns}, or a file of the kind that it was trained on"
            )

    def evaluate(self, source: Any, split: str | None = None) -> dict[str, Any]:
        """Measure the run on labelled data.

        Args:
            source: a file, a named data set or ``MultiLabelData``.
            split: which split of it; None takes "test" where there is one, else the only one.

        Returns:
            ``measures``, ``breakdowns``, ``rows`` and ``unseen_labels``.
        """
        data = self.data(source)
        split = split or ("test" if "test" in data.splits else next(iter(data.splits)))
        if split not in data.splits:
            raise DataError(f"{data.name} has no split '{split}'; it has {', '.join(data.splits)}")
        targets, known = targets_of(data, split, self.labels, unseen=self.config.data.unseen_labels)
        rows = data.splits[split]
        self._check_input(rows)
        prediction = self.predictor.predict(rows)
        truth = None if prediction.degrees is None else truth_of(data, split, self.labels)
        return {
            "measures": measure(prediction, targets, self.whole_statistics, known, truth),
            "breakdowns": break_down(prediction, targets, self.labels, self.whole_statistics, known),
            "rows": len(rows),
            "unseen_labels": data.unseen_labels(self.labels).get(split, {}),
        }


def kept_beside(folder: Path) -> Path | None:
    """Where the finished run lies that is being replaced by one in this folder; None where there is none."""
    place = Path(os.path.realpath(folder))
    before = place.with_name(place.name + ".previous")
    return before if (before / "metrics.json").exists() and (before / "config.yaml").exists() else None


def describe_environment() -> dict[str, Any]:
    """Versions and machine, so that a figure can be traced to what made it."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "run_format": FORMAT,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "command": " ".join(Path(word).name if i == 0 else word for i, word in enumerate(sys.argv)),
        **versions,
    }


def _as_rows(source: Sequence[Any]) -> list[dict[str, Any]]:
    for number, row in enumerate(source, 1):
        if not isinstance(row, (str, Mapping)):
            raise DataError(f"row {number} is {type(row).__name__}; give a text, or a mapping such as {{'features': [0.5, 2]}}")
    return [{"text": row} if isinstance(row, str) else dict(row) for row in source]
