"""Axes of numbers that labels lie on: written in short, checked, and turned into label names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from ...errors import DataError

MOST_LABELS = 100_000  # of one axis; a mistaken step would ask for millions


def axis_of(given: str | Sequence[str], where: str) -> Float[np.ndarray, " L"]:
    """The numbers of an axis, ascending.

    Args:
        given: ``"0:100"`` (step 1), ``"-90:90:15"``, ``"1,2,5"``, or a list of numbers.
        where: the file, for error messages.

    Raises:
        DataError: for anything else, fewer than two numbers, or numbers that do not ascend.

    >>> axis_of("-30:30:15", "x.csv").tolist()
    [-30.0, -15.0, 0.0, 15.0, 30.0]
    """
    text = given if isinstance(given, str) else ",".join(given)
    try:
        if ":" in text:
            parts = [float(part) for part in text.split(":")]
            first, last, step = parts if len(parts) == 3 else (*parts, 1.0)
            count = int(np.floor((last - first) / step + 1e-9)) + 1 if step > 0 else 0
            numbers = first + step * np.arange(count) if count <= MOST_LABELS else np.empty(0)
        else:
            numbers = np.array([float(part) for part in text.split(",")])
    except (ValueError, OverflowError):
        numbers = np.empty(0)
    if not 2 <= len(numbers) <= MOST_LABELS or not np.isfinite(numbers).all() or any(a >= b for a, b in pairwise(numbers)):
        raise DataError(
            f"{where}: labels={text[:80]!r} is no axis; allowed are first:last, first:last:step, or ascending numbers joined by commas"
        )
    return numbers


def label_of(*position: float) -> str:
    """The name of the label at a position.

    >>> label_of(34.0), label_of(-30, 15.5)
    ('34', '-30,15.5')
    """
    return ",".join(f"{number + 0.0:.10g}" for number in position)  # adding zero turns -0 into 0


def check_on_axis(value: float, axis: Float[np.ndarray, " L"], what: str, where: str) -> int:
    """The index of the label nearest to a value.

    Raises:
        DataError: if the value lies more than half a step off the axis.
    """
    below, above = (axis[1] - axis[0]) / 2, (axis[-1] - axis[-2]) / 2
    if not axis[0] - below <= value <= axis[-1] + above:
        raise DataError(
            f"{where}: {what} is {value:g}, off the axis from {axis[0]:g} to {axis[-1]:g}; correct it, or give a wider axis with labels="
        )
    return int(np.abs(axis - value).argmin())
