"""Two levels of attention over the frames of a recording."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..interfaces import Encoder
from ..types import Encoding


class AudioAttentionEncoder(Encoder):
    """Fully connected layers on every frame; the outputs of the last ones are each summed over time by an attention of their own.

    ``x_t = dropout(relu(norm(W x_t + b)))``, layer after layer; on each of the last ``levels`` outputs ``f(x_t) = sigmoid(W_f x_t)``,
    ``v(x_t) = softmax(W_v x_t)`` and ``y = sum_t v(x_t) f(x_t) / sum_t v(x_t)``, entry by entry. The y of all levels, joined, are
    ``pooled``; a frame's state is its f of all levels (Tsai 2019, eq. 4.26), after Yu et al. 2018, "Multi-level Attention Model for Weakly
    Supervised Audio Classification". Batch normalisation counts real frames only, so padding changes nothing.

    Args:
        num_features: size F of a frame.
        num_labels: number of labels L, from which ``attention_size`` follows.
        hidden_size: size of every layer.
        layers: number of fully connected layers, at least ``levels``.
        levels: how many of the last layers are attended to, at least 1.
        attention_size: size of one level's y; None takes L, as in the sources. D is ``levels * attention_size``.
        dropout: share of values dropped after each layer in training, in [0, 1).

    Raises:
        ValueError: if there are fewer layers than levels, or no level.

    >>> encoder = AudioAttentionEncoder(num_features=128, num_labels=7, hidden_size=16).eval()
    >>> encoding = encoder({"frames": torch.rand(2, 10, 128), "mask": torch.ones(2, 10, dtype=torch.bool)})
    >>> encoding.states.shape, encoding.pooled.shape
    (torch.Size([2, 10, 14]), torch.Size([2, 14]))
    """

    reads: ClassVar[str] = "audio"

    def __init__(
        self,
        num_features: int,
        num_labels: int,
        hidden_size: int = 512,
        layers: int = 4,
        levels: int = 2,
        attention_size: int | None = None,
        dropout: float = 0.4,
    ):
        super().__init__()
        if not 1 <= levels <= layers:
            raise ValueError(f"the 'levels' parameter must be from 1 to the {layers} layers, got {levels!r}")
        size = attention_size or num_labels
        sizes = [num_features] + [hidden_size] * layers
        self.width = levels * size
        self.layers = nn.ModuleList(nn.Linear(sizes[i], sizes[i + 1]) for i in range(layers))
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden_size) for _ in range(layers))
        self.values = nn.ModuleList(nn.Linear(hidden_size, size) for _ in range(levels))
        self.weights = nn.ModuleList(nn.Linear(hidden_size, size) for _ in range(levels))
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """frames (B, T, F), mask (B, T) -> states (B, T, D), 0 at padding, mask, pooled (B, D)."""
        mask = inputs["mask"]
        levels = self._levels(inputs["frames"][mask])
        values = torch.cat([torch.sigmoid(layer(level)) for layer, level in zip(self.values, levels, strict=True)], dim=-1)
        shares = torch.cat([F.log_softmax(layer(level), -1) for layer, level in zip(self.weights, levels, strict=True)], dim=-1)
        states = _spread(values, mask, 0.0)
        attention = torch.softmax(_spread(shares, mask, -torch.inf), dim=1)  # v / sum_t v, without ever leaving the logarithm
        return Encoding(states, mask, (attention.to(states.dtype) * states).sum(1))

    def _levels(self, frames: Float[Tensor, "N F"]) -> list[Float[Tensor, "N H"]]:
        """The outputs of the last layers, for every real frame."""
        outputs = []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            assert isinstance(norm, nn.BatchNorm1d)
            frames = self.dropout(torch.relu(_normalise(norm, layer(frames))))
            outputs.append(frames)
        return outputs[-len(self.values) :]


def _normalise(norm: nn.BatchNorm1d, frames: Float[Tensor, "N H"]) -> Float[Tensor, "N H"]:
    if norm.training and len(frames) == 1:  # one frame has no spread: a last batch of one short recording must not end a training
        return F.batch_norm(frames, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps)
    return norm(frames)


def _spread(values: Float[Tensor, "N D"], mask: Tensor, padding: float) -> Float[Tensor, "B T D"]:
    """The values of the real frames, back in their places."""
    full = values.new_full((*mask.shape, values.shape[-1]), padding)
    return full.masked_scatter(mask[..., None], values)
