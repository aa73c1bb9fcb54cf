"""A value on an ordered axis as a normal distribution over the labels of that axis."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..interfaces import LabelDistribution
from ..labels import LabelSpace
from .axes import label_positions, step
from .reading import as_floats, check_on_axis, check_one_place, check_sigma, positive_number, read_targets, shares


def gaussian(
    values: Float[Tensor, " B"], axis: Float[Tensor, " L"], sigma: float | Float[Tensor, " B"] | Float[Tensor, "1 L"]
) -> Float[Tensor, "B L"]:
    """Normal distribution around each value, normalised over the labels.

    ``y_l = exp(-(a_l - v)^2 / (2 sigma^2)) / sum_j exp(-(a_j - v)^2 / (2 sigma^2))`` (Gao et al. 2017).

    Args:
        values: (B,), each between the lowest and the highest position of the axis, in its unit; need not be the position of a label.
        axis: (L,), positions of the labels, in any order and at any distances.
        sigma: standard deviation in the unit of the axis, above 0: a number; (B,) one an instance; or (1, L) one a label, of which
            each value takes that of the label where it stands, linearly between two labels. (L,) is read as (1, L) where L is not B.

    Returns:
        (B, L), rows sum to 1, in the highest precision among the arguments, at least float32; differentiable in ``sigma``.

    Raises:
        ValueError: if shapes do not belong together.
        DataError: on the CPU, for a sigma that is not above 0 or a value off the axis.

    >>> gaussian(torch.tensor([1.0]), torch.tensor([0.0, 1.0, 2.0]), sigma=1.0)
    tensor([[0.2741, 0.4519, 0.2741]])
    """
    values, axis, sigma = as_floats(values, axis, sigma)
    if values.ndim != 1 or axis.ndim != 1 or not len(axis):
        raise ValueError(f"gaussian: values must be (B,) and axis (L,), got {tuple(values.shape)} and {tuple(axis.shape)}")
    check_sigma("gaussian", sigma)
    check_on_axis("gaussian", values[:, None], [axis])
    spread = _sigma_of_instances(values, axis, sigma)
    return torch.softmax(-0.5 * ((axis - values[:, None]) / spread) ** 2, dim=-1)


def _sigma_of_instances(values: Float[Tensor, " B"], axis: Float[Tensor, " L"], sigma: Tensor) -> Tensor:
    """Something that broadcasts to (B, 1)."""
    count, labels = len(values), len(axis)
    if sigma.ndim == 0 or sigma.shape == (count, 1):
        return sigma
    if sigma.shape == (count,):
        return sigma[:, None]
    if sigma.shape in ((1, labels), (labels,)):
        return _interpolated(values, axis, sigma.reshape(labels))[:, None]
    raise ValueError(
        f"gaussian: sigma has shape {tuple(sigma.shape)}; give a number, ({count},) for one an instance, or (1, {labels}) for one a label"
    )


def _interpolated(values: Float[Tensor, " B"], axis: Float[Tensor, " L"], heights: Float[Tensor, " L"]) -> Float[Tensor, " B"]:
    """The heights, given at the labels, at the values in between."""
    if len(axis) == 1:
        return heights.expand(len(values))
    order = axis.argsort()
    axis, heights = axis[order], heights[order]
    right = torch.searchsorted(axis, values.contiguous()).clamp(1, len(axis) - 1)
    share = (values - axis[right - 1]) / (axis[right] - axis[right - 1])
    return heights[right - 1] * (1 - share) + heights[right] * share


class GaussianDistribution(LabelDistribution):
    """Normal distribution around the position of a row's label, over labels whose names are numbers (Gao et al. 2017).

    The value is the label's position; where the target is a distribution already, its expectation. A row without a label says nothing:
    it becomes uniform.

    Args:
        label_space: the labels; their names are their positions.
        sigma: standard deviation in the unit of the axis: a number; a list, one a label; or ``"targets"``: that of each row's target
            distribution (the annotators' spread). None: the distance at which labels stand apart.
        least_sigma: with ``sigma="targets"``, the least spread a row gets; None: half the distance at which labels stand apart.

    Raises:
        ValueError: for a sigma that is not above 0, or not one a label.
        ConfigurationError: if the label names are no numbers.

    >>> distribution = GaussianDistribution(LabelSpace(["0", "1", "2"]), sigma=1)
    >>> distribution(torch.tensor([[0.0, 1.0, 0.0]]))
    tensor([[0.2741, 0.4519, 0.2741]])
    """

    def __init__(self, label_space: LabelSpace, sigma: float | Sequence[float] | str | None = None, least_sigma: float | None = None):
        super().__init__()
        positions = label_positions(label_space, 1)
        self.axis = torch.from_numpy(positions[:, 0])  # no buffer: some devices have no float64
        self.of_targets = sigma == "targets"
        self.least_sigma = positive_number("least_sigma", step(positions) / 2 if least_sigma is None else least_sigma)
        if isinstance(sigma, Sequence) and not isinstance(sigma, str):
            if len(sigma) != len(label_space):
                raise ValueError(f"the 'sigma' parameter must be one number or one a label: {len(label_space)}, got {len(sigma)}")
            self.sigma = torch.tensor([[positive_number("sigma", one) for one in sigma]], dtype=torch.float64)
        else:
            number = positive_number("sigma", step(positions) if sigma is None or self.of_targets else sigma)
            self.sigma = torch.tensor(number, dtype=torch.float64)

    def forward(self, targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """One label or a distribution a row (B, L) -> normal distributions (B, L).

        Raises:
            DataError: on the CPU, for a row that does not sum to 1.
        """
        targets = read_targets("gaussian", targets)
        check_one_place("gaussian", targets)
        axis, given = self.axis.to(targets), shares(targets)
        values = (given @ axis).clamp(axis.min(), axis.max())  # rounding may carry an expectation past the last label
        sigma = self.sigma.to(targets)
        if self.of_targets:
            variance = (given * (axis - values[:, None]) ** 2).sum(-1)
            sigma = variance.sqrt().clamp(min=self.least_sigma)
        empty = targets.sum(-1, keepdim=True) == 0
        return torch.where(empty, given, gaussian(values, axis, sigma))
