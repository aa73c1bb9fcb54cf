"""Label powerset: every label set that occurs in training is one class."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ..errors import DataError
from ..labels import LabelStatistics, row_keys
from .base import Classifier, Features, Progress, TrainingData, check_positive, count_steps, run_in_parallel
from .linear import LinearScorer, Solver, cost, to_column, trained
from .newton import squared_hinge


class LabelPowersetClassifier(Classifier):
    """One class for every label set that occurs in training, told apart by one-vs-rest linear support vector machines.

    The predicted label set is that of the highest margin ``m_s``, so only sets seen in training come out. A label's score is the best
    margin among the sets with it less the best among those without it: ``max_(s with l) m_s - max_(s without l) m_s``, above 0
    exactly for the labels of the predicted set.

    Args:
        C: what errors cost against small coefficients, above 0. None: ``1 / mean_i ||x_i||^2`` over the training rows, which is 1
            for TF-IDF.
        tolerance: of the solver's stopping rule, above 0.
        jobs: classes trained at once; None takes all cores. Does not change the result.

    Raises:
        ConfigurationError: for a setting outside its range.

    >>> import numpy as np
    >>> features = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    >>> LabelPowersetClassifier(C=10).fit(features, features).chosen([[0.9, 0.1]]).tolist()
    [[True, False]]
    """

    def __init__(self, C: float | None = None, tolerance: float = 1e-3, jobs: int | None = None):  # noqa: N803
        check_positive("classical 'label_powerset'", C=C, tolerance=tolerance)
        self.C = C
        self.tolerance = tolerance
        self.jobs = jobs
        self.scorer: LinearScorer | None = None  # one column a label set
        self.sets = sparse.csr_matrix((0, 0), dtype=bool)

    def fit(
        self, features: Features, targets: Any, seed: int = 0, unknown: Any = None, progress: Progress | None = None
    ) -> LabelPowersetClassifier:
        data = TrainingData.check(features, targets, unknown)
        if data.unknown is not None:  # a set of which a part is unknown is no class
            data = data.rows(np.flatnonzero(np.diff(data.unknown.tocsr().indptr) == 0))
            if not data.features.shape[0]:
                raise DataError("every training row has labels that nobody annotated, so there is no whole label set to learn")
        rows = sparse.csr_matrix(data.targets)
        self.sets = LabelStatistics.from_targets(rows).sets
        number = {key: i for i, key in enumerate(row_keys(self.sets))}
        classes = np.asarray([number[key] for key in row_keys(rows)])
        solver = Solver(squared_hinge, cost(self.C, data.features), self.tolerance)
        extended = data.with_constant().features
        columns = run_in_parallel(
            lambda wanted: to_column(solver(extended, classes == wanted)[0]),
            range(len(number)),
            self.jobs,
            count_steps(progress, len(number)),
        )
        self.scorer = LinearScorer.from_columns(columns)
        return self

    def scores(self, features: Features) -> Float[np.ndarray, "N L"]:
        margins = trained(self.scorer, self)(features)
        best = margins.argmax(axis=1)
        top, lowest = margins.max(axis=1), margins.min(axis=1)
        chosen = self.sets[best].toarray()
        scores = np.empty(chosen.shape, dtype=np.float32)
        carriers = self.sets.tocsc()
        for label in range(chosen.shape[1]):
            with_label = np.zeros(len(self.sets.indptr) - 1, dtype=bool)
            with_label[carriers.indices[carriers.indptr[label] : carriers.indptr[label + 1]]] = True
            scores[:, label] = _best(margins[:, with_label], lowest) - top
            inside = chosen[:, label]
            scores[inside, label] = top[inside] - _best(margins[np.ix_(inside, ~with_label)], lowest[inside])
        return scores

    def chosen(self, features: Features) -> Bool[np.ndarray, "N L"]:
        return self.sets[trained(self.scorer, self)(features).argmax(axis=1)].toarray()

    @property
    def rule(self) -> str:
        return "Of the label sets that occur in training, the one with the highest margin is chosen; there is no threshold."

    def to_tensors(self) -> dict[str, np.ndarray]:
        sets = {"sets.indices": self.sets.indices, "sets.ends": self.sets.indptr, "sets.shape": np.asarray(self.sets.shape)}
        return trained(self.scorer, self).to_tensors() | sets

    def load_tensors(self, tensors: dict[str, np.ndarray]) -> LabelPowersetClassifier:
        indices, ends, shape = (tensors[f"sets.{name}"] for name in ("indices", "ends", "shape"))
        self.sets = sparse.csr_matrix((np.ones(len(indices), dtype=bool), indices, ends), shape=tuple(shape))
        self.scorer = LinearScorer.from_tensors(tensors)
        return self


def _best(margins: Float[np.ndarray, "N S"], lowest: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """The highest margin of each row; where there is no set at all, one below the lowest of any set."""
    return margins.max(axis=1) if margins.shape[1] else lowest - 1
