"""Where labels stand: the axis that their names are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from ..errors import ConfigurationError
from ..labels import LabelSpace

NAMES = {1: "a number each, such as '34'", 2: "two numbers joined by a comma each, such as '-15,30'"}


def label_positions(label_space: LabelSpace, dimensions: int | None = None) -> Float[np.ndarray, "L d"]:
    """The labels' positions, (L, d) float64.

    Args:
        label_space: whose names are numbers, or numbers joined by commas.
        dimensions: how many numbers a name must have; None takes any.

    Raises:
        ConfigurationError: if the names are no such numbers, or two labels stand at one place.

    >>> label_positions(LabelSpace(["10", "12.5"])).tolist()
    [[10.0], [12.5]]
    """
    positions = label_space.positions
    if positions is None or dimensions not in (None, positions.shape[1]):
        wanted = NAMES[dimensions] if dimensions else NAMES[1]
        some = ", ".join(repr(name) for name in label_space.names[:3])
        raise ConfigurationError(
            f"the labels ({some}, ...) have no such axis: it needs label names of {wanted}; rename the labels, or choose a distribution "
            "without an axis, such as uniform_smoothing"
        )
    _, first, count = np.unique(positions, axis=0, return_index=True, return_counts=True)
    if (count > 1).any():
        name = label_space.names[first[count > 1][0]]
        raise ConfigurationError(f"label '{name}' stands at the same place as another; give every label a position of its own")
    return positions


def step(positions: Float[np.ndarray, "L d"]) -> float:
    """How far labels stand apart: the median over labels of the distance to the nearest other; 1 where there is one label only.

    >>> step(np.array([[0.0], [5.0], [10.0], [30.0]]))
    5.0
    """
    if len(positions) < 2:
        return 1.0
    return float(np.median(KDTree(positions).query(positions, k=2)[0][:, 1]))
