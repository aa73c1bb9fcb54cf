"""Linear scores, one column a label, and the liblinear solvers that find them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ..errors import ConfigurationError
from .base import Features, check_features

Solver = Callable[[float], Any]  # weight of the positive rows -> an untrained scikit-learn estimator
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


def squared_hinge(C: float, tolerance: float) -> Solver:  # noqa: N803 (the name that the field gives it)
    """min ||w||^2 / 2 + C sum_i c_i max(0, 1 - y_i w x_i)^2, c_i the weight of positives, or 1 for negatives.

    The primal trust-region solver draws nothing at random: liblinear's dual one shares its random numbers among threads, so its
    results would differ from run to run.
    """
    from sklearn.svm import LinearSVC

    return lambda weight: LinearSVC(C=C, dual=False, tol=tolerance, class_weight={0: 1.0, 1: weight})


def logistic(C: float, tolerance: float) -> Solver:  # noqa: N803
    """min ||w||^2 / 2 + C sum_i c_i log(1 + exp(-y_i w x_i)), c_i the weight of positives, or 1 for negatives."""
    from sklearn.linear_model import LogisticRegression

    return lambda weight: LogisticRegression(C=C, solver="liblinear", tol=tolerance, class_weight={0: 1.0, 1: weight})


def fit_column(solver: Solver, features: Features, target: Bool[np.ndarray, " N"], weight: float = 1.0) -> Column:
    """Coefficients (F,) and intercept of one label.

    A label that all or none of the rows carry gets a constant score, its smoothed log-odds ``log((p + 1/2) / (n + 1/2))``.
    """
    from sklearn import config_context

    positives = int(target.sum())
    if positives in (0, len(target)):
        constant = np.log((positives + 0.5) / (len(target) - positives + 0.5))
        return sparse.csr_matrix((1, features.shape[1]), dtype=np.float32), float(constant)
    with config_context(assume_finite=True, skip_parameter_validation=True):  # checked once, not for every label
        estimator = solver(weight).fit(features, target.astype(np.int8))
    row = np.asarray(estimator.coef_, dtype=np.float32)
    return sparse.csr_matrix(row) if np.count_nonzero(row) < SPARSE_BELOW * row.size else row, float(estimator.intercept_[0])


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
