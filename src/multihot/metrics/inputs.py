"""What the measures accept: dense, sparse and torch matrices, made uniform chunk by chunk so that nothing large is ever densified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy import sparse

from ..errors import DataError
from ..labels import binarise

CHUNK_ENTRIES = 2**22  # dense entries looked at at once: 16 MiB in float32
CHUNK_ROWS = 2**17  # rows looked at at once where everything is sparse


@dataclass(frozen=True)
class Rows:
    """Some instances, uniform: unknown entries are neither true nor chosen, and have no score.

    Args:
        targets: (n, L) boolean.
        chosen: (n, L) boolean.
        scores: (n, L), NaN where unknown; or sparse, where an entry that is not stored ranks below all that are; or None.
        unknown: (n, L) boolean, or None where every entry is annotated.
    """

    targets: sparse.csr_matrix
    chosen: sparse.csr_matrix
    scores: Any  # Float[np.ndarray, "n L"] | sparse.csr_matrix | None; a union that type checkers cannot narrow by sparse.issparse
    unknown: sparse.csr_matrix | None

    @property
    def known_per_row(self) -> Int[np.ndarray, " n"]:
        unknown = 0 if self.unknown is None else np.diff(self.unknown.indptr)
        return np.full(self.targets.shape[0], self.targets.shape[1]) - unknown

    @property
    def known_per_label(self) -> Int[np.ndarray, " L"]:
        unknown = 0 if self.unknown is None else count_columns(self.unknown)
        return np.full(self.targets.shape[1], self.targets.shape[0]) - unknown


def as_matrix(name: str, values: Any) -> np.ndarray | sparse.csr_matrix:
    """Anything matrix-like as a NumPy array or a CSR matrix; torch tensors are taken from their device."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if "bfloat16" in str(values.dtype) else values).numpy()
    if sparse.issparse(values):
        return sparse.csr_matrix(values)
    try:
        matrix = np.asarray(values)
    except ValueError as error:
        raise DataError(
            f"{name} must be an (N, L) matrix, but its rows differ in length; encode label names with LabelSpace first"
        ) from error
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        raise DataError(f"{name} must be an (N, L) matrix of numbers, got shape {matrix.shape} of {matrix.dtype}; encode label names first")
    return matrix


def count_columns(matrix: sparse.csr_matrix) -> Int[np.ndarray, " L"]:
    """How many entries each column of a canonical boolean matrix holds."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def read_chunks(targets: Any, chosen: Any, scores: Any = None, known: Any = None) -> Iterator[Rows]:
    """Go through matching (N, L) matrices chunk by chunk; nothing of the input is copied as a whole."""
    given = {"targets": targets, "chosen": chosen, "scores": scores, "known": known}
    matrices = {name: as_matrix(name, values) for name, values in given.items() if values is not None}
    shape = matrices["targets"].shape
    for name, matrix in matrices.items():
        if matrix.shape != shape:
            raise DataError(f"{name} has shape {matrix.shape}, but targets {shape}; all must be (N, L) with the same rows and labels")
    if shape[1] == 0:
        raise DataError("targets have no label column; an (N, L) matrix with at least one label is needed")
    all_sparse = known is None and all(sparse.issparse(matrix) for matrix in matrices.values())  # a mask is dense by nature
    step = CHUNK_ROWS if all_sparse else max(1, CHUNK_ENTRIES // shape[1])
    for first in range(0, shape[0], step):
        whole = shape[0] <= step  # slicing a sparse matrix copies it
        yield _read_rows({name: matrix if whole else matrix[first : first + step] for name, matrix in matrices.items()}, first)


def _read_rows(part: dict[str, Any], first: int) -> Rows:
    unknown = _unknown(part["targets"], part.get("known"))
    _check_values("targets", part["targets"], first)
    _check_values("chosen", part["chosen"], first)
    targets, chosen = _binary(part["targets"]), _binary(part["chosen"])
    scores = part.get("scores")
    if unknown is not None:
        targets, chosen = sparse.csr_matrix(targets > unknown), sparse.csr_matrix(chosen > unknown)
    if scores is not None:
        scores = _sparse_scores(scores, unknown, first) if sparse.issparse(scores) else _dense_scores(scores, unknown, first)
    return Rows(targets, chosen, scores, unknown)


def _unknown(targets: Any, known: Any) -> sparse.csr_matrix | None:
    """The entries that nobody annotated: where known is False, and where a target is NaN."""
    unknown = sparse.csr_matrix(targets.shape, dtype=bool)
    if known is not None:
        dense = known.toarray() if sparse.issparse(known) else known
        unknown = _binary(~dense.astype(bool))
    if targets.dtype.kind == "f":
        missing = sparse.csr_matrix(targets, copy=True) if sparse.issparse(targets) else None
        if missing is not None:
            missing.data = np.isnan(missing.data).astype(float)
        unknown = sparse.csr_matrix(unknown + (binarise(missing) if missing is not None else _binary(np.isnan(targets))))
    return unknown if unknown.nnz else None


def _check_values(name: str, matrix: Any, first: int) -> None:
    """Targets lie in [0, 1]; chosen is 0 or 1, so that scores passed in its place are noticed."""
    if matrix.dtype.kind == "b":
        return
    values = matrix.data if sparse.issparse(matrix) else matrix
    wrong = (values < 0) | (values > 1) if name == "targets" else (values != 0) & (values != 1)
    if not wrong.any():
        return
    place = int(np.argmax(wrong.ravel()))
    row = np.searchsorted(matrix.indptr, place, side="right") - 1 if sparse.issparse(matrix) else place // matrix.shape[1]
    allowed = "lie in [0, 1], NaN where unknown" if name == "targets" else "be 0 or 1 (scores go into the argument scores)"
    raise DataError(f"{name}, row {first + row}: got {values.ravel()[place]!s}, but {name} must {allowed}")


def _binary(matrix: Any) -> sparse.csr_matrix:
    """A chunk as a canonical boolean matrix, true from 0.5 on."""
    if sparse.issparse(matrix):
        already = matrix.dtype == bool and matrix.has_canonical_format and matrix.data.all()
        return matrix if already else binarise(matrix)
    num_rows, num_labels = matrix.shape
    places = np.flatnonzero(matrix if matrix.dtype.kind == "b" else matrix >= 0.5)
    rows, columns = np.divmod(places, num_labels)
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))])
    return sparse.csr_matrix((np.ones(len(places), dtype=bool), columns, ends), shape=matrix.shape)


def _dense_scores(scores: np.ndarray, unknown: sparse.csr_matrix | None, first: int) -> np.ndarray:
    kept = scores if scores.dtype in (np.float32, np.float64) else scores.astype(np.float32 if scores.dtype == np.float16 else np.float64)
    if unknown is not None:
        kept = kept.copy()
        kept[unknown.nonzero()] = 0.0
    if np.isnan(kept).any():
        row, label = np.argwhere(np.isnan(kept))[0]
        raise DataError(f"scores, row {first + row}, label {label}: NaN; a score must be a number (-inf for a label that cannot be chosen)")
    if unknown is not None:
        kept[unknown.nonzero()] = np.nan
    return kept


def _sparse_scores(scores: sparse.csr_matrix, unknown: sparse.csr_matrix | None, first: int) -> sparse.csr_matrix:
    kept = sparse.csr_matrix(scores, dtype=scores.dtype if scores.dtype in (np.float32, np.float64) else np.float64, copy=True)
    kept.sum_duplicates()
    rows = np.repeat(np.arange(kept.shape[0]), np.diff(kept.indptr))
    if unknown is not None:
        stay = ~np.asarray(unknown[rows, kept.indices]).ravel().astype(bool)
        rows = rows[stay]
        ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=kept.shape[0]))])
        kept = sparse.csr_matrix((kept.data[stay], kept.indices[stay], ends), shape=kept.shape)
    if np.isnan(kept.data).any():
        place = int(np.argmax(np.isnan(kept.data)))
        raise DataError(f"scores, row {first + rows[place]}, label {kept.indices[place]}: NaN; a score must be a number")
    return kept
