"""What label distributions are compared with: hard targets, and hard targets mixed with the uniform distribution."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from ..interfaces import LabelDistribution
from .reading import read_targets, shares


def one_hot(targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
    """All mass on the label of the highest degree, in equal shares where several have it.

    So a distribution becomes its mode, a label set the uniform distribution over its labels, and an empty row uniform over all.

    Args:
        targets: (B, L) in [0, 1].

    Returns:
        (B, L), rows sum to 1.

    Raises:
        DataError: on the CPU, for targets outside [0, 1].

    >>> import torch
    >>> one_hot(torch.tensor([[0.1, 0.7, 0.2], [1.0, 1.0, 0.0]]))
    tensor([[0.0000, 1.0000, 0.0000],
            [0.5000, 0.5000, 0.0000]])
    """
    targets = read_targets("one_hot", targets)
    return shares((targets == targets.amax(1, keepdim=True)).to(targets.dtype))


def uniform_smoothing(targets: Float[Tensor, "B L"], epsilon: float = 0.1) -> Float[Tensor, "B L"]:
    """Label smoothing: ``(1 - epsilon) y + epsilon / L``, y divided by its sum first.

    Args:
        targets: (B, L) in [0, 1]: one label, a label set or a distribution a row.
        epsilon: mass that goes to all labels alike, in [0, 1].

    Returns:
        (B, L), rows sum to 1; uniform where a row is empty.

    Raises:
        ValueError: for an epsilon outside [0, 1].
        DataError: on the CPU, for targets outside [0, 1].

    >>> import torch
    >>> uniform_smoothing(torch.tensor([[1.0, 0.0]]), epsilon=0.2)
    tensor([[0.9000, 0.1000]])
    """
    _check_share(epsilon)
    targets = read_targets("uniform_smoothing", targets)
    return (1 - epsilon) * shares(targets) + epsilon / targets.shape[1]


def _check_share(epsilon: float) -> None:
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)) or not 0 <= epsilon <= 1:
        raise ValueError(f"the 'epsilon' parameter must lie between 0 and 1, got {epsilon!r}")


class OneHotDistribution(LabelDistribution):
    """All mass on the label of the highest degree: the targets of ordinary softmax classification.

    >>> import torch
    >>> OneHotDistribution()(torch.tensor([[0.1, 0.9]]))
    tensor([[0., 1.]])
    """

    def forward(self, targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Targets (B, L) -> hard targets (B, L); see ``one_hot``."""
        return one_hot(targets)


class UniformSmoothingDistribution(LabelDistribution):
    """Label smoothing: a share of the mass goes to all labels alike.

    Args:
        epsilon: that share, in [0, 1].

    Raises:
        ValueError: for an epsilon outside [0, 1].

    >>> import torch
    >>> UniformSmoothingDistribution(epsilon=0.2)(torch.tensor([[1.0, 0.0]]))
    tensor([[0.9000, 0.1000]])
    """

    aliases = ("label_smoothing",)

    def __init__(self, epsilon: float = 0.1):
        super().__init__()
        _check_share(epsilon)
        self.epsilon = epsilon

    def forward(self, targets: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Targets (B, L) -> smoothed distributions (B, L); see ``uniform_smoothing``."""
        return uniform_smoothing(targets, self.epsilon)
