"""Scores that choose a fixed number of labels."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def above_the_rest(logits: Float[Tensor, "B L"], k: int) -> Float[Tensor, "B L"]:
    """How far each label lies above the best label that is not among the k best: above 0 for the k best, unless they tie with it.

    >>> import torch
    >>> above_the_rest(torch.tensor([[3.0, 1.0, 2.0]]), 2)
    tensor([[2., 0., 1.]])
    """
    if k >= logits.shape[-1]:
        return logits - logits.amin(-1, keepdim=True) + 1
    return logits - logits.topk(k + 1, dim=-1).values[..., -1:]
