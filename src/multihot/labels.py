"""Label names and label statistics: NumPy and SciPy only, so that reading them never needs PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from .errors import DataError, nearest

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")  # float() would also take "nan", "infinity" and "1_0"

HEAD_FROM, MEDIUM_FROM = 100, 20  # training instances: head >= 100, medium 20 to 99, tail < 20 (METHODS: long-tail reports)


@dataclass(frozen=True)
class LabelSpace:
    """The names of the L labels, in the order of the columns of every (N, L) array.

    Args:
        names: distinct label names.

    Raises:
        DataError: if there is no label or a name occurs twice.

    >>> space = LabelSpace(["cocoa", "grain", "wheat"])
    >>> space.encode([["wheat", "grain"], []]).toarray().astype(int).tolist()
    [[0, 1, 1], [0, 0, 0]]
    >>> space.decode([[0, 1, 1], [0, 0, 0]])
    [['grain', 'wheat'], []]
    """

    names: tuple[str, ...]

    def __init__(self, names: Iterable[str]):
        object.__setattr__(self, "names", tuple(str(name) for name in names))
        if not self.names:
            raise DataError("there is not a single label in the training data; check which column holds the labels")
        if len(self.index) != len(self.names):
            twice = next(name for i, name in enumerate(self.names) if self.index[name] != i)
            raise DataError(f"label '{twice}' is named twice; label names must be distinct")

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def index(self) -> dict[str, int]:
        """name -> column."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def positions(self) -> Float[np.ndarray, "L d"] | None:
        """Where the labels lie on an axis: d = 1 where all names are numbers, d = 2 where all are two numbers joined by a comma.

        None where they are neither.

        >>> LabelSpace(["-15,0", "-15,30"]).positions.tolist(), LabelSpace(["16", "old"]).positions
        ([[-15.0, 0.0], [-15.0, 30.0]], None)
        """
        return axis_positions(self.names)

    @property
    def stop(self) -> int:
        """The symbol L that ends a label sequence."""
        return len(self.names)

    @property
    def start(self) -> int:
        """The symbol L + 1 that a label sequence starts from."""
        return len(self.names) + 1

    @classmethod
    def from_rows(cls, rows: Iterable[Iterable[str] | None]) -> LabelSpace:
        """The labels that occur in some label sets, in alphabetical order, or by value where all are numbers."""
        return cls(in_order({label for labels in rows for label in labels or ()}))

    def encode(self, rows: Iterable[Iterable[str] | None], unseen: str = "error") -> sparse.csr_matrix:
        """Label sets as a sparse multi-hot matrix.

        Args:
            rows: label sets; ``None`` (no annotation) becomes an empty row.
            unseen: ``"error"`` refuses a name that is not in the label space, ``"ignore"`` leaves it out.

        Returns:
            (N, L) boolean.

        Raises:
            DataError: for an unknown label, naming the row.
        """
        columns: list[int] = []
        ends = [0]
        for number, labels in enumerate(rows):
            known = {self.index[label] for label in labels or () if label in self.index}
            if unseen == "error" and (unknown := [label for label in labels or () if label not in self.index]):
                raise DataError(f"row {number}: label '{unknown[0]}' is not in the label space; {nearest(unknown[0], self.names[:50])}")
            columns.extend(sorted(known))
            ends.append(len(columns))
        ones = np.ones(len(columns), dtype=bool)
        return sparse.csr_matrix((ones, np.asarray(columns, dtype=np.int64), np.asarray(ends)), shape=(len(ends) - 1, len(self)))

    def decode(self, chosen: Bool[np.ndarray, "N L"] | sparse.spmatrix | Sequence[Sequence[int]]) -> list[list[str]]:
        """The label sets that a multi-hot matrix stands for: (N, L), dense or sparse -> N lists of names."""
        matrix = sparse.csr_matrix(chosen)
        matrix.eliminate_zeros()
        matrix.sort_indices()
        return [[self.names[i] for i in row] for row in np.split(matrix.indices, matrix.indptr[1:-1])] if matrix.shape[0] else []


@dataclass(frozen=True)
class LabelStatistics:
    """What the training split says about its label sets; never looks at validation or test.

    Everything follows from the distinct label sets and how often each occurs.

    Args:
        sets: (U, L) boolean, the distinct label sets.
        multiplicity: (U,), how many training instances carry each of them.

    >>> statistics = LabelStatistics.from_targets([[1, 0], [1, 1], [1, 0]])
    >>> statistics.num_examples, statistics.counts.tolist(), statistics.set_frequency([[1, 0], [0, 1]]).tolist()
    (3, [3, 1], [2, 0])
    """

    sets: sparse.csr_matrix
    multiplicity: Int[np.ndarray, " U"]

    @classmethod
    def from_targets(cls, targets: Float[np.ndarray, "N L"] | sparse.spmatrix | Sequence[Sequence[float]]) -> LabelStatistics:
        """Count the label sets of (N, L) targets, dense or sparse; soft targets count from 0.5 on."""
        binary = binarise(targets)
        first: dict[bytes, int] = {}
        multiplicity: dict[bytes, int] = {}
        for row, key in enumerate(row_keys(binary)):
            first.setdefault(key, row)
            multiplicity[key] = multiplicity.get(key, 0) + 1
        return cls(binary[list(first.values())], np.fromiter(multiplicity.values(), dtype=np.int64, count=len(multiplicity)))

    @property
    def num_labels(self) -> int:
        return self.sets.shape[1]

    @property
    def num_examples(self) -> int:
        return int(self.multiplicity.sum())

    @cached_property
    def counts(self) -> Int[np.ndarray, " L"]:
        """Training instances that carry each label."""
        return np.asarray(self.multiplicity @ self.sets.astype(np.int64)).ravel()

    @cached_property
    def log_odds(self) -> Float[np.ndarray, " L"]:
        """Log-odds of label frequencies, ``log((n_l + 1/2) / (N - n_l + 1/2))``: a label of no or every instance keeps a finite one.

        >>> LabelStatistics.from_targets([[1, 0], [1, 1], [1, 0]]).log_odds.round(2).tolist()
        [1.95, -0.51]
        """
        return np.log(self.counts + 0.5) - np.log(self.num_examples + 0.5 - self.counts)

    @cached_property
    def co_occurrence(self) -> sparse.csr_matrix:
        """(L, L) integer: instances that carry both labels; the diagonal holds the counts."""
        ones = self.sets.astype(np.int64)
        return sparse.csr_matrix(ones.T @ sparse.diags_array(self.multiplicity, dtype=np.int64) @ ones)

    @property
    def cardinality(self) -> float:
        """Mean number of labels an instance carries."""
        return float(self.counts.sum() / max(self.num_examples, 1))

    @property
    def set_sizes(self) -> Int[np.ndarray, " U"]:
        """Labels of each distinct label set."""
        return np.diff(self.sets.indptr)

    @property
    def none_empty(self) -> bool:
        """Whether there are training instances, and every one carries a label."""
        return bool(self.num_examples and self.set_sizes.all())

    @property
    def largest_set(self) -> int:
        """Labels of the instance that carries most."""
        return int(self.set_sizes.max(initial=0))

    @property
    def density(self) -> float:
        """Cardinality divided by the number of labels."""
        return self.cardinality / self.num_labels

    @cached_property
    def frequency_order(self) -> Int[np.ndarray, " L"]:
        """Labels from the most to the least frequent; ties in column order."""
        return np.argsort(-self.counts, kind="stable")

    def split_by_frequency(self, head_from: int = HEAD_FROM, medium_from: int = MEDIUM_FROM) -> dict[str, Int[np.ndarray, " n"]]:
        """The columns of the head, medium and tail labels: at least 100, 20 to 99, fewer than 20 training instances."""
        return {
            "head": np.flatnonzero(self.counts >= head_from),
            "medium": np.flatnonzero((self.counts >= medium_from) & (self.counts < head_from)),
            "tail": np.flatnonzero(self.counts < medium_from),
        }

    @cached_property
    def _frequency_of_set(self) -> dict[bytes, int]:
        return dict(zip(row_keys(self.sets), self.multiplicity.tolist(), strict=True))

    def set_frequency(self, targets: Any) -> Int[np.ndarray, " N"]:
        """How often each row's whole label set occurs in training; 0 for a set never seen. targets: (N, L), dense or sparse."""
        rows = binarise(targets)
        return np.fromiter((self._frequency_of_set.get(key, 0) for key in row_keys(rows)), dtype=np.int64, count=rows.shape[0])

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for JSON."""
        return {
            "num_labels": self.num_labels,
            "sets": [row.tolist() for row in _rows(self.sets)],
            "multiplicity": self.multiplicity.tolist(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> LabelStatistics:
        """The inverse of ``to_dict``.

        Raises:
            ValueError: for label sets that name a column that is not there, or that are not counted one by one.
        """
        rows = content["sets"]
        ends = np.cumsum([0] + [len(row) for row in rows])
        columns = np.asarray([i for row in rows for i in row], dtype=np.int64)
        if len(content["multiplicity"]) != len(rows) or not np.all((columns >= 0) & (columns < content["num_labels"])):
            raise ValueError("the label statistics do not fit together")  # SciPy would write beyond its arrays
        sets = sparse.csr_matrix((np.ones(len(columns), dtype=bool), columns, ends), shape=(len(rows), content["num_labels"]))
        return cls(sets, np.asarray(content["multiplicity"], dtype=np.int64))


def axis_positions(names: Iterable[str]) -> Float[np.ndarray, "L d"] | None:
    """What label names say as numbers: (L, 1), or (L, 2) for pairs joined by a comma; None where some name is neither."""
    parts = [name.split(",") for name in names]
    width = len(parts[0]) if parts else 0
    if width not in (1, 2) or any(len(part) != width or not all(NUMBER.fullmatch(one.strip()) for one in part) for part in parts):
        return None
    found = np.array([[float(one) for one in part] for part in parts])
    return found if np.isfinite(found).all() else None


def in_order(names: Iterable[str]) -> list[str]:
    """Label names by value where all are numbers, else in alphabetical order.

    >>> in_order({"10", "9", "-1.5"}), in_order({"10", "9", "x"})
    (['-1.5', '9', '10'], ['10', '9', 'x'])
    """
    ordered = sorted(names)
    positions = axis_positions(ordered)
    return ordered if positions is None else [ordered[i] for i in np.lexsort(positions.T[::-1])]


def modes(degrees: Any) -> sparse.csr_matrix:
    """The label of the largest degree in each row, the first of ties; none in a row without degrees.

    Args:
        degrees: (N, L), at least 0, dense or sparse.

    Returns:
        (N, L) boolean, at most one true a row.

    >>> modes([[0.2, 0.4, 0.4], [0, 0, 0]]).toarray().astype(int).tolist()
    [[0, 1, 0], [0, 0, 0]]
    """
    matrix = sparse.csr_matrix(degrees, copy=True)
    largest = np.asarray(matrix.max(axis=1).todense()).ravel() > 0
    columns = np.asarray(matrix.argmax(axis=1)).ravel()[largest]
    ends = np.concatenate([[0], np.cumsum(largest)])
    return sparse.csr_matrix((np.ones(len(columns), dtype=bool), columns, ends), shape=matrix.shape)


def binarise(targets: Any) -> sparse.csr_matrix:
    """(N, L) targets, dense or sparse, as a canonical boolean matrix: sorted columns, no stored zeros, true from 0.5 on."""
    matrix = sparse.csr_matrix(targets, copy=True)
    matrix.data = matrix.data >= 0.5
    matrix.eliminate_zeros()
    matrix.sum_duplicates()
    return matrix


def row_keys(matrix: sparse.csr_matrix) -> list[bytes]:
    """One hashable key a row of a canonical boolean matrix: equal keys, equal label sets."""
    return [row.astype(np.int64).tobytes() for row in _rows(matrix)]


def _rows(matrix: sparse.csr_matrix) -> list[np.ndarray]:
    return np.split(matrix.indices, matrix.indptr[1:-1]) if matrix.shape[0] else []
