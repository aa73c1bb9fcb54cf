"""Label sets with a stated recall: split conformal risk control of the false-negative rate."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..errors import ConfigurationError, DataError
from ..interfaces import Decision
from .entries import Entries, read_entries
from .fixed import at_least
from .tuned import expect_fitted

ROUNDING = 1e-9  # of sums of shares of missed labels
EVERYTHING = float(np.finfo(np.float64).min)  # a threshold that every score reaches


class ConformalDecision(Decision):
    """Label sets that hold a stated share of the true labels: the highest threshold that conformal risk control allows.

    With ``alpha = 1 - recall``, n validation instances that carry a label and ``R(t)`` their mean share of missed true labels when
    ``scores >= t`` are chosen,

        ``threshold = max {t : n / (n + 1) R(t) + 1 / (n + 1) <= alpha}``.

    If the validation instances and a new one that carries a label are exchangeable, and the scores were not made with the validation
    instances, the new instance's expected recall is at least ``1 - alpha``: the mean over draws of both, not of every single instance or
    label (Angelopoulos et al. 2022, theorem 1). Neither weights nor a calibration may have been chosen by these instances; a run keeps half
    of the validation split for the decision alone, and ``guaranteed`` says whether that was so.

    Args:
        recall: what is promised, above 0 and below 1.

    Raises:
        ConfigurationError: if recall is not between 0 and 1.

    >>> scores, targets = [[3.0], [2.0], [1.0], [0.0]], [[1], [1], [1], [1]]
    >>> ConformalDecision(recall=0.6).fit(scores, targets).to_dict()
    {'threshold': 1.0, 'alpha': 0.4, 'n': 4, 'guaranteed': True}
    """

    needs_fit = True
    promises = True

    def __init__(self, recall: float = 0.9):
        if not 0 < recall < 1:
            raise ConfigurationError(f"decision 'conformal': recall must lie between 0 and 1, got {recall}")
        self.recall = recall
        self.threshold: float | None = None
        self.num_instances = 0
        self.guaranteed = False

    @property
    def alpha(self) -> float:
        """The share of true labels that may be missed on average."""
        return round(1 - self.recall, 12)

    def fit(self, scores: Any, targets: Any, known: Any = None) -> ConformalDecision:
        """Find the threshold.

        Where scores leave out so many true labels (sparse ones keep the best of each instance only) that no threshold keeps the promise,
        it warns, chooses every label that has a score, and notes that nothing is guaranteed.

        Raises:
            DataError: if there are too few validation instances with labels to promise anything.
        """
        entries = read_entries(scores, targets, known)
        least, labelled = math.ceil(1 / self.alpha - 1 - ROUNDING), int(np.count_nonzero(entries.positives_per_row))
        if labelled < least:
            raise DataError(
                f"decision 'conformal': recall {self.recall} needs at least {least} validation instances with labels that nothing else was "
                f"chosen by, got {labelled}; set more aside (data.validation) or promise less"
            )
        found = self._threshold(entries)
        if found is None:
            warnings.warn(
                f"the scores leave out so many true labels that no threshold reaches recall {self.recall}; "
                "every label with a score is chosen, and nothing is guaranteed",
                UserWarning,
                stacklevel=2,
            )
        self.threshold, self.guaranteed, self.num_instances = EVERYTHING if found is None else found, found is not None, labelled
        return self

    def withdraw(self) -> None:
        self.guaranteed = False

    def _threshold(self, entries: Entries) -> float | None:
        share = 1 / np.maximum(entries.positives_per_row, 1)  # of an instance's recall, that each of its true labels is
        weights, true_scores = share[entries.rows[entries.hits]], entries.scores[entries.hits]
        labelled = np.count_nonzero(entries.positives_per_row)
        may_miss = self.alpha * (labelled + 1) - 1 + ROUNDING
        may_miss -= labelled - weights.sum()  # what no threshold can reach
        if may_miss < 0:
            return None
        rising = np.argsort(true_scores)
        missed = np.concatenate([[0.0], np.cumsum(weights[rising])])
        first = true_scores[rising].searchsorted(true_scores[rising], side="left")  # equal scores are chosen together
        return float(true_scores[rising][missed[first] <= may_miss][-1])

    @property
    def fitted(self) -> bool:
        return self.threshold is not None

    @property
    def rule(self) -> str:
        promised = "which conformal risk control promises" if self.guaranteed else "which is not promised here"
        return f"One threshold for all labels, the highest that gives a mean recall of {self.recall:.0%}, {promised}."

    def cuts(self, scores: Any) -> Any:
        return expect_fitted("conformal", self.threshold)

    def __call__(self, scores: Any) -> Any:
        return at_least(scores, self.cuts(scores))

    def to_dict(self) -> dict[str, Any]:
        threshold = expect_fitted("conformal", self.threshold)
        return {"threshold": threshold, "alpha": self.alpha, "n": self.num_instances, "guaranteed": self.guaranteed}

    def load_dict(self, content: dict[str, Any]) -> ConformalDecision:
        self.threshold, self.num_instances = float(content["threshold"]), int(content["n"])
        self.guaranteed = bool(content["guaranteed"])
        return self
