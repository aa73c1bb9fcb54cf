"""The instances that a report lets people look through: all of them, or a stated sample that favours mistakes."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from scipy import sparse

from .reading import Runs, read_excerpts

MOST = 4000  # instances in a page
BYTES = 3_200_000  # of excerpts and labels in a page
DIGITS = 3  # of a score
MISTAKES = 0.75  # share of the sample, where there are so many
PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp", b"BM": "image/bmp"}


def sample(mistaken: np.ndarray, most: int, seed: int = 0) -> np.ndarray:
    """Rows to show, in random order: all where they are few, else three quarters mistakes where there are so many.

    Args:
        mistaken: (N,) boolean: some run got this instance wrong.
        most: at most so many rows.
        seed: of the draw.

    >>> len(sample(np.array([True, False, False]), most=2)), 0 in sample(np.array([True, False, False]), most=2)
    (2, True)
    """
    draw = np.random.default_rng(seed)
    wrong, right = (draw.permutation(np.flatnonzero(rows)) for rows in (mistaken, ~mistaken))
    if len(mistaken) <= most:
        return draw.permutation(len(mistaken))
    take_wrong = min(len(wrong), max(int(most * MISTAKES), most - len(right)))
    return draw.permutation(np.concatenate([wrong[:take_wrong], right[: most - take_wrong]]))


def instances(runs: Runs) -> dict[str, Any]:
    """The instances of a page.

    Returns:
        ``total`` and ``mistaken``: how many there are in the split; ``rows``: those shown, in the order of the split, each
        ``[id, true columns, chosen columns a run, scores a run, excerpt]``, where scores are those of all columns named in the row, in
        rising order of columns, and chosen columns are in the order in which the run emitted them, where it did so one after another.
    """
    mistaken = np.zeros(len(runs.ids), dtype=bool)
    for chosen in runs.chosen:
        mistaken |= (chosen != runs.targets).getnnz(axis=1) > 0
    rows = sample(mistaken, MOST)
    kept = read_excerpts(runs.runs[0], runs.split, runs.order[0][rows])
    excerpts = [_shown(excerpt) for excerpt in kept] if kept is not None else [None] * len(rows)
    labels = runs.targets.getnnz(axis=1) + sum(chosen.getnnz(axis=1) for chosen in runs.chosen)
    sizes = np.array([len((excerpt or "").encode()) for excerpt in excerpts]) + 40 + 8 * (1 + len(runs.runs)) * labels[rows]
    fitting = np.flatnonzero(np.cumsum(sizes) <= BYTES)
    shown = sorted(fitting.tolist(), key=lambda place: rows[place])
    packed = _packed(runs, rows[shown])
    return {
        "total": len(runs.ids),
        "mistaken": int(mistaken.sum()),
        "rows": [[*row, excerpts[place]] for row, place in zip(packed, shown, strict=True)],
    }


def _packed(runs: Runs, rows: np.ndarray) -> list[list[Any]]:
    """``[id, true columns, chosen columns a run, readable scores a run]`` of some rows."""
    own_column = [np.full(len(runs.labels), -1) for _ in runs.runs]
    for own, columns in zip(own_column, runs.columns, strict=True):
        own[columns] = np.arange(len(columns))
    packed = []
    for row in rows.tolist():
        true = _columns(runs.targets, row)
        chosen = [_given(runs, run, row) for run in range(len(runs.runs))]
        named = sorted({*true, *(label for columns in chosen for label in columns)})
        scores = [_scores(run.readable, order[row], own[named]) for run, order, own in zip(runs.runs, runs.order, own_column, strict=True)]
        packed.append([runs.ids[row], true, chosen, scores])
    return packed


def _given(runs: Runs, run: int, row: int) -> list[int]:
    """The columns that a run chose, in the order of its sequence where it has one."""
    sequences = runs.runs[run].prediction.sequences
    if sequences is None:
        return _columns(runs.chosen[run], row)
    return runs.columns[run][sequences[runs.order[run][row]]].tolist()


def _columns(matrix: sparse.csr_matrix, row: int) -> list[int]:
    return sorted(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]].tolist())


def _scores(scores: Any, row: int, columns: np.ndarray) -> list[float | None]:
    """Scores of one instance; None for a label that the run does not know or keeps no score of."""
    if sparse.issparse(scores):
        inside = slice(scores.indptr[row], scores.indptr[row + 1])
        known = dict(zip(scores.indices[inside].tolist(), scores.data[inside].tolist(), strict=True))
        values = [known.get(column) for column in columns.tolist()]
    else:
        values = [float(scores[row, column]) if column >= 0 else None for column in columns.tolist()]
    return [None if value is None or not np.isfinite(value) else round(value, DIGITS) for value in values]


def _shown(excerpt: str | bytes | None) -> str | None:
    """A text as it is, a picture as a data address."""
    if not isinstance(excerpt, bytes):
        return excerpt
    kind = next((kind for start, kind in PICTURES.items() if excerpt.startswith(start)), "image/png")
    return f"data:{kind};base64,{base64.b64encode(excerpt).decode()}"
