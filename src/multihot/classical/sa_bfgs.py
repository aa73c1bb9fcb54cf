"""SA-BFGS: a maximum entropy model of label distributions, found by a quasi-Newton method."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import optimize, special

from ..errors import ConfigurationError
from .base import Features, check_features, check_positive
from .label_distributions import DistributionClassifier

logger = logging.getLogger(__name__)


class SaBfgsClassifier(DistributionClassifier):
    """Maximum entropy model of label distributions: softmax of linear scores, trained on their divergence by L-BFGS in 64 bits.

    Minimises ``1/N sum_i sum_k y_ik log(y_ik / p_ik) + l2/2 ||W||^2`` with ``p_i = softmax(W x_i + b)``. Geng 2016, "Label Distribution
    Learning". That paper's model has neither intercept nor penalty: ``intercept=False``, ``l2=0``.

    Args:
        l2: weight of the penalty on W, at least 0.
        intercept: learn b; without it scores are linear through the origin.
        tolerance: training stops where no component of the gradient is larger, above 0.
        max_iterations: training stops at the latest after so many, at least 1.

    Raises:
        ConfigurationError: for a setting outside its range.

    >>> features = np.array([[0.0], [1.0]])
    >>> learner = SaBfgsClassifier().fit(features, [[0.5, 0.5], [0.2, 0.8]])
    >>> learner.degrees(features).round(3).tolist()
    [[0.5, 0.5], [0.2, 0.8]]
    """

    def __init__(self, l2: float = 0.0, intercept: bool = True, tolerance: float = 1e-6, max_iterations: int = 1000):
        check_positive("classical 'sa_bfgs'", tolerance=tolerance, max_iterations=max_iterations)
        if isinstance(l2, bool) or not isinstance(l2, (int, float)) or not 0 <= l2 < float("inf"):
            raise ConfigurationError(f"classical 'sa_bfgs': l2 must be a number of at least 0, got {l2!r}")
        self.l2 = l2
        self.intercept = intercept
        self.tolerance = tolerance
        self.max_iterations = int(max_iterations)
        self.weights: Float[np.ndarray, "L F"] | None = None
        self.intercepts: Float[np.ndarray, " L"] | None = None

    def learn(self, features: Features, degrees: Float[np.ndarray, "N L"]) -> None:
        shape = (degrees.shape[1], features.shape[1] + 1)
        found = optimize.minimize(
            self._divergence,
            np.zeros(shape).ravel(),
            args=(features, degrees),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iterations, "maxfun": 2 * self.max_iterations, "gtol": self.tolerance, "ftol": 0.0, "maxcor": 20},
        )
        steepest = float(np.abs(found.jac).max())
        if steepest > 10 * self.tolerance:
            logger.warning(
                "sa_bfgs stopped after %d iterations with a gradient of %.2g; raise max_iterations, or set l2 above 0", found.nit, steepest
            )
        weights = found.x.reshape(shape)
        self.weights, self.intercepts = np.ascontiguousarray(weights[:, :-1]), weights[:, -1].copy()

    def _divergence(self, flat: np.ndarray, features: Features, degrees: Float[np.ndarray, "N L"]) -> tuple[float, np.ndarray]:
        """The objective and its gradient, ``(P - Y)' X / N``."""
        weights = flat.reshape(degrees.shape[1], -1)
        logarithms = special.log_softmax(features @ weights[:, :-1].T + weights[:, -1], axis=1)
        value = (special.xlogy(degrees, degrees) - degrees * logarithms).sum() / len(degrees)
        errors = (np.exp(logarithms) - degrees) / len(degrees)
        gradient = np.empty_like(weights)
        gradient[:, :-1] = (features.T @ errors).T + self.l2 * weights[:, :-1]
        gradient[:, -1] = errors.sum(axis=0) if self.intercept else 0.0
        return float(value + self.l2 / 2 * np.square(weights[:, :-1]).sum()), gradient.ravel()

    def degrees(self, features: Features) -> Float[np.ndarray, "N L"]:
        weights, intercepts = self._trained()
        return special.softmax(check_features(features, weights.shape[1]) @ weights.T + intercepts, axis=1)

    def to_tensors(self) -> dict[str, np.ndarray]:
        weights, intercepts = self._trained()
        return {"weights": weights, "intercepts": intercepts}

    def load_tensors(self, tensors: dict[str, Any]) -> SaBfgsClassifier:
        self.weights, self.intercepts = tensors["weights"], tensors["intercepts"]
        return self

    def _trained(self) -> tuple[np.ndarray, np.ndarray]:
        if self.weights is None or self.intercepts is None:
            raise ConfigurationError("SaBfgsClassifier is not trained yet; call fit first")
        return self.weights, self.intercepts
