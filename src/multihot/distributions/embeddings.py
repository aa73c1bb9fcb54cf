"""Vectors of labels that have no axis: from how they occur together, or from a file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..errors import ConfigurationError, nearest
from ..labels import LabelSpace, LabelStatistics


def co_occurrence_positions(statistics: LabelStatistics, dimensions: int | None = None) -> Float[np.ndarray, "L d"]:
    """Label vectors whose inner products are the cosines of the labels' columns in the training targets.

    ``c_ij = n_ij / sqrt(n_i n_j)``, eigenvectors times the square roots of the largest eigenvalues; so ``|p_i - p_j|^2 = 2 - 2 c_ij``
    with all dimensions: 0 for labels that always occur together, 2 for labels that never do.

    Args:
        statistics: of the training split.
        dimensions: d, at least 1; None keeps all L.

    Returns:
        (L, d) float64.

    Raises:
        ValueError: for less than one dimension.

    >>> positions = co_occurrence_positions(LabelStatistics.from_targets([[1, 1, 0], [1, 1, 0], [0, 0, 1]]))
    >>> float(np.linalg.norm(positions[0] - positions[1]).round(6)), float(np.linalg.norm(positions[0] - positions[2]).round(6))
    (0.0, 1.414214)
    """
    if dimensions is not None and dimensions < 1:
        raise ValueError(f"the 'dimensions' parameter must be at least 1, got {dimensions!r}")
    counts = np.maximum(statistics.counts, 1)
    cosines = statistics.co_occurrence.toarray() / np.sqrt(np.outer(counts, counts))
    np.fill_diagonal(cosines, 1.0)  # a label that never occurs is like no other
    values, vectors = np.linalg.eigh(cosines)
    positions = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1]  # the largest eigenvalues last -> first
    return np.ascontiguousarray(positions[:, :dimensions])


def read_positions(path: str, label_space: LabelSpace) -> Float[np.ndarray, "L d"]:
    """Label vectors from a file: ``.npy`` with (L, d) numbers, or CSV with the label's name first in each row.

    Raises:
        ConfigurationError: if the file is not there, cannot be read, or has no vector for a label.
    """
    file = Path(path)
    try:
        positions = np.load(file, mmap_mode="r", allow_pickle=False) if file.suffix == ".npy" else _read_csv(file, label_space)
    except FileNotFoundError:
        raise ConfigurationError(f"positions: there is no file {path}; give a file, 'axis', 'co_occurrence' or a matrix") from None
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(f"positions: {path} cannot be read ({error}); give .npy or CSV with the label's name first") from error
    if positions.ndim != 2 or len(positions) != len(label_space) or not np.isfinite(positions).all():
        raise ConfigurationError(f"positions: {path} holds shape {positions.shape}; needed are {len(label_space)} rows of finite numbers")
    return positions.astype(np.float64)


def _read_csv(file: Path, label_space: LabelSpace) -> Float[np.ndarray, "L d"]:
    vectors: dict[str, list[float]] = {}
    with file.open(newline="", encoding="utf-8") as lines:
        for number, row in enumerate(csv.reader(lines), 1):
            if row and row[0] in label_space.index:
                try:
                    vectors[row[0]] = [float(cell) for cell in row[1:]]
                except ValueError as error:
                    raise ConfigurationError(f"positions: {file}: line {number}: {error}; give the label's name and then numbers") from None
    for name in label_space.names:
        if name not in vectors:
            raise ConfigurationError(f"positions: {file} has no row for the label '{name}'; {nearest(name, list(vectors)[:50])}")
    sizes = {len(vector) for vector in vectors.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise ConfigurationError(f"positions: {file} has rows of {sorted(sizes)} numbers; give as many for every label")
    return np.asarray([vectors[name] for name in label_space.names])
