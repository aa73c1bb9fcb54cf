"""What each instance adds to the measures of label sets and of label distributions, so that resampling instances is a matrix product."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..errors import ConfigurationError, DataError, nearest
from ..labels import binarise

COLUMNS = ("true", "chosen", "both", "precision", "recall", "f1", "jaccard", "exact")
# measures of label distributions that are means over instances, each a column of its own where a method predicts distributions
DEGREE_COLUMNS = (
    "mean_absolute_error", "cumulative_score_5", "epsilon_error",
    "chebyshev", "clark", "canberra", "kullback_leibler", "cosine", "intersection",
    "mean_absolute_error_expectation", "mean_absolute_error_median", "mean_absolute_error_mode",
    "mean_absolute_error_1", "mean_absolute_error_2",
)  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """Sums over weighted instances, for S weightings at once.

    Args:
        instances: (S, C), one column for each of ``names``.
        labels: (S, 3, L): true, chosen and rightly chosen instances of each label; None where no measure asks for them.
        num_rows: N, the total weight.
        num_labels: L.
        names: of the C columns.
    """

    instances: Float[np.ndarray, "S C"]
    labels: Float[np.ndarray, "S 3 L"] | None
    num_rows: int
    num_labels: int
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
        return {"precision": _ratio(both, chosen), "recall": _ratio(both, true), "f1": _ratio(2 * both, true + chosen)}[measure]


def _ratio(numerator: Any, denominator: Any) -> np.ndarray:
    """Elementwise quotient; 0 where the denominator is 0, as in every measure."""
    numerator, denominator = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    # sums that differences of sums bring to 0 may miss it by a rounding error
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=np.abs(denominator) > 1e-9)


def _macro_f1_harmonic(sums: Sums) -> np.ndarray:
    precision, recall = (sums.per_label(name).mean(axis=1) for name in ("precision", "recall"))
    return _ratio(2 * precision * recall, precision + recall)


def _mean(column: str) -> Callable[[Sums], np.ndarray]:
    return lambda sums: sums[column] / sums.num_rows


# measure -> (its values (S,) from the sums, whether it needs sums over labels)
MEASURES: dict[str, tuple[Callable[[Sums], np.ndarray], bool]] = {
    "micro_precision": (lambda sums: _ratio(sums["both"], sums["chosen"]), False),
    "micro_recall": (lambda sums: _ratio(sums["both"], sums["true"]), False),
    "micro_f1": (lambda sums: _ratio(2 * sums["both"], sums["true"] + sums["chosen"]), False),
    "macro_precision": (lambda sums: sums.per_label("precision").mean(axis=1), True),
    "macro_recall": (lambda sums: sums.per_label("recall").mean(axis=1), True),
    "macro_f1": (lambda sums: sums.per_label("f1").mean(axis=1), True),
    "macro_f1_harmonic": (_macro_f1_harmonic, True),
    "example_precision": (_mean("precision"), False),
    "example_recall": (_mean("recall"), False),
    "example_f1": (_mean("f1"), False),
    "subset_accuracy": (_mean("exact"), False),
    "hamming_accuracy": (lambda s: 1 - (s["true"] + s["chosen"] - 2 * s["both"]) / (s.num_rows * s.num_labels), False),
    "jaccard": (_mean("jaccard"), False),
}
RESAMPLED = MEASURES | {name: (_mean(name), False) for name in DEGREE_COLUMNS}


@dataclass(frozen=True)
class SetTable:
    """The label sets of one system on N instances, ready to be measured under any weights of the instances.

    Args:
        columns: (N, C), what each instance adds to each of ``names``.
        labels: (N, 3 L), side by side: true, chosen and rightly chosen labels of each instance.
        names: ``COLUMNS``, then those of ``DEGREE_COLUMNS`` that are defined for every instance.

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
            degrees: what each instance adds to each measure of label distributions; one with a NaN is left out.

        Raises:
            DataError: if the shapes differ or there is no instance.
        """
        true, given = binarise(targets), binarise(chosen)
        if true.shape != given.shape:
            raise DataError(f"chosen has shape {given.shape}, but targets {true.shape}; both must be (N, L) of the same instances")
        if not true.shape[0]:
            raise DataError("there is no instance to measure; targets have 0 rows")
        both = true.multiply(given).tocsr()
        sizes, picks, hits = (np.diff(matrix.indptr).astype(np.float64) for matrix in (true, given, both))
        columns = {
            "true": sizes,
            "chosen": picks,
            "both": hits,
            "precision": _ratio(hits, picks),
            "recall": _ratio(hits, sizes),
            "f1": _ratio(2 * hits, sizes + picks),
            "jaccard": _ratio(hits, sizes + picks - hits),
            "exact": ((hits == sizes) & (hits == picks)).astype(np.float64),
        }
        labels = sparse.hstack([true, given, both], format="csr", dtype=np.float64)
        columns |= {name: values for name, values in (degrees or {}).items() if name in DEGREE_COLUMNS and not np.isnan(values).any()}
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
        return Sums(weights @ self.columns, labels, len(self), self.num_labels, self.names)


def check_measures(names: Any) -> list[str]:
    """The measures asked for; refuses one that is no sum over instances."""
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in RESAMPLED:
            raise ConfigurationError(f"'{name}' is no measure that can be resampled; {nearest(str(name), RESAMPLED)}")
    return wanted


def columns_for(tables: Sequence[SetTable], wanted: Sequence[str]) -> list[SetTable]:
    """The tables with the columns that some measures need, the same in all."""
    needed = [*COLUMNS, *(name for name in wanted if name in DEGREE_COLUMNS)]
    for name in needed:
        if any(name not in table.names for table in tables):
            raise ConfigurationError(f"'{name}' cannot be resampled: some system or instance lacks it; leave it out")
    return [table.only(needed) for table in tables]
