"""Average precision and the area under the ROC curve: exact, so the scores of all instances are kept until the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse

from .counts import ratio
from .inputs import CHUNK_ENTRIES, Rows
from .ranks import PositiveRanks, SortedGroups, rank_positives, scores_of

POOLED = 2**22  # positives ranked at once among all entries


@dataclass(frozen=True)
class Curves:
    """Areas under curves.

    Args:
        average_precision: (L,); 0 for a label without positives, as in scikit-learn.
        auroc: (L,); NaN for a label without positives or without negatives.
        micro_ap: average precision over all entries taken together.
        auroc_micro: AUROC over all entries taken together; NaN without positives or without negatives.
    """

    average_precision: Float[np.ndarray, " L"]
    auroc: Float[np.ndarray, " L"]
    micro_ap: float
    auroc_micro: float


def compute_curves(parts: list[Rows]) -> Curves:
    """All areas from the rows seen so far."""
    targets = sparse.vstack([part.targets for part in parts], format="csr")
    known = np.sum([part.known_per_label for part in parts], axis=0)
    values = [scores_of(part.scores, part.targets) for part in parts]
    by_label = sparse.csr_matrix((np.arange(targets.nnz), targets.indices, targets.indptr), shape=targets.shape).tocsc()
    positives, ends = np.concatenate(values)[by_label.data], by_label.indptr.astype(np.int64)
    label_areas = _sparse_areas if sparse.issparse(parts[0].scores) else _dense_areas
    average_precision, auroc = label_areas(parts, ends, positives, known)
    return Curves(average_precision, auroc, *_pooled(parts, positives, int(known.sum())))


def _dense_areas(parts: list[Rows], ends: np.ndarray, positives: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    num_rows = sum(part.scores.shape[0] for part in parts)
    width = max(1, CHUNK_ENTRIES // max(num_rows, 1))
    found = []
    for a in range(0, len(known), width):
        b = min(a + width, len(known))
        block = np.concatenate([part.scores[:, a:b] for part in parts]).T
        inside = slice(ends[a], ends[b])
        ranks = rank_positives(SortedGroups.from_dense(np.ascontiguousarray(block)), ends[a : b + 1] - ends[a], positives[inside])
        found.append(_areas(ranks, np.diff(ends[a : b + 1]), known[a:b]))
    return np.concatenate([ap for ap, _ in found]), np.concatenate([auroc for _, auroc in found])


def _sparse_areas(parts: list[Rows], ends: np.ndarray, positives: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores = sparse.vstack([part.scores for part in parts], format="csc")
    ranks = rank_positives(SortedGroups.from_sparse(scores, known), ends, positives)
    return _areas(ranks, np.diff(ends), known)


def _areas(ranks: PositiveRanks, positives: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision: mean precision at the positives. AUROC: chance that a positive outranks a negative, ties count half."""
    precision = np.bincount(ranks.group, weights=ranks.precision, minlength=len(known))
    outranked_by = np.bincount(ranks.group, weights=(ranks.negatives_at_least + ranks.negatives_above) / 2, minlength=len(known))
    pairs = positives * (known - positives).astype(np.float64)
    return ratio(precision, positives), np.where(pairs > 0, 1 - ratio(outranked_by, pairs), np.nan)


def _pooled(parts: list[Rows], positives: np.ndarray, size: int) -> tuple[float, float]:
    """Average precision and AUROC over all entries as one group; in slices, since every entry may be a positive."""
    is_sparse = sparse.issparse(parts[0].scores)
    every = np.concatenate([part.scores.data if is_sparse else part.scores.ravel() for part in parts])
    every.sort()
    every = every[: len(every) - int(np.isnan(every).sum())]
    mine = np.sort(positives)
    precision = outranked_by = 0.0
    for start in range(0, len(mine), POOLED):
        needles = mine[start : start + POOLED]
        counts = [len(ordered) - ordered.searchsorted(needles, side=side) for ordered in (every, mine) for side in ("left", "right")]
        at_least = np.where(np.isneginf(needles), size, counts[0])
        precision += float((counts[2] / at_least).sum())
        outranked_by += float((at_least - counts[2] + counts[1] - counts[3]).sum()) / 2
    pairs = len(mine) * (size - len(mine))
    return precision / len(mine) if len(mine) else 0.0, 1 - outranked_by / pairs if pairs else float("nan")
