"""What every classical method offers, and the checks of what it is given."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ..components import build
from ..errors import ConfigurationError, DataError, RunError
from ..labels import binarise
from ..predictions import ScoreKind
from ..storage import replacing
from ..threads import available_cores, one_blas_thread

Features: TypeAlias = np.ndarray | sparse.csr_matrix  # (N, F) float64
Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Result = TypeVar("Result")

WEIGHTS_FILE = "model.safetensors"


@dataclass
class TrainingData:
    """Checked features with their label sets.

    Args:
        features: (N, F) float64, dense or csr, all finite.
        targets: (N, L) boolean, by column.
        unknown: (N, L) boolean, by column: True where nobody annotated the label; None if everything is annotated.
    """

    features: Features
    targets: sparse.csc_matrix
    unknown: sparse.csc_matrix | None = None

    @property
    def num_labels(self) -> int:
        return self.targets.shape[1]

    def target(self, label: int) -> Bool[np.ndarray, " N"]:
        """Who carries a label."""
        return _column(self.targets, label)

    def known(self, label: int) -> Bool[np.ndarray, " N"]:
        """For whom a label is annotated."""
        return np.ones(self.targets.shape[0], dtype=bool) if self.unknown is None else ~_column(self.unknown, label)

    def rows(self, numbers: np.ndarray) -> TrainingData:
        """Some of the rows."""
        unknown = None if self.unknown is None else self.unknown[numbers].tocsc()
        return TrainingData(self.features[numbers], self.targets[numbers].tocsc(), unknown)

    def with_constant(self) -> TrainingData:
        """The same rows with a feature that is always 1 before all others; its coefficient is the intercept."""
        ones = np.ones((self.features.shape[0], 1))
        dense = isinstance(self.features, np.ndarray)
        features = np.hstack([ones, self.features]) if dense else sparse.hstack([ones, self.features], format="csr")
        return TrainingData(features, self.targets, self.unknown)

    @classmethod
    def check(cls, features: Any, targets: Any, unknown: Any = None) -> TrainingData:
        """Bring features and targets into the form that training reads.

        Raises:
            DataError: for no rows, features that are not finite, or numbers of rows that differ.
        """
        checked = check_features(features)
        matrix = binarise(targets)
        if matrix.shape[0] != checked.shape[0]:
            raise DataError(f"there are {checked.shape[0]} rows of features but {matrix.shape[0]} of targets; give one of each a row")
        if not checked.shape[0]:
            raise DataError("there is not a single training row; check which split is used for training")
        if unknown is not None:
            unknown = sparse.csc_matrix(binarise(unknown))
        return cls(checked, sparse.csc_matrix(matrix), unknown)


class Classifier(ABC):
    """Features in, label sets out: trained by a convex solver instead of gradient steps on a network.

    ``scores`` ranks labels, within an instance and across instances. They have their neutral point at 0, and ``chosen`` are the labels
    above it, but for methods of label distributions, which choose one label.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    inner: ClassVar[Mapping[str, str]] = {}  # the arguments that are components themselves, and their kinds

    @abstractmethod
    def fit(self, features: Features, targets: Any, seed: int = 0, unknown: Any = None, progress: Progress | None = None) -> Classifier:
        """Train.

        Args:
            features: (N, F), dense or sparse.
            targets: (N, L), dense or sparse; carried from 0.5 on.
            seed: of whatever is drawn.
            unknown: (N, L), True where nobody annotated the label; such entries teach nothing.
            progress: told how many of how many steps are done.

        Returns:
            self.

        Raises:
            DataError: for features that are not finite or do not fit the targets.
        """

    @abstractmethod
    def scores(self, features: Features) -> Float[np.ndarray, "N L"]:
        """Scores (N, L), float32: the higher, the more speaks for the label, whichever row it is of."""

    def chosen(self, features: Features) -> Bool[np.ndarray, "N L"]:
        """Label sets (N, L)."""
        return self.scores(features) > 0

    @property
    def score_kind(self) -> ScoreKind:
        """What scores are; margins make no promise."""
        return "margins"

    @property
    def rule(self) -> str:
        """How label sets come about, in a sentence for the readers of a report."""
        return "Every label whose score is above 0 is chosen; no threshold was tuned."

    @property
    def num_parameters(self) -> int:
        """Numbers learned and kept."""
        return sum(tensor.size for name, tensor in self.to_tensors().items() if not name.endswith(("indices", "ends", "shape")))

    @abstractmethod
    def to_tensors(self) -> dict[str, np.ndarray]:
        """What was learned, by name."""

    @abstractmethod
    def load_tensors(self, tensors: dict[str, np.ndarray]) -> Classifier:
        """Take back what ``to_tensors`` gave. Returns self."""

    def save(self, folder: Path) -> None:
        """Write what was learned as ``model.safetensors``, aside first and then into place."""
        from safetensors.numpy import save

        with replacing(folder / WEIGHTS_FILE) as partial:
            partial.write_bytes(save({name: np.ascontiguousarray(tensor) for name, tensor in self.to_tensors().items()}))

    def load(self, folder: Path) -> Classifier:
        """Take back what ``save`` wrote. Returns self.

        Raises:
            RunError: if the file is missing, damaged, or of another method.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return self.load_tensors(load_file(folder / WEIGHTS_FILE))
        except FileNotFoundError:
            raise RunError(f"{folder}: {WEIGHTS_FILE} is missing; the run did not finish or was altered") from None
        except SafetensorError as error:
            raise RunError(f"{folder}: {WEIGHTS_FILE} is damaged ({error}); train the method again") from error
        except KeyError as error:
            raise RunError(f"{folder}: {WEIGHTS_FILE} has no {error}, so another method wrote it; train the method again") from error


def from_config(config: str | Mapping[str, Any], **available: Any) -> Classifier:
    """The untrained classifier that a configuration names, hyphens or underscores.

    Args:
        config: the name, or a mapping with ``name`` and the classifier's arguments.
        **available: arguments for a classifier that names them and whose configuration leaves them open.
    """
    classifier: Classifier = build("classical", config, **available)
    return classifier


def check_features(features: Any, num_features: int | None = None) -> Features:
    """(N, F) features as float64, dense or csr.

    Raises:
        DataError: if a feature is not finite, naming the row, or if there are not ``num_features`` of them.
    """
    matrix = sparse.csr_matrix(features, dtype=np.float64) if sparse.issparse(features) else np.asarray(features, dtype=np.float64)
    if matrix.ndim != 2 or num_features not in (None, matrix.shape[1]):
        expected = "a table (N, F)" if num_features is None else f"(N, {num_features}) as in training"
        raise DataError(f"features have shape {matrix.shape}, expected {expected}; prepare them as the training rows were")
    finite = np.isfinite(matrix if isinstance(matrix, np.ndarray) else matrix.data)
    if not finite.all():
        rows = np.nonzero(~np.isfinite(matrix))[0] if isinstance(matrix, np.ndarray) else matrix.tocoo().row[~finite]
        raise DataError(f"row {rows[0]} has a feature that is not a finite number; mend or leave out the row")
    return matrix


def check_positive(where: str, **values: float | None) -> None:
    """Refuse a setting that is given and not a positive number.

    Raises:
        ConfigurationError: naming the setting.
    """
    for name, value in values.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is not None and not (number and 0 < value < float("inf")):
            raise ConfigurationError(f"{where}: {name} must be a positive number, got {value!r}")


def count_steps(progress: Progress | None, total: int) -> Callable[[], None]:
    """A function to call after each of ``total`` steps, so that ``progress`` hears how many are done."""
    steps = itertools.count(1)
    return lambda: progress(next(steps), total) if progress else None


def run_in_parallel(
    task: Callable[[Item], Result], items: Iterable[Item], jobs: int | None, done: Callable[[], None] = lambda: None
) -> list[Result]:
    """Do a task for every item on several cores, results in the order of the items and the same for any number of cores.

    Threads suffice: products with sparse matrices let go of Python's lock while they work, and threads share the features.

    Args:
        task: what to do with an item.
        items: what to do it with.
        jobs: how many at once; None takes all cores.
        done: called after each.
    """
    results = []
    with one_blas_thread():
        pool = ThreadPoolExecutor(jobs or available_cores())
        try:
            for result in pool.map(task, items):
                results.append(result)
                done()
        finally:
            pool.shutdown(cancel_futures=True)
    return results


def _column(matrix: sparse.csc_matrix, column: int) -> Bool[np.ndarray, " N"]:
    dense = np.zeros(matrix.shape[0], dtype=bool)
    dense[matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]]] = True
    return dense
