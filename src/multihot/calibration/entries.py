"""What decisions read: scores, dense or sparse, and on validation data the entries among which a threshold may cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ..errors import DataError
from ..labels import binarise


def read_scores(scores: Any) -> Any:
    """(N, L) scores as a floating-point array or a CSR matrix, torch tensors included; NaN and +inf are refused."""
    if hasattr(scores, "detach"):
        scores = scores.detach().cpu()
        scores = (scores.float() if "bfloat16" in str(scores.dtype) else scores).numpy()
    matrix: Any = sparse.csr_matrix(scores) if sparse.issparse(scores) else np.asarray(scores)
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        raise DataError(f"scores must be an (N, L) matrix of numbers, got shape {matrix.shape} of {matrix.dtype}")
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float32 if matrix.dtype == np.float16 else np.float64)
    if sparse.issparse(matrix) and not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    _check_numbers(matrix)
    return matrix


def with_mapped(matrix: Any, mapping: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Any:
    """The scores that ``mapping(values, labels)`` gives in place of a matrix's own, of the same kind and type; -inf stays.

    Args:
        matrix: what ``read_scores`` gave.
        mapping: gets values (E,) in double precision and the label of each, and returns (E,) new ones.
    """
    is_sparse = sparse.issparse(matrix)
    values = matrix.data if is_sparse else matrix.ravel()
    labels = matrix.indices if is_sparse else np.tile(np.arange(matrix.shape[1]), len(matrix))
    mapped = values.copy()
    usable = values > -np.inf
    mapped[usable] = mapping(values[usable].astype(np.float64), labels[usable])
    if is_sparse:
        return sparse.csr_matrix((mapped, matrix.indices, matrix.indptr), shape=matrix.shape)
    return mapped.reshape(matrix.shape)


def with_cuts_taken(matrix: Any, cuts: Any, chosen: Any) -> Any:
    """Scores less what a score must reach to be chosen, of the same kind; -inf stays.

    Args:
        matrix: what ``read_scores`` gave.
        cuts: a number, (L,) or (N, 1); None takes for each row the middle between the lowest score chosen and the highest not chosen.
        chosen: (N, L), the label sets that go with the scores.
    """
    if cuts is None:
        cuts = _middles(matrix, chosen)
    table = np.broadcast_to(np.asarray(cuts, dtype=np.float64), matrix.shape)
    if not sparse.issparse(matrix):
        return matrix.astype(np.float64) - table
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return sparse.csr_matrix((matrix.data - table[rows, matrix.indices], matrix.indices, matrix.indptr), shape=matrix.shape)


def _middles(matrix: Any, chosen: Any) -> Float[np.ndarray, "N 1"]:
    low, high = np.full(matrix.shape[0], np.inf), np.full(matrix.shape[0], -np.inf)
    if sparse.issparse(matrix):
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        inside = np.asarray(sparse.csr_matrix(chosen)[rows, matrix.indices]).ravel().astype(bool)
        np.minimum.at(low, rows[inside], matrix.data[inside])
        np.maximum.at(high, rows[~inside], matrix.data[~inside])
    else:
        low = np.where(chosen, matrix, np.inf).min(axis=1, initial=np.inf)
        high = np.where(chosen, -np.inf, matrix).max(axis=1, initial=-np.inf)
    low, high = np.where(np.isinf(low), high + 1, low), np.where(np.isinf(high), low - 1, high)
    return np.where(np.isfinite(low + high), (low + high) / 2, 0.0)[:, None]


def _check_numbers(matrix: Any) -> None:
    values = matrix.data if sparse.issparse(matrix) else matrix.ravel()
    if not values.size or values.max() < np.inf:  # NaN is not below infinity either
        return
    place = int(np.argmin(values < np.inf))
    if sparse.issparse(matrix):
        row, label = np.searchsorted(matrix.indptr, place, side="right") - 1, matrix.indices[place]
    else:
        row, label = divmod(place, matrix.shape[1])
    raise DataError(f"scores, row {row}, label {label}: {values[place]}; a score must be a number (-inf: never chosen)")


@dataclass(frozen=True)
class Entries:
    """The E annotated entries of a validation split that a threshold can choose, flat.

    Args:
        scores: (E,), none of them -inf.
        hits: (E,), whether the label is true.
        places: (E,), ``row * L + label``; None where all entries are there, in order.
        targets: (N, L) boolean, the true labels, also those that no threshold can reach.
        num_rows: instances with at least one annotated entry.
    """

    scores: Float[np.ndarray, " E"]
    hits: Bool[np.ndarray, " E"]
    places: Int[np.ndarray, " E"] | None
    targets: sparse.csr_matrix
    num_rows: int

    @property
    def rows(self) -> Int[np.ndarray, " E"]:
        return self._all_places() // self.targets.shape[1]

    @property
    def labels(self) -> Int[np.ndarray, " E"]:
        return self._all_places() % self.targets.shape[1]

    @property
    def positives_per_row(self) -> Int[np.ndarray, " N"]:
        return np.diff(self.targets.indptr)

    @property
    def positives_per_label(self) -> Int[np.ndarray, " L"]:
        return np.bincount(self.targets.indices, minlength=self.targets.shape[1])

    def by_label(self) -> Iterator[tuple[Float[np.ndarray, " e"], Bool[np.ndarray, " e"]]]:
        """The scores and hits of each label, in column order."""
        num_labels = self.targets.shape[1]
        if self.places is None:
            yield from zip(self.scores.reshape(-1, num_labels).T, self.hits.reshape(-1, num_labels).T, strict=True)
            return
        labels = self.labels
        order = np.argsort(labels, kind="stable")
        ends = np.cumsum(np.bincount(labels, minlength=num_labels))[:-1]
        yield from zip(np.split(self.scores[order], ends), np.split(self.hits[order], ends), strict=True)

    def enough(self, minimum: int) -> Bool[np.ndarray, " L"]:
        """The labels with at least so many positives, and as many negatives, among the entries."""
        counts = np.array([(hits.sum(), len(hits) - hits.sum()) for _, hits in self.by_label()])
        return counts.min(axis=1) >= minimum

    def _all_places(self) -> Int[np.ndarray, " E"]:
        return np.arange(len(self.scores)) if self.places is None else self.places


def read_entries(scores: Any, targets: Any, known: Any = None) -> Entries:
    """Validation scores and targets as entries; an entry that is not known, or whose target is NaN, is left out.

    Raises:
        DataError: if shapes do not match, a score is NaN, or there are no rows.
    """
    matrix = read_scores(scores)
    if hasattr(targets, "detach"):
        targets = targets.detach().cpu().float().numpy()
    true: Any = sparse.csr_matrix(targets) if sparse.issparse(targets) else np.asarray(targets)
    if true.shape != matrix.shape or 0 in true.shape:
        raise DataError(
            f"validation scores have shape {matrix.shape}, but targets {true.shape}; both must be (N, L), with N and L at least 1"
        )
    annotated = _annotated(true, known)
    binary = binarise(true)
    if annotated is not None:
        binary = binarise(binary.multiply(annotated))
    return (_sparse_entries if sparse.issparse(matrix) else _dense_entries)(matrix, binary, annotated)


def _dense_entries(scores: Any, targets: sparse.csr_matrix, annotated: Bool[np.ndarray, "N L"] | None) -> Entries:
    hits, flat = targets.toarray().ravel(), scores.ravel()
    usable = flat > -np.inf
    if annotated is not None:
        usable &= annotated.ravel()
    if usable.all():
        return Entries(flat, hits, None, targets, _count_rows(scores, annotated))
    return Entries(flat[usable], hits[usable], np.flatnonzero(usable), targets, _count_rows(scores, annotated))


def _sparse_entries(scores: Any, targets: sparse.csr_matrix, annotated: Bool[np.ndarray, "N L"] | None) -> Entries:
    rows = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
    usable = scores.data > -np.inf
    if annotated is not None:
        usable &= annotated[rows, scores.indices]
    hits = np.asarray(targets[rows, scores.indices]).ravel().astype(bool)
    places = rows * scores.shape[1] + scores.indices
    return Entries(scores.data[usable], hits[usable], places[usable], targets, _count_rows(scores, annotated))


def _count_rows(scores: Any, annotated: Bool[np.ndarray, "N L"] | None) -> int:
    return scores.shape[0] if annotated is None else int(annotated.any(axis=1).sum())


def _annotated(targets: Any, known: Any) -> Bool[np.ndarray, "N L"] | None:
    """Where a target is known, or None where all are."""
    if hasattr(known, "detach"):
        known = known.detach().cpu().numpy()
    annotated = None
    if known is not None:
        annotated = np.array(known.toarray() if sparse.issparse(known) else known, dtype=bool)
        if annotated.shape != targets.shape:
            raise DataError(f"known has shape {annotated.shape}, but targets {targets.shape}; both must be (N, L)")
    values = targets.data if sparse.issparse(targets) else targets
    if values.dtype.kind == "f" and np.isnan(values).any():
        missing = np.isnan(targets.toarray() if sparse.issparse(targets) else targets)
        annotated = ~missing if annotated is None else annotated & ~missing
    return annotated
