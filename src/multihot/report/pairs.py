"""Which labels occur together, in truth and as predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

SHOWN = 16  # labels in the drawing
PAIRS = 12  # in the list of pairs that differ most


def together(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """(L, L) integer: instances that carry both labels, the diagonal those that carry one; matrix: (N, L) boolean."""
    ones = sparse.csr_matrix(matrix, dtype=np.int64)
    return sparse.csr_matrix(ones.T @ ones)


def label_pairs(targets: sparse.csr_matrix, chosen: list[sparse.csr_matrix]) -> dict[str, Any]:
    """Co-occurrence of the most frequent labels, and the pairs whose predicted count is furthest from the true one.

    Args:
        targets: (N, L) boolean.
        chosen: one (N, L) boolean matrix a run.

    Returns:
        ``labels``: K columns, the most frequent first; ``true``: (K, K) counts; ``predicted``: one (K, K) a run; ``differences``:
        per run ``[label, other label, true count, predicted count]``, the largest difference first; ``changes``: per run what became of
        the first run's pairs, ``[label, other label, true count, the first run's count, this run's count]``, the largest change first.

    >>> truth = sparse.csr_matrix([[True, True], [True, False]])
    >>> label_pairs(truth, [sparse.csr_matrix([[True, False], [True, False]])])["differences"]
    [[[0, 1, 1, 0]]]
    """
    truth = together(targets)
    counts = truth.diagonal()
    labels = np.argsort(-counts, kind="stable")[: min(SHOWN, int((counts > 0).sum()))]
    predicted = [together(matrix) for matrix in chosen]
    return {
        "labels": labels.tolist(),
        "true": truth[np.ix_(labels, labels)].toarray().tolist(),
        "predicted": [counts[np.ix_(labels, labels)].toarray().tolist() for counts in predicted],
        "differences": [[[a, b, int(truth[a, b]), int(counts[a, b])] for a, b in _furthest(truth, counts)] for counts in predicted],
        "changes": [
            [[a, b, int(truth[a, b]), int(predicted[0][a, b]), int(counts[a, b])] for a, b in _furthest(predicted[0], counts)]
            for counts in predicted
        ],
    }


def _furthest(one: sparse.csr_matrix, other: sparse.csr_matrix) -> list[tuple[int, int]]:
    """The pairs of labels whose counts differ most."""
    gap = sparse.coo_matrix(sparse.triu(other - one, k=1))
    largest = np.argsort(-np.abs(gap.data), kind="stable")[:PAIRS]
    return [(int(gap.row[i]), int(gap.col[i])) for i in largest if gap.data[i]]
