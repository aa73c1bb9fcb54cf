"""One-vs-rest logistic regression."""

from __future__ import annotations

from ..predictions import ScoreKind
from .base import Features
from .linear import Solver, cost
from .newton import log_loss
from .one_vs_rest import OneVsRest

COST = 16.0  # chosen by cross-validation on training texts and tables (docs/classical.md): the logistic loss falls off more slowly


class LogisticClassifier(OneVsRest):
    """One logistic regression a label.

    Each label minimises ``||w||^2 / 2 + C sum_i c_i log(1 + exp(-y_i w x_i))``; its score is the log-odds ``w x``, so that with plain
    training ``1 / (1 + exp(-score))`` is the label's probability. Arguments are those of ``LinearSVMClassifier``, but
    None for C means ``16 / mean_i ||x_i||^2``.

    >>> import numpy as np
    >>> features = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    >>> LogisticClassifier(C=100).fit(features, features).chosen([[0.9, 0.1]]).tolist()
    [[True, False]]
    """

    def solver(self, features: Features) -> Solver:
        return Solver(log_loss, cost(self.C, features, COST), self.tolerance)

    @property
    def score_kind(self) -> ScoreKind:
        """Weights on positive rows move the odds."""
        return "log_odds" if self.cost_sensitive is None else "margins"
