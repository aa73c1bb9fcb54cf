"""A slope and an intercept for each label."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from scipy.special import expit

from ..interfaces import Calibration
from .entries import read_entries, read_scores, with_mapped
from .temperature import check_minimum, expect_calibrated, warn_one_sided


class PlattCalibration(Calibration):
    """A slope and an intercept for each label: ``logit_l = a_l score_l + b_l``, ``a_l >= 0`` (Platt 1999).

    Both have the lowest cross entropy against Platt's softened targets ``(P + 1) / (P + 2)`` and ``1 / (N + 2)`` of P positives and
    N negatives, which keep probabilities away from 0 and 1. A label with too few of either takes slope and intercept of all labels
    together: its own would be chance.

    Args:
        minimum_positives: validation positives, and negatives, from which on a label is calibrated on its own, at least 1.

    Raises:
        ConfigurationError: if ``minimum_positives`` is below 1.

    >>> calibration = PlattCalibration(minimum_positives=1).fit([[2.0], [1.0], [0.0], [-1.0]], [[1], [0], [1], [0]])
    >>> bool(calibration([[2.0]])[0, 0] > calibration([[-1.0]])[0, 0])
    True
    """

    def __init__(self, minimum_positives: int = 10):
        self.minimum_positives = check_minimum("platt", minimum_positives)
        self.slopes: np.ndarray | None = None
        self.intercepts: np.ndarray | None = None

    def fit(self, scores: Any, targets: Any, known: Any = None) -> PlattCalibration:
        """Find slopes and intercepts; without both positives and negatives to learn from it warns and leaves scores as they are."""
        entries = read_entries(scores, targets, known)
        own = entries.enough(self.minimum_positives)
        shared = (1.0, 0.0)
        if not own.all() and not warn_one_sided(entries.hits):
            shared = fit_sigmoid(entries.scores, entries.hits)
        lines = [fit_sigmoid(*part) if alone else shared for alone, part in zip(own, entries.by_label(), strict=True)]
        self.slopes, self.intercepts = np.array(lines).T
        return self

    @property
    def fitted(self) -> bool:
        return self.slopes is not None

    def __call__(self, scores: Any) -> Any:
        slopes, intercepts = expect_calibrated("platt", self.slopes), expect_calibrated("platt", self.intercepts)
        return with_mapped(read_scores(scores), lambda values, labels: slopes[labels] * values + intercepts[labels])

    def to_dict(self) -> dict[str, Any]:
        return {
            "slopes": expect_calibrated("platt", self.slopes).tolist(),
            "intercepts": expect_calibrated("platt", self.intercepts).tolist(),
        }

    def load_dict(self, content: dict[str, Any]) -> PlattCalibration:
        self.slopes, self.intercepts = (np.asarray(content[name], dtype=np.float64) for name in ("slopes", "intercepts"))
        return self


def fit_sigmoid(scores: Float[np.ndarray, " E"], hits: Bool[np.ndarray, " E"]) -> tuple[float, float]:
    """Slope and intercept with the lowest cross entropy against Platt's softened targets; the slope is at least 0.

    Args:
        scores: (E,).
        hits: (E,), with at least one positive and one negative.
    """
    positives, negatives = int(hits.sum()), int((~hits).sum())
    softened = np.where(hits, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    size = float(np.abs(scores).max()) or 1.0  # numbers near 1 suit the optimiser
    scaled = scores.astype(np.float64) / size

    def cross_entropy(line: Float[np.ndarray, " 2"]) -> tuple[float, Float[np.ndarray, " 2"]]:
        logits = line[0] * scaled + line[1]
        gap = expit(logits) - softened
        return float((np.logaddexp(0, logits) - softened * logits).mean()), np.array([(gap * scaled).mean(), gap.mean()])

    start = np.array([1.0, math.log((positives + 1) / (negatives + 1))])
    found = minimize(
        cross_entropy, start, jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)], options={"ftol": 1e-14, "gtol": 1e-9}
    )
    return float(found.x[0]) / size, float(found.x[1])
