"""One linear classifier a label, each trained without looking at the other labels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import ConfigurationError, nearest
from .base import Classifier, Features, Progress, TrainingData, check_positive, count_steps, run_in_parallel
from .cost_sensitive import best_for_macro_f1, best_for_micro_f1, count_out_of_fold, fit_weights, make_folds
from .linear import Column, LinearScorer, Solver, to_column, trained

CHOICES = {"micro_f1": best_for_micro_f1, "macro_f1": best_for_macro_f1}


class OneVsRest(Classifier):
    """What the linear SVM and logistic regression share; see there for the arguments."""

    def __init__(
        self,
        C: float | None = None,  # noqa: N803
        cost_sensitive: str | None = None,
        weights: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 16.0),
        folds: int = 3,
        tolerance: float = 1e-3,
        jobs: int | None = None,
    ):
        where = f"classical '{type(self).__name__}'"
        check_positive(where, C=C, tolerance=tolerance, **{f"weights[{i}]": weight for i, weight in enumerate(weights)})
        if cost_sensitive is not None and cost_sensitive not in CHOICES:
            raise ConfigurationError(f"{where}: cost_sensitive cannot be {cost_sensitive!r}; {nearest(str(cost_sensitive), CHOICES)}")
        if cost_sensitive is not None and (folds < 2 or not weights):
            raise ConfigurationError(f"{where}: cost_sensitive needs at least 2 folds and 1 weight, got folds={folds}, weights={weights}")
        self.C = C
        self.cost_sensitive = cost_sensitive
        self.weights = sorted(float(weight) for weight in weights)
        self.folds = folds
        self.tolerance = tolerance
        self.jobs = jobs
        self.scorer: LinearScorer | None = None
        self.label_weights: Float[np.ndarray, " L"] | None = None

    @property
    def rule(self) -> str:
        if self.cost_sensitive is None:
            return super().rule
        weights = f"the weight of its positive rows was chosen by cross-validation for {self.cost_sensitive.replace('_f1', '-F1')}"
        return f"Every label whose score is above 0 is chosen; {weights}."

    @abstractmethod
    def solver(self, features: Features) -> Solver:
        """What trains one label on features like these."""

    def fit(self, features: Features, targets: Any, seed: int = 0, unknown: Any = None, progress: Progress | None = None) -> OneVsRest:
        data = TrainingData.check(features, targets, unknown)
        solver, data = self.solver(data.features), data.with_constant()
        rounds = 1 + self.folds if self.cost_sensitive else 1
        done = count_steps(progress, rounds * data.num_labels)
        self.label_weights = self._choose_weights(solver, data, seed, done)
        weights = self.label_weights.tolist()

        def fit_label(label: int) -> Column:
            return to_column(fit_weights(solver, data, label, [weights[label]])[0])

        self.scorer = LinearScorer.from_columns(run_in_parallel(fit_label, range(data.num_labels), self.jobs, done))
        return self

    def scores(self, features: Features) -> Float[np.ndarray, "N L"]:
        return trained(self.scorer, self)(features)

    def to_tensors(self) -> dict[str, np.ndarray]:
        return trained(self.scorer, self).to_tensors()

    def load_tensors(self, tensors: dict[str, np.ndarray]) -> OneVsRest:
        self.scorer = LinearScorer.from_tensors(tensors)
        return self

    def _choose_weights(self, solver: Solver, data: TrainingData, seed: int, done: Callable[[], None]) -> Float[np.ndarray, " L"]:
        if self.cost_sensitive is None:
            return np.ones(data.num_labels)
        folds = make_folds(data.targets, self.folds, seed)
        if len(folds) < 2:
            return np.ones(data.num_labels)
        counts = count_out_of_fold(solver, data, self.weights, folds, self.jobs, done)
        return np.asarray(self.weights)[CHOICES[self.cost_sensitive](counts)]
