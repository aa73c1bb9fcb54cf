"""Label-distribution learning: how far a softmax over labels is from a target distribution."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..interfaces import Loss
from .kernels.closed_form import by_closed_form
from .kernels.log_sums import NOTHING
from .kernels.targets import check_mass, in_single_precision, read_inputs


def label_distribution_loss(
    logits: Float[Tensor, " B *L"],
    targets: Float[Tensor, " B *L"],
    known: Bool[Tensor, " B *L"] | None = None,
    axis: int | tuple[int, ...] = 1,
) -> Float[Tensor, " B"]:
    """Kullback-Leibler divergence of the softmax from the target distribution, averaged over positions.

    ``sum_k y_k (log y_k - log softmax(s)_k)`` (Gao et al. 2017). Labels lie along ``axis``: 1 for (B, L) and for maps (B, L, H, W), where
    every pixel is a position with a distribution of its own; (1, 2) for a grid of labels (B, L1, L2), such as pitch and yaw, that is one
    distribution.

    Where some labels of a position are unknown, both distributions are conditioned on the known ones.

    Args:
        logits: (B, ...), unbounded; adding a number to a position changes nothing.
        targets: of the same shape, at least 0; each position sums to 1. NaN is an unknown entry.
        known: of the same shape; entries that are False carry neither loss nor gradient. None: all but NaN targets are known.
        axis: where the labels lie; positions are all other axes but the first.

    Returns:
        (B,), at least float32; 0 for an instance without a known label.

    Raises:
        ValueError: if shapes or types do not belong together, or a value cannot be meant; see ``read_inputs``.
        DataError: on the CPU, for a position whose targets do not sum to one.

    >>> import torch
    >>> label_distribution_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.6931])
    """
    name, rows = "label_distribution_loss", logits.shape[0]
    axes = tuple(place % max(targets.dim(), 1) for place in ([axis] if isinstance(axis, int) else axis))
    if 0 in axes or targets.shape != logits.shape:
        raise ValueError(
            f"{name}: logits have shape {tuple(logits.shape)}, targets {tuple(targets.shape)}, axis is {axis}; give tensors of one shape "
            "(B, ...), and the axes of the labels, not 0, which is the instances'"
        )
    known = known if known is None else _labels_last(known, axes)
    logits, targets, known = read_inputs(name, _labels_last(logits, axes), _labels_last(targets, axes), known)
    mend = "the targets of each position must sum to 1: divide by their sum, or choose a `distribution` that makes them"
    check_mass(name, "position", targets, known, mend)
    divergence = by_closed_form((logits, targets, known), _and_gradient, _by_formula).view(rows, -1)
    if known is None:
        return divergence.mean(-1)
    return divergence.sum(-1) / known.any(-1).view(rows, -1).sum(-1).clamp(min=1)


def _labels_last(values: Tensor, axes: tuple[int, ...]) -> Tensor:
    """(B, ...) -> (positions, labels)."""
    values = values.movedim(axes, tuple(range(-len(axes), 0)))
    return values.flatten(values.dim() - len(axes)).flatten(0, -2)


def _conditioned(logits: Tensor, targets: Tensor, known: Tensor | None) -> tuple[Float[Tensor, "P L"], Float[Tensor, "P L"]]:
    """Logits and targets among the known labels of a position."""
    if known is None:
        return logits, targets
    mass = targets.sum(-1, keepdim=True)
    return logits.masked_fill(~known, NOTHING), targets / torch.where(mass > 0, mass, 1)


def _by_formula(logits: Tensor, targets: Tensor, known: Tensor | None) -> Float[Tensor, " P"]:
    logits, targets = _conditioned(logits, targets, known)
    return (torch.special.xlogy(targets, targets) - targets * logits.log_softmax(-1)).sum(-1)


def _and_gradient(logits: Tensor, targets: Tensor, known: Tensor | None) -> tuple[Float[Tensor, " P"], Float[Tensor, "P L"]]:
    """``d/ds_k = softmax(s)_k sum_j y_j - y_k``."""
    logits, targets = _conditioned(logits, targets, known)
    logarithms = logits.log_softmax(-1)
    losses = torch.special.xlogy(targets, targets).sub_(targets * logarithms).sum(-1)
    return losses, logarithms.exp_().mul_(targets.sum(-1, keepdim=True)).sub_(targets)


class LabelDistributionLoss(Loss):
    """Kullback-Leibler divergence from a label distribution; the label of the largest share is chosen (Gao et al. 2017).

    Scores are the logarithms of the shares, ``log softmax(s)``, at most 0: a label that holds half of the mass of one instance ranks above
    one that holds a tenth of another's.

    Args:
        axis: where the labels lie: 1 for (B, L) and (B, L, H, W), (1, 2) for a grid of labels.

    >>> import torch
    >>> LabelDistributionLoss()(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 0.0]]))
    tensor([0.6931])
    """

    decision_rule = "top_k"
    most = 1

    def __init__(self, axis: int | tuple[int, ...] = 1):
        super().__init__()
        self.axis = axis if isinstance(axis, int) else tuple(axis)

    def forward(
        self, logits: Float[Tensor, " B *L"], targets: Float[Tensor, " B *L"], known: Bool[Tensor, " B *L"] | None = None
    ) -> Float[Tensor, " B"]:
        """Logits and target distributions -> one loss an instance (B,); see ``label_distribution_loss``."""
        return label_distribution_loss(logits, targets, known, self.axis)

    def scores(self, logits: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """``log softmax(s)``, the logarithm of each label's share."""
        return in_single_precision(logits).log_softmax(-1)
