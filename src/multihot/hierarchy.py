"""Labels that form a tree: which label stands above which."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from .errors import ConfigurationError, nearest
from .labels import LabelSpace

ROOT = -1  # stands in for the parent of a label that has none


def parents_of(space: LabelSpace, parents: Mapping[str, str]) -> Int[np.ndarray, " L"]:
    """The column of each label's parent.

    Args:
        space: the L labels.
        parents: child -> parent by name; a label that is not named is a root.

    Returns:
        (L,), -1 for a root.

    Raises:
        ConfigurationError: for a name that is no label, or labels that stand above themselves.

    >>> parents_of(LabelSpace(["animal", "cat", "car"]), {"cat": "animal"}).tolist()
    [-1, 0, -1]
    """
    found = np.full(len(space), ROOT)
    for child, parent in parents.items():
        for name in (child, parent):
            if name not in space.index:
                raise ConfigurationError(f"the label tree names '{name}', which is no label; {nearest(name, space.names[:50])}")
        found[space.index[child]] = space.index[parent]
    for label in range(len(space)):
        above, steps = label, 0
        while (above := found[above]) != ROOT:
            steps += 1
            if steps > len(space):
                raise ConfigurationError(f"the label tree has a circle above '{space.names[label]}'; every label needs a root above it")
    return found


def ancestors_of(parents: Int[np.ndarray, " L"]) -> Int[np.ndarray, "L D"]:
    """All labels that stand above each one, the nearest first; D is the depth of the tree.

    Args:
        parents: (L,), -1 for a root.

    Returns:
        (L, D), filled up with -1.

    >>> ancestors_of(np.array([-1, 0, 1])).tolist()
    [[-1, -1], [0, -1], [1, 0]]
    """
    levels = []
    above = parents
    while (above != ROOT).any():
        levels.append(above)
        above = np.where(above == ROOT, ROOT, parents[above])
    return np.stack(levels, axis=1) if levels else np.empty((len(parents), 0), dtype=np.int64)
