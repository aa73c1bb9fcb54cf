"""What a label set must obey, whatever the model thinks: implications, exclusions, a tree, a smallest and a largest size."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import sparse
from torch import Tensor

from .components import check_keys
from .errors import ConfigurationError, nearest
from .labels import LabelSpace


class Constraints:
    """Rules for label sets: search keeps every label shut that would break them, and scored label sets are brought to the best that obey.

    Args:
        space: the labels.
        implies: label -> labels that must stand beside it.
        excludes: groups of labels of which a label set may hold one at most.
        parents: child -> parent: a label set that holds the child holds the parent, and whatever is above it.
        at_least: the fewest labels of a label set, from 0 on.
        at_most: the most labels of a label set, or None.

    Raises:
        ConfigurationError: for an unknown label, sizes that cannot be, or a label that the rules forbid whatever stands beside it.

    >>> rules = Constraints(LabelSpace(["animal", "car", "cat"]), parents={"cat": "animal"}, excludes=[["animal", "car"]])
    >>> rules.open(torch.tensor([[False, False, True]]))  # a cat needs its animal before the set may stop, and is no car
    tensor([[ True, False,  True, False]])
    >>> rules.best([[-1.0, 1.0, 3.0]], [[False, True, True]]).tolist()
    [[True, False, True]]
    """

    def __init__(
        self,
        space: LabelSpace,
        implies: Mapping[str, Sequence[str]] | None = None,
        excludes: Sequence[Sequence[str]] = (),
        parents: Mapping[str, str] | None = None,
        at_least: int = 0,
        at_most: int | None = None,
    ):
        self.at_least, self.at_most = check_sizes(at_least, at_most, len(space))
        pairs = [
            (_column(space, label), _column(space, other))
            for label, others in [*(implies or {}).items(), *((child, [parent]) for child, parent in (parents or {}).items())]
            for other in ([others] if isinstance(others, str) else others)
        ]
        others = sorted({pair for pair in pairs if pair[0] != pair[1]})
        self.implied = np.asarray(others, dtype=np.int64).reshape(-1, 2)  # (E, 2): the first needs the second
        self.groups = [sorted({_column(space, label) for label in group}) for group in excludes]
        self.needs = _closure(self.implied, len(space))  # (L, L) of 0 and 1: row a holds a and all that it implies
        self.excluded = _apart(self.groups, len(space))  # (L, L): 1 where two labels exclude each other
        self._dense: tuple[Tensor, Tensor] | None = None
        self._check(space)

    @classmethod
    def from_config(cls, space: LabelSpace, config: Mapping[str, Any] | None) -> Constraints | None:
        """The constraints that a mapping of arguments asks for; none where it forbids nothing."""
        if not config:
            return None
        check_keys(config, set(RULES), where="constraints")
        found = cls(space, **config)
        return found if found.at_least or found.at_most is not None or found.between_labels else None

    @property
    def between_labels(self) -> bool:
        """Whether a label's place depends on others."""
        return bool(len(self.implied) or self.groups)

    @property
    def rule(self) -> str:
        """What is obeyed, in a sentence for the readers of a report; empty where nothing is."""
        said = []
        if self.at_least or self.at_most is not None:
            sizes = [f"at least {self.at_least}" if self.at_least else "", f"at most {self.at_most}" if self.at_most is not None else ""]
            said.append(f"has {' and '.join(size for size in sizes if size)} of the labels")
        if self.between_labels:
            said.append("obeys what labels imply and exclude")
        return f"Each label set {' and '.join(said)}: of those that do, the one with the best scores is taken." if said else ""

    def open(self, said: Bool[Tensor, "N L"]) -> Bool[Tensor, "N L+1"]:
        """Which symbols may follow: labels whose needs fit beside those of what was said, and stop once nothing is needed any more."""
        if self._dense is None or self._dense[0].device != said.device:
            self._dense = _to_tensor(self.needs, said.device), _to_tensor(self.excluded, said.device)
        needs, excluded = self._dense
        bound: Float[Tensor, "N L"] = (said.float() @ needs).clamp(max=1)  # what was said, and what it needs
        labels = (bound @ excluded).clamp(max=1) @ needs.T == 0
        if self.at_most is not None:
            labels &= bound.sum(-1, keepdim=True) + (1 - bound) @ needs.T <= self.at_most
        stop = (bound <= said).all(-1, keepdim=True)
        if self.at_least:
            stop &= (said.sum(-1, keepdim=True) >= self.at_least) | ~(labels & ~said).any(-1, keepdim=True)
        return torch.cat([labels, stop], dim=-1)

    def broken(self, chosen: Any) -> Bool[np.ndarray, " N"]:
        """Which label sets break a rule. chosen: (N, L), dense or sparse."""
        rows = sparse.csr_matrix(chosen, dtype=np.int64)
        rows.eliminate_zeros()
        sizes = np.diff(rows.indptr)
        found = (sizes < self.at_least) | (sizes > (rows.shape[1] if self.at_most is None else self.at_most))
        if self.between_labels:
            bound = sparse.csr_matrix(rows @ self.needs)
            found |= np.diff(bound.indptr) > sizes
            found |= np.asarray((rows @ self.excluded).multiply(rows).sum(axis=1)).ravel() > 0
        return found

    def best(self, margins: Any, chosen: Any) -> Any:
        """The label set that obeys and has the largest sum of margins, for each label set that breaks a rule; the others stay.

        A label without a score (not stored in a sparse matrix, or -inf) is taken only where a label needs it.

        Args:
            margins: (N, L), above 0 for labels that are chosen and below 0 for others; dense or sparse.
            chosen: (N, L) boolean, the label sets that the margins stand for.

        Returns:
            (N, L) boolean, sparse for sparse margins.
        """
        places = np.flatnonzero(self.broken(chosen))
        best = [self._best_set(*_stored(margins, int(row))) for row in places]
        if not sparse.issparse(margins):
            result = np.array(chosen, dtype=bool)
            result[places] = False
            for row, columns in zip(places, best, strict=True):
                result[row, columns] = True
            return result
        rows = sparse.lil_matrix(chosen, dtype=bool)
        for place, columns in zip(places.tolist(), best, strict=True):
            rows.rows[place], rows.data[place] = columns.tolist(), [True] * len(columns)
        return rows.tocsr()

    def _best_set(self, columns: np.ndarray, values: Float[np.ndarray, " n"]) -> np.ndarray:
        """The columns of the best label set, in ascending order."""
        usable = values > -np.inf
        columns, values = columns[usable], values[usable].astype(np.float64)
        least = min(self.at_least, len(columns))
        most = len(columns) if self.at_most is None else self.at_most
        if not self.between_labels:
            order = np.lexsort((columns, -values))
            size = int(np.clip((values > 0).sum(), least, most))
            return np.sort(columns[order[:size]])
        return self._solve(columns, values, least)

    def _solve(self, columns: np.ndarray, values: Float[np.ndarray, " n"], least: int) -> np.ndarray:
        """The best label set as an integer linear programme, over the labels that have a score and those that they need."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        if not len(columns):
            return columns
        wanted = np.unique(self.needs[columns].indices)
        worst = -(2 * np.abs(values).sum() + 1)  # of a needed label without a score: more than all others could win
        gains = np.full(self.needs.shape[0], worst)
        gains[columns] = values
        place = np.full(len(gains), -1)
        place[wanted] = np.arange(len(wanted))
        rows: list[tuple[list[int], list[float], float, float]] = [
            ([int(place[a]), int(place[b])], [1.0, -1.0], -np.inf, 0.0) for a, b in self.implied if place[a] >= 0
        ]
        for group in self.groups:
            members = [int(place[label]) for label in group if place[label] >= 0]
            if len(members) > 1:
                rows.append((members, [1.0] * len(members), -np.inf, 1.0))
        if least or self.at_most is not None:
            most = np.inf if self.at_most is None else self.at_most
            rows.append((list(range(len(wanted))), [1.0] * len(wanted), least, most))
        ends = np.cumsum([0, *(len(row[0]) for row in rows)])
        matrix = sparse.csr_matrix(
            (np.concatenate([row[1] for row in rows]), np.concatenate([row[0] for row in rows]), ends), shape=(len(rows), len(wanted))
        )
        limits = LinearConstraint(matrix, [row[2] for row in rows], [row[3] for row in rows])
        found = milp(-gains[wanted], constraints=limits, integrality=np.ones(len(wanted)), bounds=Bounds(0, 1))
        if found.x is None:  # no label set of labels with scores is large enough
            return self._solve(columns, values, least - 1) if least else columns[:0]
        return wanted[found.x > 0.5]

    def _check(self, space: LabelSpace) -> None:
        torn = (self.needs @ self.excluded).multiply(self.needs).sum(axis=1)
        if (torn > 0).any():
            name = space.names[int(np.flatnonzero(torn)[0])]
            raise ConfigurationError(f"constraints: label '{name}' needs labels that exclude each other; drop one of the rules")
        sizes = np.diff(self.needs.indptr)
        if self.at_most is not None and (sizes > self.at_most).any():
            label = int(np.flatnonzero(sizes > self.at_most)[0])
            raise ConfigurationError(
                f"constraints: label '{space.names[label]}' comes with {sizes[label] - 1} others, more than at_most {self.at_most} allows"
            )
        if self.at_least > 1 and self.between_labels:
            raise ConfigurationError(
                f"constraints: beside rules between labels at_least {self.at_least} might leave no label set that obeys; use at_least 1"
            )


RULES = tuple(name for name in inspect.signature(Constraints).parameters if name != "space")


def check_sizes(at_least: Any = 0, at_most: Any = None, num_labels: int | None = None) -> tuple[int, int | None]:
    """The fewest and the most labels of a label set, as far as they can be.

    Raises:
        ConfigurationError: for what is no such number, or a least number above the most that there may be.
    """
    for name, value, lowest in (("at_least", at_least, 0), ("at_most", at_most, 1)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < lowest):
            raise ConfigurationError(f"constraints: {name} must be a whole number from {lowest} on, got {value!r}")
    least = at_least or 0
    for most, said in ((at_most, f"at_most {at_most}"), (num_labels, f"the {num_labels} labels that there are")):
        if most is not None and least > most:
            raise ConfigurationError(f"constraints: at_least {least} is more than {said}")
    return least, at_most


def _column(space: LabelSpace, name: str) -> int:
    if name not in space.index:
        raise ConfigurationError(f"constraints name '{name}', which is no label; {nearest(str(name), space.names[:50])}")
    return space.index[name]


def _closure(implied: np.ndarray, num_labels: int) -> sparse.csr_matrix:
    """What each label needs, and what that needs; every label needs itself."""
    needs = sparse.eye_array(num_labels, dtype=np.int64, format="csr")
    needs = needs + sparse.csr_array((np.ones(len(implied), dtype=np.int64), (implied[:, 0], implied[:, 1])), shape=needs.shape)
    while True:
        needs.data[:] = 1
        further = needs @ needs
        if further.nnz == needs.nnz:
            return sparse.csr_matrix(needs)
        needs = further


def _apart(groups: Sequence[Sequence[int]], num_labels: int) -> sparse.csr_matrix:
    pairs = {(one, other) for group in groups for one in group for other in group if one != other}
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    return sparse.csr_matrix((np.ones(len(pairs), dtype=np.int64), (rows, columns)), shape=(num_labels, num_labels))


def _to_tensor(matrix: sparse.csr_matrix, device: torch.device) -> Tensor:
    return torch.from_numpy(matrix.toarray()).float().to(device)


def _stored(margins: Any, row: int) -> tuple[np.ndarray, np.ndarray]:
    if sparse.issparse(margins):
        part = slice(margins.indptr[row], margins.indptr[row + 1])
        return margins.indices[part], margins.data[part]
    values = np.asarray(margins[row])
    return np.arange(len(values)), values
