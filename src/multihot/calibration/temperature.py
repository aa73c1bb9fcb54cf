"""One number that sharpens or flattens all probabilities."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import brentq
from scipy.special import expit

from ..errors import ConfigurationError
from ..interfaces import Calibration
from .entries import read_entries, read_scores, with_mapped

LOWEST, HIGHEST = 0.01, 100.0


class TemperatureCalibration(Calibration):
    """Divide all scores by one temperature, that with the lowest validation cross entropy: ``logit = score / T`` (Guo et al. 2017).

    The order of all scores, and with it every measure of rankings, stays as it is, and so does the zero: it must stand for probability
    one half already. T lies between 0.01 and 100.

    >>> calibration = TemperatureCalibration().fit([[2.0], [2.0], [2.0], [-2.0]], [[1], [1], [0], [0]])
    >>> 0.5 < calibration.temperature < 5, calibration([[0.0]]).tolist()
    (True, [[0.0]])
    """

    def __init__(self) -> None:
        self.temperature: float | None = None

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        return "zero"

    def fit(self, scores: Any, targets: Any, known: Any = None) -> TemperatureCalibration:
        """Find the temperature; without both positives and negatives to learn from it warns and takes 1."""
        entries = read_entries(scores, targets, known)
        if warn_one_sided(entries.hits):
            self.temperature = 1.0
        else:
            self.temperature = best_temperature(entries.scores.astype(np.float64), entries.hits)
        return self

    @property
    def fitted(self) -> bool:
        return self.temperature is not None

    def __call__(self, scores: Any) -> Any:
        temperature = expect_calibrated("temperature", self.temperature)
        return with_mapped(read_scores(scores), lambda values, labels: values / temperature)

    def to_dict(self) -> dict[str, Any]:
        return {"temperature": expect_calibrated("temperature", self.temperature)}

    def load_dict(self, content: dict[str, Any]) -> TemperatureCalibration:
        self.temperature = float(content["temperature"])
        return self


def best_temperature(scores: Float[np.ndarray, " E"], hits: Bool[np.ndarray, " E"]) -> float:
    """The root of the cross entropy's derivative in ``1 / T``, which rises: ``sum_i (sigmoid(s_i / T) - y_i) s_i = 0``."""

    def slope(log_temperature: float) -> float:
        return float(((expit(scores / math.exp(log_temperature)) - hits) * scores).mean())

    low, high = math.log(LOWEST), math.log(HIGHEST)
    if slope(low) <= 0:  # even the sharpest is not too sharp
        return LOWEST
    if slope(high) >= 0:  # scores that speak against the truth
        return HIGHEST
    return math.exp(brentq(slope, low, high, xtol=1e-10))


def warn_one_sided(hits: Bool[np.ndarray, " E"]) -> bool:
    """Whether validation entries are all true or all false, so that nothing can be learned; says so."""
    one_sided = not hits.any() or bool(hits.all())
    if one_sided:
        warnings.warn(
            "the validation split has no positive or no negative label to calibrate with; scores stay as they are",
            UserWarning,
            stacklevel=3,
        )
    return one_sided


def expect_calibrated(name: str, learned: Any) -> Any:
    """What a calibration learned; an error that names it where it has learned nothing yet."""
    if learned is None:
        raise ConfigurationError(f"calibration '{name}' is not fitted yet; call fit with validation scores and targets, or load_dict")
    return learned


def check_minimum(name: str, minimum: int) -> int:
    """The setting ``minimum_positives`` of a calibration, from 1 on."""
    if minimum < 1:
        raise ConfigurationError(f"calibration '{name}': minimum_positives must be at least 1, got {minimum}")
    return minimum
