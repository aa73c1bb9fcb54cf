"""In which order, and on which rows, a calibration and a decision learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool
from scipy import sparse

from ..interfaces import Calibration, Decision


def fit_in_turn(
    calibration: Calibration | None,
    decision: Decision | None,
    own: Any,
    targets: Any,
    known: Any = None,
    kept: Bool[np.ndarray, " N"] | None = None,
) -> None:
    """Fit the calibration on a model's own scores, and then the decision on calibrated ones; a decision that promises gets rows of its own.

    Args:
        calibration: None leaves scores as they are.
        decision: None for a method that decides without one.
        own: (N, L) scores of rows that the model was not trained on.
        targets: (N, L).
        known: (N, L), or None where everything is annotated.
        kept: (N,), the rows that were kept for a decision that promises. None: nothing was chosen by any of the rows.
    """
    calibrates = decides = np.ones(own.shape[0], dtype=bool)
    if decision is not None and decision.promises:
        if kept is None and calibration is not None:
            kept = half_of(own.shape[0])
        if kept is not None and kept.any():
            calibrates, decides = ~kept, kept
    if calibration is not None:
        calibration.fit(*_rows(calibrates, own, targets, known))
    if decision is not None:
        decision.fit(*_rows(decides, calibration(own) if calibration is not None else own, targets, known))
        if kept is not None and not kept.any():
            decision.withdraw()


def half_of(rows: int) -> Bool[np.ndarray, " N"]:
    """Which rows of a validation split are kept for a decision that promises: half of them, the same ones every time, whatever they hold.

    >>> int(half_of(7).sum())
    4
    """
    kept = np.zeros(rows, dtype=bool)
    kept[np.random.default_rng(0).permutation(rows)[rows // 2 :]] = True
    return kept


def _rows(chosen: Any, *matrices: Any) -> list[Any]:
    """Some rows of each matrix; None stays."""
    numbers = np.flatnonzero(chosen)
    return [None if matrix is None else (matrix.tocsr() if sparse.issparse(matrix) else matrix)[numbers] for matrix in matrices]
