"""Hinges over pairs of a present and an absent label: how many pairs lie within a margin, without ever listing them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def hinge_over_pairs(
    logits: Float[Tensor, "B L"],
    present: Bool[Tensor, "B L"],
    absent: Bool[Tensor, "B L"],
    margin: float,
    weigh: Callable[[Float[Tensor, "B P"]], Float[Tensor, "B P"]],
) -> Float[Tensor, " B"]:
    """``sum_{j present} w_j sum_{i absent} max(0, margin - s_j + s_i)``, the weight depending on how many labels violate j's margin.

    The sum is linear in every logit, and its coefficients are counts of pairs. Sorting the present labels finds them in O(L log P),
    P being the size of the largest label set, instead of O(L P).

    Args:
        logits: (B, L).
        present: (B, L), the labels j.
        absent: (B, L), the labels i.
        margin: by which a present label is to lie above an absent one.
        weigh: violators of each present label (B, P), 0 where a row has fewer, -> their weights (B, P).

    Returns:
        (B,).

    >>> import torch
    >>> hinge_over_pairs(torch.tensor([[0.5, 0.0]]), torch.tensor([[True, False]]), torch.tensor([[False, True]]), 1.0, torch.ones_like)
    tensor([0.5000])
    """
    with torch.no_grad():
        bounds, columns = lowest_present(logits - margin, present)  # an absent label above a bound violates its margin
        below = torch.searchsorted(bounds, logits.contiguous())  # bounds that lie strictly below each label
        hits = torch.zeros(len(logits), bounds.shape[1] + 1, dtype=logits.dtype, device=logits.device)
        hits.scatter_add_(1, below, absent.to(logits.dtype))
        violators = hits[:, 1:].flip(-1).cumsum(-1).flip(-1)
        weights = weigh(violators).masked_fill(violators == 0, 0.0)
        pushed_down = torch.nn.functional.pad(weights.cumsum(-1), (1, 0)).gather(1, below).masked_fill(~absent, 0.0)
        pulled_up = weights * violators
        slopes = pushed_down.scatter_add(1, columns, -pulled_up)
        middle = logits.mean(-1, keepdim=True)  # the slopes of a row add up to 0: large logits do not cost precision
    return (slopes * (logits - middle)).sum(-1) + margin * pulled_up.sum(-1)


def lowest_present(values: Float[Tensor, "B L"], present: Bool[Tensor, "B L"]) -> tuple[Float[Tensor, "B P"], Tensor]:
    """The values of the present labels in ascending order and their columns; inf where a row has fewer than P.

    >>> import torch
    >>> lowest_present(torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([[True, False, True]]))
    (tensor([[2., 3.]]), tensor([[2, 0]]))
    """
    sizes = present.sum(-1)
    most = values.shape[-1] if torch.compiler.is_compiling() or not len(sizes) else int(sizes.max())
    lowest = values.masked_fill(~present, torch.inf).topk(most, largest=False)
    return lowest.values, lowest.indices
