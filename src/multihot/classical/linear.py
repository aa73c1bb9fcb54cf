"""Linear scores, one column a label, and the solver that finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ..errors import ConfigurationError
from .base import Features, check_features
from .newton import Loss, Weights, minimise

Column = tuple[np.ndarray | sparse.csr_matrix, float]

SPARSE_BELOW = 0.5  # share of coefficients other than 0 from which a dense matrix is the smaller one


def cost(C: float | None, features: Features, times: float = 1.0) -> float:  # noqa: N803
    """C as given, or else ``times / mean_i ||x_i||^2``, so that one default suits TF-IDF (length 1) and standardised tables alike.

    >>> cost(None, np.array([[3.0, 4.0], [0.0, 5.0]])), cost(2.0, np.array([[3.0, 4.0]]))
    (0.04, 2.0)
    """
    values = features if isinstance(features, np.ndarray) else features.data
    squares = float(np.square(values).sum())
    return C if C is not None else times * features.shape[0] / squares if squares else times


@dataclass(frozen=True)
class Solver:
    """Trains one label: minimises ``||w||^2 / 2 + C sum_i c_i loss(y_i w x_i)``, c_i the weight of positive rows, or 1 for negative ones.

    Args:
        loss: of a margin.
        C: what errors cost against small coefficients, above 0.
        tolerance: of the stopping rule, above 0.
    """

    loss: Loss
    C: float
    tolerance: float

    def __call__(self, features: Features, target: Bool[np.ndarray, " N"], weights: Sequence[float] = (1.0,)) -> list[Weights]:
        """The solution for every weight of the positive rows, each found from the one before it.

        A label that all or none of the rows carry gets a constant score, its smoothed log-odds ``log((p + 1/2) / (n + 1/2))``.

        Args:
            features: (N, F), the first of them the constant 1.
            target: (N,), who carries the label.
            weights: of positive rows, above 0.

        Returns:
            For each weight (F,) float64, the intercept first.
        """
        positives = int(target.sum())
        if positives in (0, len(target)):
            constant = np.zeros(features.shape[1])
            constant[0] = np.log((positives + 0.5) / (len(target) - positives + 0.5))
            return [constant] * len(weights)
        signs = np.where(target, 1.0, -1.0)
        found: list[Weights] = []
        for weight in weights:
            costs = self.C * np.where(target, weight, 1.0)
            found.append(minimise(features, signs, costs, self.loss, self.tolerance, found[-1] if found else None))
        return found


def to_column(solution: Weights) -> Column:
    """What is kept of a label's solution: its coefficients in 32 bits, sparse where most are 0, and its intercept."""
    row = solution[None, 1:].astype(np.float32)
    return sparse.csr_matrix(row) if np.count_nonzero(row) < SPARSE_BELOW * row.size else row, float(solution[0])


def trained(scorer: LinearScorer | None, owner: object) -> LinearScorer:
    """The scorer of a classifier that has been trained.

    Raises:
        ConfigurationError: if it has not.
    """
    if scorer is None:
        raise ConfigurationError(f"{type(owner).__name__} is not trained yet; call fit first")
    return scorer


@dataclass
class LinearScorer:
    """``scores = features @ coefficients.T + intercepts``.

    Args:
        coefficients: (L, F) float32, dense, or csr where most are 0.
        intercepts: (L,) float32.
    """

    coefficients: Float[np.ndarray, "L F"] | sparse.csr_matrix
    intercepts: Float[np.ndarray, " L"]

    @classmethod
    def from_columns(cls, columns: Sequence[Column]) -> LinearScorer:
        """Stack the labels' coefficients."""
        rows = [row for row, _ in columns]
        stored = sum(np.count_nonzero(row) if isinstance(row, np.ndarray) else row.nnz for row in rows)
        size = len(rows) * rows[0].shape[1]
        if stored < SPARSE_BELOW * size:
            coefficients = sparse.csr_matrix(sparse.vstack([sparse.csr_matrix(row) for row in rows]))
        else:
            coefficients = np.concatenate([row if isinstance(row, np.ndarray) else row.toarray() for row in rows])
        return cls(coefficients, np.asarray([intercept for _, intercept in columns], dtype=np.float32))

    def __call__(self, features: Features) -> Float[np.ndarray, "N L"]:
        """(N, F) -> (N, L) float32."""
        checked = check_features(features, self.coefficients.shape[1]).astype(np.float32)
        products = checked @ self.coefficients.T
        return (products if isinstance(products, np.ndarray) else products.toarray()) + self.intercepts

    def to_tensors(self) -> dict[str, np.ndarray]:
        """By name, sparse coefficients in three parts."""
        if isinstance(self.coefficients, np.ndarray):
            return {"coefficients": self.coefficients, "intercepts": self.intercepts}
        csr = self.coefficients
        parts = {"values": csr.data, "indices": csr.indices, "ends": csr.indptr, "shape": np.asarray(csr.shape)}
        return {f"coefficients.{name}": part for name, part in parts.items()} | {"intercepts": self.intercepts}

    @classmethod
    def from_tensors(cls, tensors: dict[str, np.ndarray]) -> LinearScorer:
        """The inverse of ``to_tensors``."""
        if "coefficients" in tensors:
            return cls(tensors["coefficients"], tensors["intercepts"])
        values, indices, ends, shape = (tensors[f"coefficients.{name}"] for name in ("values", "indices", "ends", "shape"))
        return cls(sparse.csr_matrix((values, indices, ends), shape=tuple(shape)), tensors["intercepts"])
