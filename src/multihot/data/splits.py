"""Cuts rows into parts: at random, or so that every label is spread over the parts in proportion."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Int
from scipy import sparse

from ..errors import ConfigurationError

MOST_EXCHANGES = 500  # of rows between two parts
TRIED = 30  # rows to be exchanged
LEAST_GAIN = 1e-9
Parts = list[Int[np.ndarray, " n"]]


def random_split(num_rows: int, fractions: Sequence[float], seed: int) -> Parts:
    """Cut rows at random.

    Args:
        num_rows: how many rows there are.
        fractions: the share of each part, above 0, summing to 1.
        seed: decides the outcome.

    Returns:
        One sorted array of row numbers a part; sizes are the shares, rounded so that they sum to ``num_rows``.

    Raises:
        ConfigurationError: if the fractions are no shares of a whole.

    >>> [len(part) for part in random_split(10, [0.8, 0.2], seed=0)]
    [8, 2]
    """
    ends = np.cumsum(_sizes(_shares(fractions), num_rows))
    order = np.random.default_rng(seed).permutation(num_rows)
    return [np.sort(part) for part in np.split(order, ends[:-1])]


def iterative_stratification(targets: Bool[sparse.csr_matrix, "N L"], fractions: Sequence[float], seed: int) -> Parts:
    """Cut rows so that every label is spread over the parts in proportion (Sechidis, Tsoumakas and Vlahavas, ECML PKDD 2011).

    The rarest label among the rows still to be placed is dealt out first: each of its rows goes to the part that wants most rows
    of that label, ties to the part that wants most rows at all, further ties at random. Rows without labels come last.

    That alone lets the sizes drift: of a thousand labels with one row each, every row goes to the largest part. So where a part is more
    than a row off its share, rows move on until all sizes are right: always the row whose labels are least missed where it was and most
    wanted where it goes, ties at random. Then rows of those parts change places, two at a time, as long as labels come nearer to their
    shares for it.

    Args:
        targets: (N, L), dense or sparse.
        fractions: the share of each part, above 0, summing to 1.
        seed: decides ties and the order of rows.

    Returns:
        One sorted array of row numbers a part; its size is its share of the rows, give or take one.

    Raises:
        ConfigurationError: if the fractions are no shares of a whole.

    >>> parts = iterative_stratification(sparse.csr_matrix([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool), [0.5, 0.5], seed=0)
    >>> [len(part) for part in parts]
    [2, 2]
    """
    return stratify(targets, fractions, seed)[0]


def stratify(targets: Bool[sparse.csr_matrix, "N L"], fractions: Sequence[float], seed: int, level: bool = True) -> tuple[Parts, int]:
    """What ``iterative_stratification`` gives, or where sizes may drift, and how many rows moved on for the sake of the sizes."""
    shares = _shares(fractions)
    matrix = sparse.csr_matrix(targets).astype(bool)
    matrix.eliminate_zeros()
    draw = _Draw(matrix, shares, np.random.default_rng(seed))
    for label in draw.rarest_first():
        for row in draw.rows_left(label):
            draw.place(row, draw.desired_labels[label])
    for row in draw.rows_left(None):
        draw.place(row, draw.desired_rows)
    drifted = max(map(abs, draw.desired_rows), default=0) > 1
    moved = draw.level(_sizes(shares, matrix.shape[0])) if drifted and level else 0
    part_of = np.asarray(draw.part_of)
    return [np.flatnonzero(part_of == part) for part in range(len(shares))], moved


class _Draw:
    """What is still to be placed and what every part still wants; plain lists, for they are read one number at a time."""

    def __init__(self, matrix: sparse.csr_matrix, shares: np.ndarray, generator: np.random.Generator):
        rows, labels = matrix.shape
        self.order = generator.permutation(rows)
        self.rank = generator.permutation(labels).tolist()  # settles which of two equally rare labels comes first
        self.chance = generator.random(rows).tolist()
        self.columns = [row.tolist() for row in np.split(matrix.indices, matrix.indptr[1:-1])] if rows else []
        self.by_label = sparse.csc_matrix(matrix[self.order])
        counts = np.asarray(matrix.sum(axis=0)).ravel()
        self.counts, self.left = counts.tolist(), counts.tolist()
        self.desired_labels = np.outer(counts, shares).tolist()
        self.desired_rows = (shares * rows).tolist()
        self.part_of = [-1] * rows
        self.matrix = matrix.astype(float)

    def rarest_first(self) -> Iterator[int]:
        """The labels, always the one with the fewest rows left next."""
        heap = [(count, self.rank[label], label) for label, count in enumerate(self.left) if count]
        heapq.heapify(heap)
        while heap:
            count, _, label = heapq.heappop(heap)
            if count != self.left[label] or not count:  # outdated: a smaller count of this label was pushed since
                continue
            before = {other: self.left[other] for row in self.rows_left(label) for other in self.columns[row]}
            yield label
            for other, old in before.items():
                if other != label and 0 < self.left[other] < old:
                    heapq.heappush(heap, (self.left[other], self.rank[other], other))

    def rows_left(self, label: int | None) -> list[int]:
        """The rows still to be placed, in random order: those with a label, or all."""
        rows = (
            self.order
            if label is None
            else self.order[self.by_label.indices[self.by_label.indptr[label] : self.by_label.indptr[label + 1]]]
        )
        return [row for row in rows.tolist() if self.part_of[row] < 0]

    def place(self, row: int, desired: list[float]) -> None:
        """Give a row to the part that wants it most."""
        most = max(desired)
        parts = [part for part, wanted in enumerate(desired) if wanted == most]
        if len(parts) > 1:
            most = max(self.desired_rows[part] for part in parts)
            parts = [part for part in parts if self.desired_rows[part] == most]
        part = parts[int(self.chance[row] * len(parts))]
        self.part_of[row] = part
        self.desired_rows[part] -= 1
        for label in self.columns[row]:
            self.desired_labels[label][part] -= 1
            self.left[label] -= 1

    def level(self, sizes: list[int]) -> int:
        """Move rows from parts that got too many to parts that got too few, then exchange some of these parts; how many were moved."""
        found = [self.part_of.count(part) for part in range(len(sizes))]
        moved: dict[tuple[int, int], int] = {}
        while (surplus := [got - wanted for got, wanted in zip(found, sizes, strict=True)]) and max(surplus) > 0:
            giver, taker = surplus.index(max(surplus)), surplus.index(min(surplus))
            count = min(surplus[giver], -surplus[taker])
            self._move(giver, taker, count)
            found[giver] -= count
            found[taker] += count
            moved[giver, taker] = count
        part_of, desired = np.array(self.part_of), np.array(self.desired_labels).reshape(-1, len(sizes))
        for (giver, taker), count in moved.items():
            self._exchange(giver, taker, min(count, MOST_EXCHANGES), part_of, desired)
        self.part_of = part_of.tolist()
        return sum(moved.values())

    def _move(self, giver: int, taker: int, count: int) -> None:
        """Move the rows that do the spread of the labels the least harm; a move only ever makes the next ones dearer."""
        heap = [(self._harm(row, giver, taker), self.chance[row], row) for row, part in enumerate(self.part_of) if part == giver]
        heapq.heapify(heap)
        while count:
            before, chance, row = heapq.heappop(heap)
            harm = self._harm(row, giver, taker)
            if harm > before:
                heapq.heappush(heap, (harm, chance, row))
                continue
            self.part_of[row] = taker
            count -= 1
            for label in self.columns[row]:
                self.desired_labels[label][giver] += 1
                self.desired_labels[label][taker] -= 1

    def _exchange(self, one: int, other: int, most: int, part_of: np.ndarray, desired: np.ndarray) -> None:
        """Let up to so many pairs of rows of two parts change places, as long as that brings labels nearer to their shares.

        Sent are rows that are best sent, one of each of a few values; sent back for one is the row that is then best sent back.
        """
        for _ in range(most):
            harm = self._harms(one, other, part_of, desired)
            values, rows = np.unique(harm, return_index=True)
            for value, row in zip(values[:TRIED].tolist(), rows[:TRIED].tolist(), strict=True):
                columns = self.columns[row]
                desired[columns, one] += 1
                desired[columns, other] -= 1
                back = self._harms(other, one, part_of, desired)
                if (least := back.min()) + value < -LEAST_GAIN:
                    returned = int(back.argmin())
                    desired[self.columns[returned], one] -= 1
                    desired[self.columns[returned], other] += 1
                    part_of[row], part_of[returned] = other, one
                    break
                desired[columns, one] -= 1
                desired[columns, other] += 1
                if not np.isfinite(least):
                    return
            else:
                return

    def _harms(self, giver: int, taker: int, part_of: np.ndarray, desired: np.ndarray) -> np.ndarray:
        """The harm of moving each row of a part to another one; endless for rows that are not there."""
        gives, takes = desired[:, giver], desired[:, taker]
        dearer = (np.abs(gives + 1) - np.abs(gives) + np.abs(takes - 1) - np.abs(takes)) / np.maximum(self.counts, 1)
        return np.where(part_of == giver, self.matrix @ dearer, np.inf)

    def _harm(self, row: int, giver: int, taker: int) -> float:
        """How much further the row's labels are from their shares after a move, in parts of the label's rows."""
        harm = 0.0
        for label in self.columns[row]:
            gives, takes = self.desired_labels[label][giver], self.desired_labels[label][taker]
            harm += (abs(gives + 1) - abs(gives) + abs(takes - 1) - abs(takes)) / self.counts[label]
        return harm


def _sizes(shares: np.ndarray, rows: int) -> list[int]:
    """The sizes of the parts: the shares, rounded so that they sum to all rows."""
    return np.diff(np.rint(np.cumsum(shares) * rows).astype(int), prepend=0).tolist()


def _shares(fractions: Sequence[float]) -> np.ndarray:
    shares = np.asarray(fractions, dtype=float)
    if shares.ndim != 1 or not len(shares) or (shares <= 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise ConfigurationError(f"the fractions of a split must lie above 0 and sum to 1, got {list(fractions)}; for example 0.9 and 0.1")
    return shares
