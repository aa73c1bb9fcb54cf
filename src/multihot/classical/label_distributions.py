"""What classical methods that learn label distributions share: distributions in, distributions out, their mode as the label set."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ..errors import DataError
from ..labels import modes
from ..predictions import ScoreKind
from .base import Classifier, Features, Progress, check_features

LEAST = float(np.finfo(np.float32).tiny)  # a degree of 0 counts as this in a score


class DistributionClassifier(Classifier):
    """Features in, label distributions out; scores are the logarithms of the degrees, and the mode is chosen.

    Targets are divided by their row's sum, so a label set counts as the uniform distribution over its labels; rows without a label, and
    rows with an unknown entry, teach nothing.
    """

    def fit(
        self, features: Features, targets: Any, seed: int = 0, unknown: Any = None, progress: Progress | None = None
    ) -> DistributionClassifier:
        self.learn(*_read(features, targets, unknown))
        if progress is not None:
            progress(1, 1)
        return self

    @abstractmethod
    def learn(self, features: Features, degrees: Float[np.ndarray, "N L"]) -> None:
        """Train on checked rows, each with its distribution."""

    @abstractmethod
    def degrees(self, features: Features) -> Float[np.ndarray, "N L"]:
        """Label distributions (N, L), float64, rows sum to 1."""

    def scores(self, features: Features) -> Float[np.ndarray, "N L"]:
        return scores_of(self.degrees(features))

    @property
    def score_kind(self) -> ScoreKind:
        return "log_probabilities"

    @property
    def rule(self) -> str:
        return "The label with the largest degree is chosen; there is no threshold."

    def chosen(self, features: Features) -> Bool[np.ndarray, "N L"]:
        return modes(self.degrees(features)).toarray()


def scores_of(degrees: Float[np.ndarray, "N L"]) -> Float[np.ndarray, "N L"]:
    """The logarithm of each label's degree, float32, as a network's ``distribution`` decoding has it.

    >>> (scores_of(np.array([[0.5, 0.25, 0.25]])) / np.log(2)).round(3).tolist()
    [[-1.0, -2.0, -2.0]]
    """
    return np.log(np.maximum(degrees, LEAST)).astype(np.float32)


def _read(features: Any, targets: Any, unknown: Any) -> tuple[Features, Float[np.ndarray, "N L"]]:
    checked = check_features(features)
    given = np.asarray(targets.toarray() if sparse.issparse(targets) else targets, dtype=np.float64)
    if given.ndim != 2 or len(given) != checked.shape[0]:
        raise DataError(
            f"there are {checked.shape[0]} rows of features but targets of shape {given.shape}; give (N, L) degrees, a row each"
        )
    wrong = ~((given >= 0) & np.isfinite(given)).all(axis=1)
    if wrong.any():
        raise DataError(f"targets: row {int(np.argmax(wrong))} has a degree that is negative or no number; degrees must be at least 0")
    mass = given.sum(axis=1)
    teaches = mass > 0
    if unknown is not None:
        teaches &= np.diff(sparse.csr_matrix(unknown).indptr) == 0
    if not teaches.any():
        raise DataError("there is not a single training row with a whole label distribution; check the column with the labels")
    rows = np.flatnonzero(teaches)
    return checked[rows], given[rows] / mass[rows, None]
