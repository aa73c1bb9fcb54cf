"""Classifier chains: every label also sees the labels before it."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ..errors import ConfigurationError, nearest
from .base import Classifier, Features, Progress, TrainingData, check_positive, count_steps, run_in_parallel
from .cost_sensitive import fit_weights
from .linear import Column, LinearScorer, Solver, cost, to_column, trained
from .newton import squared_hinge

ORDERS = ("frequency", "given", "random")


class ClassifierChainClassifier(Classifier):
    """A chain of linear support vector machines, each of which also sees the labels before it (Read et al., ECML PKDD 2009).

    The k-th label of the chain is trained on ``[x, y_1 ... y_(k-1)]`` with the true labels. Prediction goes along the chain and
    puts the predicted labels in their place: ``s_k = w_k x + sum_(j<k) v_kj [s_j > 0] + b_k``.

    Args:
        C: what errors cost against small coefficients, above 0. None: ``1 / mean_i ||x_i||^2`` over the training rows, which is 1
            for TF-IDF.
        order: ``"frequency"`` (most frequent label first), ``"given"`` (column order) or ``"random"`` (drawn with the seed).
        tolerance: of the solver's stopping rule, above 0.
        jobs: labels trained at once; None takes all cores. Does not change the result.

    Raises:
        ConfigurationError: for a setting outside its range.

    >>> import numpy as np
    >>> features = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    >>> ClassifierChainClassifier(C=10).fit(features, features).chosen([[0.9, 0.1]]).tolist()
    [[True, False]]
    """

    def __init__(self, C: float | None = None, order: str = "frequency", tolerance: float = 1e-3, jobs: int | None = None):  # noqa: N803
        check_positive("classical 'classifier_chain'", C=C, tolerance=tolerance)
        if order not in ORDERS:
            raise ConfigurationError(f"classical 'classifier_chain': order cannot be {order!r}; {nearest(str(order), ORDERS)}")
        self.C = C
        self.order = order
        self.tolerance = tolerance
        self.jobs = jobs
        self.scorer: LinearScorer | None = None  # labels in chain order
        self.links: Float[np.ndarray, "L L"] = np.zeros((0, 0), dtype=np.float32)  # [k, j]: what label j adds to label k, j < k
        self.chain: Int[np.ndarray, " L"] = np.zeros(0, dtype=np.int64)  # columns in chain order

    def fit(
        self, features: Features, targets: Any, seed: int = 0, unknown: Any = None, progress: Progress | None = None
    ) -> ClassifierChainClassifier:
        data = TrainingData.check(features, targets, unknown)
        self.chain = self._draw_order(data, seed)
        solver, width = Solver(squared_hinge, cost(self.C, data.features), self.tolerance), data.features.shape[1]
        data, before = data.with_constant(), data.targets[:, self.chain]
        dense = isinstance(data.features, np.ndarray)
        extended = np.hstack([data.features, before.toarray()]) if dense else sparse.hstack([data.features, before], format="csr")

        def fit_label(place: int) -> Column:
            seen = TrainingData(extended[:, : 1 + width + place], data.targets, data.unknown)
            return to_column(fit_weights(solver, seen, int(self.chain[place]), [1.0])[0])

        columns = run_in_parallel(fit_label, range(data.num_labels), self.jobs, count_steps(progress, data.num_labels))
        self.links = np.zeros((data.num_labels, data.num_labels), dtype=np.float32)
        for place, (row, _) in enumerate(columns):
            link = row[:, width:]
            self.links[place, :place] = (link if isinstance(link, np.ndarray) else link.toarray()).ravel()
        self.scorer = LinearScorer.from_columns([(row[:, :width], intercept) for row, intercept in columns])
        return self

    def scores(self, features: Features) -> Float[np.ndarray, "N L"]:
        scores = trained(self.scorer, self)(features)
        chosen: Bool[np.ndarray, "N L"] = np.zeros(scores.shape, dtype=np.float32)
        for place in range(scores.shape[1]):
            scores[:, place] += chosen[:, :place] @ self.links[place, :place]
            chosen[:, place] = scores[:, place] > 0
        in_columns = np.empty_like(scores)
        in_columns[:, self.chain] = scores
        return in_columns

    @property
    def rule(self) -> str:
        return "Labels are decided one after another, each knowing those before it, and chosen where their score is above 0."

    def to_tensors(self) -> dict[str, np.ndarray]:
        return trained(self.scorer, self).to_tensors() | {"links": self.links, "chain.indices": self.chain}

    def load_tensors(self, tensors: dict[str, np.ndarray]) -> ClassifierChainClassifier:
        self.links, self.chain = tensors["links"], tensors["chain.indices"]
        self.scorer = LinearScorer.from_tensors(tensors)
        return self

    def _draw_order(self, data: TrainingData, seed: int) -> Int[np.ndarray, " L"]:
        if self.order == "random":
            return np.random.default_rng(seed).permutation(data.num_labels)
        if self.order == "given":
            return np.arange(data.num_labels)
        return np.argsort(-np.diff(data.targets.indptr), kind="stable")
