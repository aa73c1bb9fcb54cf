"""What a loss's settings may be: ranges, and the label counts of the training split."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import ConfigurationError, DataError
from ...labels import LabelStatistics


def check_at_least(name: str, value: float, least: float) -> float:
    """The value of a setting, if it is a finite number not below ``least``.

    >>> check_at_least("gamma", 2.0, 0)
    2.0
    """
    if not (math.isfinite(value) and value >= least):
        raise ConfigurationError(f"the '{name}' parameter must be a number of at least {least}, got {value!r}")
    return value


def check_above(name: str, value: float, bound: float) -> float:
    """The value of a setting, if it is a finite number above ``bound``.

    >>> check_above("scale", 2.0, 0)
    2.0
    """
    if not (math.isfinite(value) and value > bound):
        raise ConfigurationError(f"the '{name}' parameter must be a number above {bound}, got {value!r}")
    return value


def check_within(name: str, value: float, open_end: bool = False) -> float:
    """The value of a setting, if it lies in [0, 1], or in [0, 1) with ``open_end``.

    >>> check_within("alpha", 0.25)
    0.25
    """
    if not (0 <= value < 1 or (value == 1 and not open_end)):
        raise ConfigurationError(f"the '{name}' parameter must lie in [0, 1{')' if open_end else ']'}, got {value!r}")
    return value


def counts_of(loss: str, statistics: LabelStatistics | None) -> Float[Tensor, " L"]:
    """How many training instances carry each label; a loss that needs to know says so where nobody supplied it.

    >>> counts_of("DABLoss", LabelStatistics.from_targets([[1, 0], [1, 1]]))
    tensor([2., 1.])
    """
    if statistics is None:
        raise ConfigurationError(
            f"{loss} needs `statistics`, the label counts of the training split; give statistics=LabelStatistics.from_targets(targets)"
        )
    return torch.as_tensor(statistics.counts, dtype=torch.float32)


def read_counts(loss: str, counts: Float[Tensor, " L"] | Float[np.ndarray, " L"], logits: Float[Tensor, "B L"]) -> Float[Tensor, " L"]:
    """Counts where the logits are and of their type; a label that training never showed counts as shown once.

    Raises:
        DataError: if there is not one count a label.

    >>> read_counts("dab_loss", torch.tensor([4, 0]), torch.zeros(1, 2))
    tensor([4., 1.])
    """
    counts = torch.as_tensor(counts, dtype=logits.dtype, device=logits.device)
    if counts.shape != logits.shape[-1:]:
        raise DataError(f"{loss}: counts have shape {tuple(counts.shape)}, but logits {tuple(logits.shape)} ask for one a label")
    return counts.clamp(min=1)


def check_count(name: str, value: int) -> int:
    """The value of a setting, if it is a whole number of at least 1.

    >>> check_count("k", 3)
    3
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"the '{name}' parameter must be a whole number of at least 1, got {value!r}")
    return value
