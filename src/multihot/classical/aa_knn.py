"""AA-kNN: the mean label distribution of the nearest training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..errors import ConfigurationError
from .base import Features, check_features
from .label_distributions import DistributionClassifier


class AaKnnClassifier(DistributionClassifier):
    """Mean label distribution of the k training rows that are nearest in Euclidean distance.

    ``p(x) = 1/k sum_(i in N_k(x)) y_i``. Geng 2016, "Label Distribution Learning".

    Args:
        k: number of neighbours, at least 1; all rows where there are fewer.
        jobs: processor cores; None takes one, -1 all. Does not change the result.

    Raises:
        ConfigurationError: for fewer than one neighbour.

    >>> learner = AaKnnClassifier(k=2).fit([[0.0], [1.0], [9.0]], [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    >>> learner.degrees([[0.2]]).tolist()
    [[0.75, 0.25]]
    """

    def __init__(self, k: int = 5, jobs: int | None = None):
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ConfigurationError(f"classical 'aa_knn': k must be a whole number of at least 1, got {k!r}")
        self.k = k
        self.jobs = jobs
        self.neighbours: Any = None
        self.rows: Features | None = None  # of training
        self.known: Float[np.ndarray, "N L"] | None = None  # their distributions

    def learn(self, features: Features, degrees: Float[np.ndarray, "N L"]) -> None:
        from sklearn.neighbors import NearestNeighbors

        self.rows, self.known = features, degrees
        self.neighbours = NearestNeighbors(n_neighbors=min(self.k, len(degrees)), n_jobs=self.jobs).fit(features)

    def degrees(self, features: Features) -> Float[np.ndarray, "N L"]:
        rows, known = self._trained()
        checked = check_features(features, rows.shape[1])
        return known[self.neighbours.kneighbors(checked, return_distance=False)].mean(axis=1)

    def to_tensors(self) -> dict[str, np.ndarray]:
        rows, known = self._trained()
        if isinstance(rows, np.ndarray):
            return {"features": rows, "degrees": known}
        parts = {"values": rows.data, "indices": rows.indices, "ends": rows.indptr, "shape": np.asarray(rows.shape)}
        return {f"features.{name}": part for name, part in parts.items()} | {"degrees": known}

    def load_tensors(self, tensors: dict[str, np.ndarray]) -> AaKnnClassifier:
        degrees = tensors["degrees"]
        if "features" in tensors:
            self.learn(tensors["features"], degrees)
        else:
            values, indices, ends, shape = (tensors[f"features.{name}"] for name in ("values", "indices", "ends", "shape"))
            self.learn(sparse.csr_matrix((values, indices, ends), shape=tuple(shape)), degrees)
        return self

    def _trained(self) -> tuple[Features, np.ndarray]:
        if self.rows is None or self.known is None:
            raise ConfigurationError("AaKnnClassifier is not trained yet; call fit first")
        return self.rows, self.known
