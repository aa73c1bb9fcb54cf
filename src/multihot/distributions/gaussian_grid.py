"""Two values, such as pitch and yaw, as a bivariate normal distribution over a grid of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import DataError
from ..interfaces import LabelDistribution
from ..labels import LabelSpace
from .axes import label_positions, step
from .reading import as_floats, check_on_axis, check_one_place, check_sigma, may_look, positive_number, read_targets, shares


def gaussian_grid(
    values: Float[Tensor, "B 2"], axes: Sequence[Float[Tensor, " L"]], covariance: float | Float[Tensor, "2 2"] | Float[Tensor, "B 2 2"]
) -> Float[Tensor, "B L1 L2"]:
    """Bivariate normal distribution around each pair of values, normalised over the grid of labels.

    ``y_ij ~ exp(-(g_ij - v)' C^-1 (g_ij - v) / 2)`` with grid points ``g_ij = (a_i, b_j)`` (Gao et al. 2017).

    Args:
        values: (B, 2), each within the range of its axis.
        axes: the positions of the labels on the first axis (L1,) and on the second (L2,).
        covariance: C: (2, 2), or (B, 2, 2) for one an instance, symmetric and positive definite; or one number, the standard deviation
            sigma of an isotropic distribution, ``C = sigma^2 I``.

    Returns:
        (B, L1, L2), each instance sums to 1.

    Raises:
        ValueError: if shapes do not belong together.
        DataError: on the CPU, for a covariance that is none, or a value off its axis.

    >>> gaussian_grid(torch.tensor([[0.0, 1.0]]), [torch.tensor([0.0]), torch.tensor([0.0, 1.0])], covariance=1.0)
    tensor([[[0.3775, 0.6225]]])
    """
    if len(axes) != 2:
        raise ValueError(f"gaussian_grid: axes must be two, got {len(axes)}")
    values, first, second, covariance = as_floats(values, *axes, covariance)
    if values.ndim != 2 or values.shape[1] != 2 or first.ndim != 1 or second.ndim != 1 or not len(first) * len(second):
        shapes = f"{tuple(values.shape)}, {tuple(first.shape)} and {tuple(second.shape)}"
        raise ValueError(f"gaussian_grid: values must be (B, 2) and the axes (L1,) and (L2,), got {shapes}")
    check_on_axis("gaussian_grid", values, [first, second])
    points = torch.cartesian_prod(first, second)
    return _over_points(values, points, covariance).view(len(values), len(first), len(second))


def _over_points(values: Float[Tensor, "B 2"], points: Float[Tensor, "P 2"], covariance: Tensor) -> Float[Tensor, "B P"]:
    """Densities at the points, normalised over them."""
    differences = points - values[:, None]
    if covariance.ndim == 0:
        check_sigma("gaussian_grid", covariance)
        whitened = differences / covariance
    elif covariance.shape in ((2, 2), (len(values), 2, 2)):
        root, failed = torch.linalg.cholesky_ex(covariance)
        _check_covariance(covariance, failed)
        whitened = torch.linalg.solve_triangular(root, differences.mT, upper=False).mT
    else:
        raise ValueError(f"gaussian_grid: covariance has shape {tuple(covariance.shape)}; give a number, (2, 2) or ({len(values)}, 2, 2)")
    return torch.softmax(-0.5 * whitened.square().sum(-1), dim=-1)


def _check_covariance(covariance: Tensor, failed: Tensor) -> None:
    if not may_look(covariance):
        return
    wrong = (failed != 0) | ((covariance - covariance.mT).abs() > 1e-6 * covariance.abs().amax((-1, -2), keepdim=True)).any(-1).any(-1)
    wrong |= ~covariance.isfinite().all(-1).all(-1)
    if bool(wrong.any()):
        where = f" of row {int(wrong.nonzero()[0])}" if covariance.ndim == 3 else ""
        matrix = covariance[wrong][0] if covariance.ndim == 3 else covariance
        raise DataError(
            f"gaussian_grid: the covariance{where} is {matrix.tolist()}; a covariance must be finite, symmetric and positive definite"
        )


class GaussianGridDistribution(LabelDistribution):
    """Bivariate normal distribution around the place of a row's label, over labels named by two numbers ("-15,30") (Gao et al. 2017).

    The labels need not fill their grid: densities are normalised over the labels that there are. The values are the label's position;
    where the target is a distribution already, its expectation. A row without a label says nothing: it becomes uniform.

    Args:
        label_space: the labels; their names are their positions.
        covariance: two rows of two numbers; or one number, the standard deviation of an isotropic distribution. None: the distance at
            which labels stand apart, isotropic.

    Raises:
        ValueError: for a standard deviation that is not above 0, or a matrix that is not two by two.
        DataError: for a matrix that is no covariance.
        ConfigurationError: if the label names are not two numbers each.

    >>> distribution = GaussianGridDistribution(LabelSpace(["0,0", "0,1"]), covariance=1)
    >>> distribution(torch.tensor([[0.0, 1.0]]))
    tensor([[0.3775, 0.6225]])
    """

    def __init__(self, label_space: LabelSpace, covariance: float | Sequence[Sequence[float]] | None = None):
        super().__init__()
        positions = label_positions(label_space, 2)
        self.positions = torch.from_numpy(positions)  # no buffer: some devices have no float64
        self.covariance = _read_covariance(step(positions) if covariance is None else covariance)

    def forward(self, targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """One label or a distribution a row (B, L) -> normal distributions (B, L).

        Raises:
            DataError: on the CPU, for a row that does not sum to 1.
        """
        targets = read_targets("gaussian_grid", targets)
        check_one_place("gaussian_grid", targets)
        positions, given = self.positions.to(targets), shares(targets)
        empty = targets.sum(-1, keepdim=True) == 0
        return torch.where(empty, given, _over_points(given @ positions, positions, self.covariance.to(targets)))


def _read_covariance(covariance: Any) -> Tensor:
    if not isinstance(covariance, Sequence):
        return torch.tensor(positive_number("covariance", covariance), dtype=torch.float64)
    matrix = torch.tensor(covariance, dtype=torch.float64)
    if matrix.shape != (2, 2):
        raise ValueError(f"the 'covariance' parameter must be a number or two rows of two numbers, got {covariance!r}")
    _check_covariance(matrix, torch.linalg.cholesky_ex(matrix).info)
    return matrix
