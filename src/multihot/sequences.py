"""Label sets as sequences: label orders, what a prefix leaves to say, and the optimal policy of Optimal Completion Distillation.

Symbols are the columns 0 to L - 1, ``stop = L`` and ``start = L + 1``; behind its first stop a sequence holds stops only. Pure tensors.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

PRESENT = 0.5  # targets from here on are true labels


def order_labels(targets: Float[Tensor, "B L"], priority: Float[Tensor, " L"] | Float[Tensor, "B L"]) -> Int[Tensor, "B T"]:
    """Label sets as sequences, the label with the highest priority first, then ``stop``.

    Args:
        targets: (B, L); true from 0.5 on.
        priority: (L,), or (B, L) for an order of its own for each instance.

    Returns:
        (B, T), T - 1 being the size of the largest label set.

    >>> order_labels(torch.tensor([[1, 0, 1], [0, 0, 0]]), torch.tensor([1.0, 2.0, 3.0]))
    tensor([[2, 0, 3],
            [3, 3, 3]])
    """
    present = targets >= PRESENT
    steps = int(present.sum(-1).max()) if len(present) else 0
    ranked = priority.float().expand(present.shape).masked_fill(~present, -torch.inf)
    order = ranked.argsort(dim=-1, descending=True, stable=True)[:, :steps]
    order = order.masked_fill(~present.gather(-1, order), targets.shape[-1])
    return F.pad(order, (0, 1), value=targets.shape[-1])


def label_sets(emitted: Int[Tensor, "B T"], num_labels: int) -> Bool[Tensor, "B L"]:
    """The labels that sequences hold, up to their first ``stop``.

    >>> label_sets(torch.tensor([[2, 0, 3, 3]]), num_labels=3)
    tensor([[ True, False,  True]])
    """
    chosen = torch.zeros(len(emitted), num_labels + 1, dtype=torch.bool, device=emitted.device)
    before_stop = up_to_stop(emitted, num_labels)
    return chosen.scatter(-1, emitted.masked_fill(~before_stop, num_labels), True)[:, :num_labels]


def up_to_stop(emitted: Int[Tensor, "B T"], stop: int) -> Bool[Tensor, "B T"]:
    """Which steps count: those up to and including the first ``stop``.

    >>> up_to_stop(torch.tensor([[0, 3, 3], [0, 1, 2]]), stop=3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    ended = emitted == stop
    return ended.cumsum(-1) - ended.long() == 0


def emitted_before(emitted: Int[Tensor, "B T"], num_labels: int) -> Bool[Tensor, "B T L"]:
    """For every step, the labels emitted at earlier steps.

    >>> emitted_before(torch.tensor([[1, 0, 2]]), num_labels=2).int()
    tensor([[[0, 0],
             [0, 1],
             [1, 1]]], dtype=torch.int32)
    """
    said = F.one_hot(emitted.clamp(max=num_labels), num_labels + 1)[..., :num_labels]
    return said.cumsum(1) - said > 0


def missing_before(targets: Float[Tensor, "B L"], emitted: Int[Tensor, "B T"]) -> Bool[Tensor, "B T L"]:
    """For every step, the true labels that no earlier step emitted.

    >>> missing_before(torch.tensor([[1, 1, 0]]), torch.tensor([[1, 2]])).int()
    tensor([[[1, 1, 0],
             [1, 0, 0]]], dtype=torch.int32)
    """
    return (targets >= PRESENT)[:, None] & ~emitted_before(emitted, targets.shape[-1])


def below_missing(missing: Bool[Tensor, "B T L"], ancestors: Int[Tensor, "L D"]) -> Bool[Tensor, "B T L"]:
    """The labels that stand below a missing one in a tree: their turn has not come yet.

    Args:
        missing: (B, T, L).
        ancestors: (L, D), the columns of all labels above each one, filled up with -1.

    >>> below_missing(torch.tensor([[[True, False, False]]]), torch.tensor([[-1, -1], [0, -1], [1, 0]])).int()
    tensor([[[0, 1, 1]]], dtype=torch.int32)
    """
    padded = F.pad(missing, (0, 1))  # -1 finds no label
    below = torch.zeros_like(missing)
    for above in ancestors.unbind(-1):
        below = below | padded[..., above]
    return below


def optimal_q_values(targets: Float[Tensor, "B L"], emitted: Int[Tensor, "B T"]) -> Float[Tensor, "B T L+1"]:
    """The best reward that can still be had after each choice of the next symbol, for every prefix of the emitted sequences.

    Source: Tsai 2019, eq. 4.13.

    The reward of a whole sequence counts what is missing and what is wrong, ``R = -|y* \\\\ yhat| - |yhat \\\\ y*|`` (Tsai 2019, eq. 4.12),
    with a label said twice counting as wrong once. With W_t wrong labels so far and R_t the true labels still missing,

    ``Q(a in R_t) = -W_t``, ``Q(other label) = -W_t - 1``, ``Q(stop) = -W_t - |R_t|``

    Args:
        targets: (B, L); true from 0.5 on.
        emitted: (B, T), symbols 0 to L; what stands behind the first ``stop = L`` changes nothing.

    Returns:
        (B, T, L + 1), before each emission; the last column is that of ``stop``.

    Raises:
        ValueError: for a symbol above L.

    >>> truth, said = torch.tensor([[1, 1, 0, 1]]), torch.tensor([[1, 2, 0, 3, 4]])  # A, B and D; B, C, A, D, stop [T, table 4.1]
    >>> optimal_q_values(truth, said)[0].int().tolist()
    [[0, 0, -1, 0, -3], [0, -1, -1, 0, -2], [-1, -2, -2, -1, -3], [-2, -2, -2, -1, -2], [-2, -2, -2, -2, -1]]
    """
    num_labels = targets.shape[-1]
    if emitted.numel() and (int(emitted.max()) > num_labels or int(emitted.min()) < 0):
        raise ValueError(f"emitted must hold symbols from 0 to {num_labels} (stop), got {int(emitted.min())} to {int(emitted.max())}")
    emitted = emitted.masked_fill(~up_to_stop(emitted, num_labels), num_labels)
    missing = missing_before(targets, emitted)  # (B, T, L): R_t
    right = F.pad(missing, (0, 1), value=True).gather(-1, emitted[..., None])[..., 0]
    wrong = (~right).long()
    wrong_before = (wrong.cumsum(1) - wrong)[..., None]  # (B, T, 1): W_t
    labels = missing.long() - 1 - wrong_before
    stop = -wrong_before - missing.sum(-1, keepdim=True)
    return torch.cat([labels, stop], dim=-1).to(torch.get_default_dtype())


def optimal_policy(q_values: Float[Tensor, "B T L+1"], tau: float = 0.0) -> Float[Tensor, "B T L+1"]:
    """``softmax(Q / tau)``; for tau towards 0, all of it spread evenly over the best choices (Tsai 2019, eq. 4.14).

    Args:
        q_values: (..., L + 1).
        tau: temperature, at least 0 and finite.

    Returns:
        Probabilities of the same shape.

    Raises:
        ValueError: for another temperature.

    >>> optimal_policy(torch.tensor([0.0, 0.0, -1.0, 0.0, -3.0]))
    tensor([0.3333, 0.3333, 0.0000, 0.3333, 0.0000])
    """
    check_tau(tau)
    below_best = q_values - q_values.amax(-1, keepdim=True)  # so that a tiny temperature divides no large number
    if tau == 0:
        best = (below_best == 0).to(q_values.dtype)
        return best / best.sum(-1, keepdim=True)
    return torch.softmax(below_best / tau, dim=-1)


def check_tau(tau: float) -> float:
    """The temperature, if it is one."""
    if not 0 <= tau < math.inf:
        raise ValueError(f"the 'tau' parameter must be a finite number, at least 0, got {tau!r}")
    return tau
