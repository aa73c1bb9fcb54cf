"""A rising step function for each label."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import logit

from ..interfaces import Calibration
from .entries import read_entries, read_scores, with_mapped
from .temperature import check_minimum, expect_calibrated, warn_one_sided

Curve = tuple[np.ndarray, np.ndarray]  # scores in rising order, and the probability at each


class IsotonicCalibration(Calibration):
    """The rising function of the score that is nearest to the truth, for each label: isotonic regression (Zadrozny and Elkan 2002).

    Between two scores the probability is interpolated, beyond the outermost it stays; with E entries it is kept in
    ``[1 / (E + 2), 1 - 1 / (E + 2)]``, so that its logit is finite. Scores that it brings to one step are equal afterwards, so that
    measures of rankings may change. A label with too few positives or negatives takes the function of all labels together.

    Args:
        minimum_positives: validation positives, and negatives, from which on a label is calibrated on its own, at least 1.

    Raises:
        ConfigurationError: if ``minimum_positives`` is below 1.

    >>> calibration = IsotonicCalibration(minimum_positives=1).fit([[0.0], [1.0], [2.0], [3.0]], [[0], [1], [0], [1]])
    >>> calibration([[1.0], [2.0]]).tolist()
    [[0.0], [0.0]]
    """

    def __init__(self, minimum_positives: int = 10):
        self.minimum_positives = check_minimum("isotonic", minimum_positives)
        self.curves: list[Curve] | None = None
        self.curve_of_label: np.ndarray | None = None  # (L,) where each label's stands among them

    def fit(self, scores: Any, targets: Any, known: Any = None) -> IsotonicCalibration:
        """Find the functions; without both positives and negatives to learn from it warns and leaves scores as they are."""
        entries = read_entries(scores, targets, known)
        own = entries.enough(self.minimum_positives)
        curves = [fit_isotonic(*part) for alone, part in zip(own, entries.by_label(), strict=True) if alone]
        self.curve_of_label = np.where(own, np.cumsum(own) - 1, len(curves))
        if not own.all() and not warn_one_sided(entries.hits):
            curves.append(fit_isotonic(entries.scores, entries.hits))
        self.curves = curves
        return self

    @property
    def fitted(self) -> bool:
        return self.curves is not None

    def __call__(self, scores: Any) -> Any:
        curves, curve_of_label = expect_calibrated("isotonic", self.curves), expect_calibrated("isotonic", self.curve_of_label)

        def read_off(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
            which = curve_of_label[labels]
            order = np.argsort(which, kind="stable")
            ends = np.searchsorted(which[order], np.arange(len(curves) + 1))
            found = values.copy()
            for number, curve in enumerate(curves):
                places = order[ends[number] : ends[number + 1]]
                found[places] = logit(np.interp(values[places], *curve))
            return found

        return with_mapped(read_scores(scores), read_off)

    def to_dict(self) -> dict[str, Any]:
        curves = [[part.tolist() for part in curve] for curve in expect_calibrated("isotonic", self.curves)]
        return {"curves": curves, "curve_of_label": expect_calibrated("isotonic", self.curve_of_label).tolist()}

    def load_dict(self, content: dict[str, Any]) -> IsotonicCalibration:
        self.curves = [(np.asarray(scores), np.asarray(probabilities)) for scores, probabilities in content["curves"]]
        self.curve_of_label = np.asarray(content["curve_of_label"], dtype=np.int64)
        return self


def fit_isotonic(scores: Float[np.ndarray, " E"], hits: Bool[np.ndarray, " E"]) -> Curve:
    """The corners of the rising function, its probabilities kept away from 0 and 1."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(scores.astype(np.float64), hits.astype(np.float64))
    least = 1 / (len(hits) + 2)
    return fitted.X_thresholds_, np.clip(fitted.y_thresholds_, least, 1 - least)
