"""A label set as a mixture of normal distributions over the places where its labels stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..interfaces import LabelDistribution
from ..labels import LabelSpace, LabelStatistics
from .axes import label_positions
from .embeddings import co_occurrence_positions, read_positions
from .reading import as_floats, check_sigma, positive_number, read_targets, shares


def mixture(targets: Float[Tensor, "B L"], positions: Float[Tensor, "L d"], sigma: float | Float[Tensor, " L"]) -> Float[Tensor, "B L"]:
    """Mixture of one normal distribution a label, each normalised over the labels, so that labels near a true one get mass too.

    ``y_l = sum_k w_k N_kl`` with ``w_k = t_k / sum_j t_j`` and ``N_kl = exp(-|p_l - p_k|^2 / (2 sigma_k^2)) / sum_j exp(-|p_j - p_k|^2 /
    (2 sigma_k^2))``: idea A of Zhang (n.d.). No entry is exactly 0, as far as the precision reaches.

    Args:
        targets: (B, L) in [0, 1]: a label set or a distribution a row.
        positions: (L, d) where the labels stand: on an axis, or their vectors in an embedding; (L,) is read as (L, 1).
        sigma: standard deviation in the unit of the positions, above 0: a number, or (L,) one a label.

    Returns:
        (B, L), rows sum to 1; uniform where a row is empty.

    Raises:
        ValueError: if shapes do not belong together.
        DataError: on the CPU, for a sigma that is not above 0, or targets outside [0, 1].

    >>> mixture(torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([0.0, 1.0, 2.0]), sigma=0.5)
    tensor([[0.4404, 0.1192, 0.4404]])
    """
    targets, positions, sigma = as_floats(read_targets("mixture", targets), positions, sigma)
    return _mixed(targets, _components(positions, sigma, targets.shape[1]))


def _components(positions: Tensor, sigma: Tensor, labels: int) -> Float[Tensor, "L L"]:
    """Row k: the normal distribution around label k."""
    positions = positions[:, None] if positions.ndim == 1 else positions
    if positions.ndim != 2 or len(positions) != labels or sigma.shape not in ((), (labels,)):
        shapes = f"{tuple(positions.shape)} and {tuple(sigma.shape)}"
        raise ValueError(f"mixture: for {labels} labels, positions must be ({labels}, d) and sigma a number or ({labels},), got {shapes}")
    check_sigma("mixture", sigma)
    distances = torch.cdist(positions, positions, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.softmax(-0.5 * (distances / sigma.reshape(-1, 1)) ** 2, dim=-1)


def _mixed(targets: Float[Tensor, "B L"], components: Float[Tensor, "L L"]) -> Float[Tensor, "B L"]:
    weights = shares(targets)
    return torch.where(targets.sum(1, keepdim=True) > 0, weights @ components, weights)


class MixtureDistribution(LabelDistribution):
    """Mixture of normal distributions around a row's labels, over an axis or over an embedding of the labels (Zhang n.d., idea A).

    Args:
        label_space: the labels.
        sigma: standard deviation in the unit of the positions, above 0: a number, or a list, one a label.
        positions: where the labels stand: ``"axis"``, their names, which are numbers; ``"co_occurrence"``, vectors whose distances
            follow from how often labels occur together in training; the path of a file with label vectors, ``.npy`` with (L, d) numbers
            in the order of the labels or CSV with the label's name first in each row; or a matrix, L rows of d numbers.
        dimensions: of the co-occurrence vectors; None takes as many as there are.
        statistics: label statistics of the training split, for ``"co_occurrence"``.

    Raises:
        ValueError: for a sigma that is not above 0, or positions that are not one a label.
        ConfigurationError: if the label names are no numbers where ``positions`` is ``"axis"``, or the file does not fit the labels.

    >>> distribution = MixtureDistribution(LabelSpace(["0", "1", "2"]), sigma=0.5)
    >>> distribution(torch.tensor([[1.0, 0.0, 1.0]]))
    tensor([[0.4404, 0.1192, 0.4404]])
    """

    def __init__(
        self,
        label_space: LabelSpace,
        sigma: float | Sequence[float],
        positions: str | Sequence[Sequence[float]] = "axis",
        dimensions: int | None = None,
        statistics: LabelStatistics | None = None,
    ):
        super().__init__()
        several = isinstance(sigma, Sequence) and not isinstance(sigma, str)
        spreads = [positive_number("sigma", one) for one in sigma] if several else positive_number("sigma", sigma)  # type: ignore[union-attr]
        places, widths = as_floats(_positions(label_space, positions, dimensions, statistics), np.asarray(spreads, dtype=np.float64))
        self.components = _components(places, widths, len(label_space))  # no buffer: some devices have no float64

    def forward(self, targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Label sets (B, L) -> mixtures (B, L); see ``mixture``."""
        targets = read_targets("mixture", targets)
        return _mixed(targets, self.components.to(targets))


def _positions(
    label_space: LabelSpace, positions: str | Sequence[Sequence[float]], dimensions: int | None, statistics: LabelStatistics | None
) -> Float[np.ndarray, "L d"]:
    if positions == "axis":
        return label_positions(label_space)
    if positions == "co_occurrence":
        if statistics is None:
            raise ValueError("positions 'co_occurrence' needs the label statistics of the training split; give 'statistics'")
        return co_occurrence_positions(statistics, dimensions)
    if isinstance(positions, str):
        return read_positions(positions, label_space)
    return np.asarray(positions, dtype=np.float64)
