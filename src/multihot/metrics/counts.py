"""What instances add to metrics, summed: over batches, and under any weights of the instances, so that resampling is a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..errors import DataError
from ..labels import binarise
from .inputs import Rows, count_columns

COLUMNS = ("true", "chosen", "both", "precision", "recall", "f1", "jaccard", "exact")


@dataclass(frozen=True)
class Sums:
    """Sums over weighted instances, for S weightings at once.

    Args:
        instances: (S, C), one column for each of ``names``.
        labels: (S, 3, L): true, chosen and rightly chosen instances of each label; None where no measure asks for them.
        num_rows: N, the total weight.
        num_entries: how many entries (instance, label) are known: N L where all are.
        names: of the C columns.
    """

    instances: Float[np.ndarray, "S C"]
    labels: Float[np.ndarray, "S 3 L"] | None
    num_rows: int
    num_entries: int
    names: tuple[str, ...] = COLUMNS

    def __getitem__(self, column: str) -> Float[np.ndarray, " S"]:
        return self.instances[:, self.names.index(column)]

    def __add__(self, other: Sums) -> Sums:
        return self._combine(other, np.add)

    def __sub__(self, other: Sums) -> Sums:
        return self._combine(other, np.subtract)

    def _combine(self, other: Sums, operation: Callable[[Any, Any], Any]) -> Sums:
        labels = None if self.labels is None or other.labels is None else operation(self.labels, other.labels)
        return replace(self, instances=operation(self.instances, other.instances), labels=labels)

    def per_label(self, measure: str) -> Float[np.ndarray, "S L"]:
        """Precision, recall or F1 of every label."""
        assert self.labels is not None, "sums over labels were not asked for"
        true, chosen, both = self.labels.transpose(1, 0, 2)
        return {"precision": ratio(both, chosen), "recall": ratio(both, true), "f1": ratio(2 * both, true + chosen)}[measure]


def ratio(numerator: Any, denominator: Any) -> np.ndarray:
    """Elementwise quotient; 0 where the denominator is 0 (scikit-learn's ``zero_division=0``)."""
    numerator, denominator = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)


def columns_of(true: sparse.csr_matrix, chosen: sparse.csr_matrix, both: sparse.csr_matrix) -> dict[str, Float[np.ndarray, " N"]]:
    """What each of N instances adds to ``COLUMNS``, from its true, its chosen and its rightly chosen labels."""
    sizes, picks, hits = (np.diff(matrix.indptr).astype(np.float64) for matrix in (true, chosen, both))
    return {
        "true": sizes,
        "chosen": picks,
        "both": hits,
        "precision": ratio(hits, picks),
        "recall": ratio(hits, sizes),
        "f1": ratio(2 * hits, sizes + picks),
        "jaccard": ratio(hits, sizes + picks - hits),
        "exact": ((hits == sizes) & (hits == picks)).astype(np.float64),
    }


class SetCounts:
    """Counts of label sets, instance by instance and label by label, summed as batches come.

    Args:
        num_labels: L.
    """

    def __init__(self, num_labels: int):
        self.true = np.zeros(num_labels, dtype=np.int64)
        self.chosen = np.zeros(num_labels, dtype=np.int64)
        self.both = np.zeros(num_labels, dtype=np.int64)
        self.known = np.zeros(num_labels, dtype=np.int64)
        self.num_rows = 0
        self.instances = np.zeros(len(COLUMNS))

    def add(self, rows: Rows) -> None:
        """Count some more instances; those without a known entry do not count."""
        both = rows.targets.multiply(rows.chosen).tocsr()
        self.true += count_columns(rows.targets)
        self.chosen += count_columns(rows.chosen)
        self.both += count_columns(both)
        self.known += rows.known_per_label
        annotated = rows.known_per_row > 0
        self.num_rows += int(annotated.sum())
        self.instances += [column[annotated].sum() for column in columns_of(rows.targets, rows.chosen, both).values()]

    @property
    def annotated(self) -> Int[np.ndarray, " n"]:
        """The labels with at least one known entry; macro averages run over them."""
        return np.flatnonzero(self.known > 0)

    def sums(self, labels: Int[np.ndarray, " n"] | None = None) -> Sums:
        """The sums, under the one weighting that counts each instance once; macro averages run over some labels, or all annotated ones."""
        counted = np.stack([self.true, self.chosen, self.both])[None, :, self.annotated if labels is None else labels]
        return Sums(self.instances[None], counted.astype(np.float64), self.num_rows, int(self.known.sum()))

    def per_label(self) -> dict[str, Float[np.ndarray, " L"]]:
        """Precision, recall and F1 of every label, each (L,)."""
        sums = self.sums(np.arange(len(self.known)))
        return {name: sums.per_label(name)[0] for name in ("precision", "recall", "f1")}


@dataclass(frozen=True)
class SetTable:
    """The label sets of one system on N instances, ready to be measured under any weights of the instances.

    Args:
        columns: (N, C), what each instance adds to each of ``names``.
        labels: (N, 3 L), side by side: true, chosen and rightly chosen labels of each instance.
        names: ``COLUMNS``, then the metrics of label distributions that are defined for every instance.

    >>> table = SetTable.from_label_sets([[1, 0], [1, 1]], [[1, 0], [0, 1]])
    >>> table.sums(np.ones((1, 2)))["both"].tolist()
    [2.0]
    """

    columns: Float[np.ndarray, "N C"]
    labels: sparse.csr_matrix
    names: tuple[str, ...] = COLUMNS

    @classmethod
    def from_label_sets(cls, targets: Any, chosen: Any, degrees: Mapping[str, Float[np.ndarray, " N"]] | None = None) -> SetTable:
        """Count instance by instance.

        Args:
            targets: (N, L) of 0 and 1, dense or sparse; soft targets are true from 0.5 on.
            chosen: (N, L) of 0 and 1, dense or sparse.
            degrees: the values of each instance in metrics of label distributions; one with a NaN is left out.

        Raises:
            DataError: if the shapes differ or there is no instance.
        """
        true, given = binarise(targets), binarise(chosen)
        if true.shape != given.shape:
            raise DataError(f"chosen has shape {given.shape}, but targets {true.shape}; both must be (N, L) of the same instances")
        if not true.shape[0]:
            raise DataError("there is no instance to measure; targets have 0 rows")
        both = true.multiply(given).tocsr()
        columns = columns_of(true, given, both)
        labels = sparse.hstack([true, given, both], format="csr", dtype=np.float64)
        columns |= {name: values for name, values in (degrees or {}).items() if not np.isnan(values).any()}
        return cls(np.stack(list(columns.values()), axis=1), labels, tuple(columns))

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, rows: Any) -> SetTable:
        return replace(self, columns=self.columns[rows], labels=self.labels[rows])

    def __sub__(self, other: SetTable) -> SetTable:
        """What changes when the other system's answers are replaced by this one's."""
        labels = (self.labels - other.labels).tocsr()
        labels.eliminate_zeros()
        return replace(self, columns=self.columns - other.columns, labels=labels)

    @property
    def num_labels(self) -> int:
        return self.labels.shape[1] // 3

    @property
    def filled(self) -> np.ndarray:
        """The rows in which anything counts; of a difference, those where the two systems gave different answers."""
        return np.flatnonzero((np.diff(self.labels.indptr) > 0) | self.columns.any(axis=1))

    def only(self, names: Sequence[str]) -> SetTable:
        """The table with those of its columns that a list names."""
        kept = [self.names.index(name) for name in names]
        return replace(self, columns=self.columns[:, kept], names=tuple(names))

    def sums(self, weights: Float[np.ndarray, "S N"], per_label: bool = True) -> Sums:
        """Sums over the instances under each row of weights.

        Args:
            weights: (S, N).
            per_label: also sum label by label, which macro averages need.

        Returns:
            The sums, (S, ...).
        """
        labels = (self.labels.T @ weights.T).T.reshape(len(weights), 3, self.num_labels) if per_label else None
        return Sums(weights @ self.columns, labels, len(self), len(self) * self.num_labels, self.names)
