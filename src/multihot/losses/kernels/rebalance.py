"""How often a label's training would show an instance, against how often the instance is drawn for all of its labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor


def smoothed_rebalancing(
    counts: Float[Tensor, " L"], offset: float, steepness: float, centre: float, share: float = 1.0
) -> Callable[[Float[Tensor, "B L"], Float[Tensor, "B L"] | None], Float[Tensor, "B L"]]:
    """The weights that undo the over-sampling of instances with several labels, smoothed by a sigmoid.

    ``r_ik = (1 / n_i) / sum_j y_kj / n_j`` and ``offset + sigmoid(steepness (r - centre))`` (Zhu and Xiong 2022, eqs. 3-6); the same in Wu
    et al. 2020, "Distribution-Balanced Loss for Multi-Label Classification in Long-Tailed Datasets". An instance without a known present
    label has no such ratio; it keeps weight 1.

    Args:
        counts: (L,), at least 1.
        offset, steepness, centre: of the sigmoid.
        share: in [0, 1], of these weights; the rest is the weight 1.

    Returns:
        targets (B, L), and a tensor (B, L) for the result or None -> weights (B, L), with share 1 between ``offset`` and
        ``offset + 1``, or 1.

    >>> import torch
    >>> smoothed_rebalancing(torch.tensor([1.0, 3.0]), offset=0.0, steepness=0.0, centre=0.0)(torch.tensor([[1.0, 0.0], [0.0, 0.0]]), None)
    tensor([[0.5000, 0.5000],
            [1.0000, 1.0000]])
    """
    inverse, shift = counts.reciprocal(), counts.new_tensor(-steepness * centre)

    def weigh(targets: Float[Tensor, "B L"], out: Float[Tensor, "B L"] | None) -> Float[Tensor, "B L"]:
        drawn = (targets @ inverse)[:, None]
        factor = steepness / drawn.clamp(min=1e-30 * max(steepness, 1))  # at most 1e30
        rebalanced = drawn.sign().mul_(share)
        smoothed = torch.addcmul(shift, factor, inverse, out=out).sigmoid_()
        return torch.addcmul(1 + rebalanced * (offset - 1), rebalanced, smoothed, out=out)

    return weigh
