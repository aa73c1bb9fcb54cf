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
        per run ``[label, other label, true count, predicted count]``, the largest difference first.

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
        "differences": [_differences(truth, counts) for counts in predicted],
    }


def _differences(truth: sparse.csr_matrix, predicted: sparse.csr_matrix) -> list[list[int]]:
    gap = sparse.coo_matrix(sparse.triu(predicted - truth, k=1))
    largest = np.argsort(-np.abs(gap.data), kind="stable")[:PAIRS]
    places = [(int(gap.row[i]), int(gap.col[i])) for i in largest if gap.data[i]]
    return [[a, b, int(truth[a, b]), int(predicted[a, b])] for a, b in places]
