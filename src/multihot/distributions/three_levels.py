"""Labels that are there, hard to tell, or not there, as three levels of probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import DataError
from ..interfaces import LabelDistribution
from .reading import as_floats, may_look, read_targets, shares

LEVELS = (1.0, 0.0, -1.0)  # positive, difficult, negative
DEGREES = (1.0, 0.5, 0.0)  # the same as targets
PROBABILITIES = (1.0, 0.5, 0.01)


def three_levels(levels: Float[Tensor, "B L"], probabilities: Sequence[float] = PROBABILITIES) -> Float[Tensor, "B L"]:
    """``p_P`` for each positive label, ``p_D`` for each difficult and ``p_N`` for each negative one, divided by their sum.

    Source: Gao et al. 2017.

    Args:
        levels: (B, L): 1 positive, 0 difficult, -1 negative.
        probabilities: ``p_P > p_D > p_N >= 0``; only their ratios matter.

    Returns:
        (B, L), rows sum to 1; uniform where all labels of a row are of one level.

    Raises:
        ValueError: for probabilities out of order.
        DataError: on the CPU, for a level that is none of the three.

    >>> three_levels(torch.tensor([[1, 0, -1, -1]]), (4, 2, 1))
    tensor([[0.5000, 0.2500, 0.1250, 0.1250]])
    """
    (levels,) = as_floats(levels)
    return _by_level(levels, LEVELS, probabilities, "levels")


def _by_level(values: Tensor, levels: tuple[float, float, float], probabilities: Sequence[float], what: str) -> Tensor:
    check_probabilities(probabilities)
    are = [values == level for level in levels]
    if may_look(values):
        wrong = ~(are[0] | are[1] | are[2])
        if bool(wrong.any()):
            row, label = wrong.nonzero()[0].tolist()
            positive, difficult, negative = (f"{level:g}" for level in levels)
            raise DataError(
                f"three_levels: {what}: row {row}, label {label} is {values[row, label].item():.6g}; give {positive} for a positive, "
                f"{difficult} for a difficult and {negative} for a negative label"
            )
    high, middle, low = (values.new_tensor(probability) for probability in probabilities)
    weights = torch.where(are[0], high, torch.where(are[1], middle, low))
    return shares(weights)


def check_probabilities(probabilities: Sequence[float]) -> None:
    """Refuse anything but three numbers ``p_P > p_D > p_N >= 0``."""
    given = list(probabilities)
    if len(given) != 3 or not all(math.isfinite(p) for p in given) or not given[0] > given[1] > given[2] >= 0:
        raise ValueError(f"the 'probabilities' parameter must be three numbers p_P > p_D > p_N >= 0, got {given}")


class ThreeLevelsDistribution(LabelDistribution):
    """Three levels of probability: for labels that are there, hard to tell (a degree of 0.5) and not there (Gao et al. 2017).

    Args:
        probabilities: of a positive, a difficult and a negative label, ``p_P > p_D > p_N >= 0``; each row is divided by its sum.

    Raises:
        ValueError: for probabilities out of order.

    >>> ThreeLevelsDistribution([4, 2, 1])(torch.tensor([[1.0, 0.5, 0.0, 0.0]]))
    tensor([[0.5000, 0.2500, 0.1250, 0.1250]])
    """

    def __init__(self, probabilities: Sequence[float] = PROBABILITIES):
        super().__init__()
        check_probabilities(probabilities)
        self.probabilities = tuple(probabilities)

    def forward(self, targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Targets (B, L), 1 positive, 0.5 difficult, 0 negative -> distributions (B, L)."""
        return _by_level(read_targets("three_levels", targets), DEGREES, self.probabilities, "targets")
