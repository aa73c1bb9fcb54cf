"""Attention over an encoder's states, for whatever asks: a scorer's hidden layer, a decoder's state."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class AdditiveAttention(nn.Module):
    """One vector asks, the states answer.

    ``e_j = v^T tanh(W q + U h_j)``, ``alpha = softmax(e)``, ``c = sum_j alpha_j h_j`` (Tsai 2019, eq. 4.2-4.4, eq. 4.10).

    Args:
        query_size: size Q of what asks.
        width: size D of a state.
        attention_size: size A of the space in which both are compared; it sets the cost.

    >>> attention = AdditiveAttention(query_size=3, width=4, attention_size=5)
    >>> states, mask = torch.randn(2, 6, 4), torch.ones(2, 6, dtype=torch.bool)
    >>> context, weights = attention(torch.randn(2, 3), attention.keys(states), states, mask)
    >>> context.shape, weights.shape
    (torch.Size([2, 4]), torch.Size([2, 6]))
    """

    def __init__(self, query_size: int, width: int, attention_size: int):
        super().__init__()
        self.query = nn.Linear(query_size, attention_size)
        self.key = nn.Linear(width, attention_size, bias=False)
        self.energy = nn.Linear(attention_size, 1, bias=False)

    def keys(self, states: Float[Tensor, "B S D"]) -> Float[Tensor, "B S A"]:
        """``U h_j``, which does not depend on the query: computed once where many queries follow."""
        return self.key(states)

    def forward(
        self, query: Float[Tensor, "N Q"], keys: Float[Tensor, "B S A"], states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N S"]]:
        """Queries (N, Q), N / B of them in a row for each instance -> contexts (N, D) and weights (N, S)."""
        rows, steps = mask.shape
        asked = self.query(query).unflatten(0, (rows, -1))  # (B, K, A)
        alone = steps == 1  # then it gets all the weight
        energies = asked.new_zeros(rows, asked.shape[1], 1) if alone else self._energies(asked[:, :, None], keys[:, None])  # (B, K, S)
        return _mix(energies, states, mask)

    def _energies(self, asked: Float[Tensor, "B K 1 A"], keys: Float[Tensor, "B 1 S A"]) -> Float[Tensor, "B K S"]:
        """``e_j``, up to an addend that softmax takes out again.

        ``tanh(z) = 2 sigmoid(2 z) - 1``, and a processor's sigmoid takes a third of the time of its tanh. Where 1 - sigmoid would be
        rounded coarsely, in 16 bits, tanh stays.
        """
        if torch.finfo(asked.dtype).bits < 32:
            return self.energy(torch.tanh(asked + keys))[..., 0]
        return nn.functional.linear(torch.add(2 * asked, keys, alpha=2).sigmoid_(), 2 * self.energy.weight)[..., 0]


class DotAttention(nn.Module):
    """One vector asks, and a state answers by how much it points the same way.

    ``e_j = tanh(W q) . h_j``, ``alpha = softmax(e)``, ``c = sum_j alpha_j h_j``: the attention of the code published with the thesis,
    after Luong et al. 2015, "Effective Approaches to Attention-based Neural Machine Translation".
    It costs one product a state, where additive attention computes a nonlinear function of every value.

    Args:
        query_size: size Q of what asks.
        width: size D of a state.

    >>> attention = DotAttention(query_size=3, width=4)
    >>> states, mask = torch.randn(2, 6, 4), torch.ones(2, 6, dtype=torch.bool)
    >>> context, weights = attention(torch.randn(2, 3), attention.keys(states), states, mask)
    >>> context.shape, weights.shape
    (torch.Size([2, 4]), torch.Size([2, 6]))
    """

    def __init__(self, query_size: int, width: int):
        super().__init__()
        self.query = nn.Linear(query_size, width)

    def keys(self, states: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """The states themselves."""
        return states

    def forward(
        self, query: Float[Tensor, "N Q"], keys: Float[Tensor, "B S D"], states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N S"]]:
        """Queries (N, Q), N / B of them in a row for each instance -> contexts (N, D) and weights (N, S)."""
        asked = torch.tanh(self.query(query)).unflatten(0, (len(mask), -1))  # (B, K, D)
        return _mix(torch.bmm(asked, keys.to(asked.dtype).transpose(1, 2)), states, mask)


def _mix(
    energies: Float[Tensor, "B K S"], states: Float[Tensor, "B S D"], mask: Bool[Tensor, "B S"]
) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N S"]]:
    weights = torch.softmax(energies.masked_fill(~mask[:, None], -torch.inf), dim=-1)
    context = torch.bmm(weights.to(states.dtype), states)
    return context.flatten(0, 1), weights.flatten(0, 1)
