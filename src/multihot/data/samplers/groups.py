"""Draws groups of rows by given chances, and from every group its rows in turn."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse


def draw_from_groups(
    groups: Bool[sparse.csc_matrix, "N G"], chances: Float[np.ndarray, " G"], size: int, random: np.random.Generator
) -> Int[np.ndarray, " size"]:
    """Draw a group ``size`` times, and each time a row of it: a group goes through all its rows before it repeats one.

    Args:
        groups: True where a row belongs to a group; a row may belong to several.
        chances: what each group's probability is proportional to; 0 for a group without rows.
        size: how many rows to draw.
        random: where all chance comes from.

    Returns:
        Row numbers, group after group.

    >>> groups = sparse.csc_matrix([[True, False], [True, True]])
    >>> rows = draw_from_groups(groups, np.array([1.0, 1.0]), 1000, np.random.default_rng(0))
    >>> bool(abs(np.mean(rows == 0) - 0.25) < 0.05)
    True
    """
    wanted = random.multinomial(size, chances / chances.sum())
    parts = []
    for group in np.flatnonzero(wanted):
        members = groups.indices[groups.indptr[group] : groups.indptr[group + 1]]
        rounds = [random.permutation(members) for _ in range(-(-wanted[group] // len(members)))]
        parts.append(np.concatenate(rounds)[: wanted[group]])
    return np.concatenate(parts).astype(np.int64)
