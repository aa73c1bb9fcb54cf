"""One-vs-rest linear support vector machines."""

from __future__ import annotations

from .base import Features
from .linear import Solver, cost
from .newton import squared_hinge
from .one_vs_rest import OneVsRest


class LinearSVMClassifier(OneVsRest):
    """One linear support vector machine a label (squared hinge loss).

    Each label minimises ``||w||^2 / 2 + C sum_i c_i max(0, 1 - y_i w x_i)^2`` (Fan et al., LIBLINEAR, JMLR 9, 2008), by Newton's method
    (Keerthi and DeCoste, JMLR 6, 2005); its score is the margin ``w x``. The intercept is the coefficient of a feature that is always 1.
    ``c_i`` is 1, or for positive rows the weight that cross-validation chose.

    Args:
        C: what errors cost against small coefficients, above 0. None: ``1 / mean_i ||x_i||^2`` over the training rows, which is 1
            for TF-IDF.
        cost_sensitive: ``None`` trains plainly; ``"micro_f1"`` and ``"macro_f1"`` choose the weight of each label's positive rows by
            cross-validation on the training rows.
        weights: those tried, above 0.
        folds: of the cross-validation, at least 2; stratified over labels.
        tolerance: of the solver's stopping rule, above 0.
        jobs: labels trained at once; None takes all cores. Does not change the result.

    Raises:
        ConfigurationError: for a setting outside its range.

    >>> import numpy as np
    >>> features = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    >>> LinearSVMClassifier(C=10).fit(features, features).chosen([[0.9, 0.1]]).tolist()
    [[True, False]]
    """

    aliases = ("svm",)

    def solver(self, features: Features) -> Solver:
        return Solver(squared_hinge, cost(self.C, features), self.tolerance)
