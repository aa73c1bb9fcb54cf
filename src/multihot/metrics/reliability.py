"""How well probabilities hold: what was promised against what came true, bin by bin, for each label and for any group of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.special import expit

from ..errors import ConfigurationError
from ..predictions import ScoreKind
from .counts import ratio
from .inputs import Rows, as_matrix, read_chunks
from .ranks import scores_of

# from scores of a kind to probabilities; rounding may lift a probability above 1
LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log_odds": expit,
    "log_probabilities": lambda scores: np.exp(np.minimum(scores, 0)),
    "probabilities": lambda scores: np.clip(scores, 0, 1),
}


@dataclass(frozen=True)
class Reliability:
    """Counts and sums over the known entries of each label, in bins of equal width of the probability; a group of labels is their sum.

    Args:
        counts: (L, B) entries.
        promised: (L, B) sums of their probabilities.
        true: (L, B) how many of them are true.
    """

    counts: Int[np.ndarray, "L B"]
    promised: Float[np.ndarray, "L B"]
    true: Int[np.ndarray, "L B"]

    def diagram(self, labels: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The reliability diagram of some labels, all by default: entries, mean probability and share of true ones, each (B,).

        Where a bin holds no entry, the two last are 0.
        """
        counts, promised, true = (table[self._rows(labels)].sum(axis=0) for table in (self.counts, self.promised, self.true))
        return counts, ratio(promised, counts), ratio(true, counts)

    def error(self, labels: Any = None) -> float:
        """The expected calibration error of some labels pooled, ``sum_b |true_b - promised_b| / sum_b counts_b``; NaN without entries."""
        rows = self._rows(labels)
        total = int(self.counts[rows].sum())
        return float(np.abs((self.true[rows] - self.promised[rows]).sum(axis=0)).sum()) / total if total else float("nan")

    def error_per_label(self) -> Float[np.ndarray, " L"]:
        """The expected calibration error of each label on its own, (L,); NaN for one without entries."""
        return np.array([self.error([label]) for label in range(len(self.counts))])

    def _rows(self, labels: Any) -> Any:
        return slice(None) if labels is None else np.asarray(labels, dtype=np.int64)


def reliability(targets: Any, probabilities: Any, known: Any = None, bins: int = 15) -> Reliability:
    """Bin probabilities and what came true of them.

    Args:
        targets: (N, L) in [0, 1], dense, sparse or torch; true from 0.5 on; NaN where unknown.
        probabilities: (N, L) in [0, 1]; a label that a sparse matrix does not store has probability 0.
        known: (N, L); False where nobody annotated the label.
        bins: of equal width; a probability of 1 lies in the last.

    Returns:
        The figures of each label and bin.

    Raises:
        DataError: if shapes or values do not fit.

    >>> found = reliability(targets=[[1, 0], [1, 0], [0, 0]], probabilities=[[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]], bins=10)
    >>> round(found.error(), 3), found.error_per_label().round(3).tolist()
    (0.167, [0.233, 0.1])
    """
    shape = as_matrix("targets", targets).shape
    tables = [np.zeros((shape[1], bins)) for _ in range(3)]
    nothing_chosen = sparse.csr_matrix(shape, dtype=bool)
    for rows in read_chunks(targets, nothing_chosen, probabilities, known):
        for table, more in zip(tables, _count(rows, bins), strict=True):
            table += more
    counts, promised, true = tables
    return Reliability(counts.astype(np.int64), promised, true.astype(np.int64))


def to_probabilities(scores: Any, kind: ScoreKind = "log_odds") -> Any:
    """Scores as probabilities; a sparse matrix keeps what it stores.

    Args:
        scores: (N, L), dense, sparse or torch.
        kind: what they are: ``"log_odds"`` (``p = 1 / (1 + exp(-score))``), ``"log_probabilities"`` (``p = exp(score)``) or
            ``"probabilities"``.

    Returns:
        (N, L) in [0, 1], of the same kind of matrix.

    Raises:
        ConfigurationError: for scores of another kind; margins are no probabilities in disguise.

    >>> to_probabilities([[0.0, 2.0]]).round(3).tolist()
    [[0.5, 0.881]]
    >>> to_probabilities([[0.0, -2.0]], "log_probabilities").round(3).tolist()
    [[1.0, 0.135]]
    """
    if kind not in LINKS:
        raise ConfigurationError(f"scores that are {kind} are no probabilities; give one of {', '.join(LINKS)}, or calibrate them")
    matrix: Any = as_matrix("scores", scores)
    if sparse.issparse(matrix):
        return sparse.csr_matrix((LINKS[kind](matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
    return LINKS[kind](matrix)


def _count(rows: Rows, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    num_labels = rows.targets.shape[1]

    def table(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        place = labels.astype(np.int64) * bins + np.minimum((probabilities * bins).astype(np.int64), bins - 1)
        return np.bincount(place, weights, num_labels * bins).reshape(num_labels, bins)

    if sparse.issparse(rows.scores):
        probabilities, labels = rows.scores.data.astype(np.float64), rows.scores.indices
    else:
        flat = rows.scores.ravel()
        places = np.flatnonzero(~np.isnan(flat))
        probabilities, labels = flat[places].astype(np.float64), places % num_labels
    counts, promised = table(labels, probabilities), table(labels, probabilities, probabilities)
    counts[:, 0] += rows.known_per_label - counts.sum(axis=1)  # those that a sparse matrix does not store
    of_true = np.maximum(scores_of(rows.scores, rows.targets).astype(np.float64), 0)  # 0 where nothing is stored
    return counts, promised, table(rows.targets.indices, of_true)
