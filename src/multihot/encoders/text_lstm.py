"""Bidirectional LSTM over words, padded instead of packed, with results that do not depend on the padding."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..embeddings import word_embedding
from ..interfaces import Encoder
from ..types import Encoding


class TextLSTMEncoder(Encoder):
    """``h_1, ..., h_m = BiLSTM(x_1, ..., x_m)``; both directions' last states, joined, are ``pooled`` (Tsai 2019, eq. 4.1).

    Packed sequences leave the fast kernels, so batches stay padded: padding comes after the words of a text, and the backward
    direction reads each text reversed within its own length, so that no real state ever sees padding.

    Args:
        vocabulary_size: number of word ids; 0 is padding.
        embedding_size: size of a word's vector.
        hidden_size: size of one direction's state; a state has D = 2 * hidden_size values.
        layers: number of bidirectional layers, at least 1.
        dropout: share of values dropped before each layer in training, in [0, 1).
        word_vectors: (V, E) to start from, NaN in the rows of words without; a configuration names a file of them instead.
        freeze_vectors: all word vectors stay as they start, random ones included.

    Raises:
        ValueError: if there is no layer, the word vectors are not of the size asked for, or there are none to freeze.

    >>> encoder = TextLSTMEncoder(vocabulary_size=10, embedding_size=8, hidden_size=4).eval()
    >>> tokens = torch.tensor([[5, 3, 7], [2, 0, 0]])
    >>> encoding = encoder({"tokens": tokens, "mask": tokens > 0})
    >>> encoding.states.shape, encoding.pooled.shape
    (torch.Size([2, 3, 8]), torch.Size([2, 8]))
    """

    reads: ClassVar[str] = "words"

    def __init__(
        self,
        vocabulary_size: int,
        embedding_size: int = 512,
        hidden_size: int = 256,
        layers: int = 2,
        dropout: float = 0.5,
        word_vectors: Float[Tensor, "V E"] | None = None,
        freeze_vectors: bool = False,
    ):
        super().__init__()
        if layers < 1:
            raise ValueError(f"the 'layers' parameter must be at least 1, got {layers!r}")
        self.width = 2 * hidden_size
        self.embedding = word_embedding(vocabulary_size, embedding_size, word_vectors, freeze_vectors)
        sizes = [embedding_size] + [self.width] * (layers - 1)
        self.forwards = nn.ModuleList(nn.LSTM(size, hidden_size, batch_first=True) for size in sizes)
        self.backwards = nn.ModuleList(nn.LSTM(size, hidden_size, batch_first=True) for size in sizes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """tokens (B, S), mask (B, S) with padding at the end -> states (B, S, D), 0 at padding, mask, pooled (B, D)."""
        mask = inputs["mask"]
        reversal = reversal_within_length(mask)
        states = self.embedding(inputs["tokens"])  # (B, S, E)
        for left_to_right, right_to_left in zip(self.forwards, self.backwards, strict=True):
            states = self.dropout(states)
            ahead = _run(left_to_right, states)  # (B, S, H)
            back = _pick(_run(right_to_left, _pick(states, reversal)), reversal)
            states = torch.cat([ahead, back], dim=-1)
        last = mask.sum(1) - 1
        rows = torch.arange(len(mask), device=mask.device)
        pooled = torch.cat([ahead[rows, last], back[:, 0]], dim=-1)
        return Encoding(states * mask[..., None], mask, pooled)


def reversal_within_length(mask: Bool[Tensor, "B S"]) -> Int[Tensor, "B S"]:
    """Where each position's mirror image lies: the words of a text change places, its padding stays. Its own inverse.

    >>> reversal_within_length(torch.tensor([[True, True, True, False]])).tolist()
    [[2, 1, 0, 3]]
    """
    positions = torch.arange(mask.shape[1], device=mask.device)
    mirrored = mask.sum(1, keepdim=True) - 1 - positions
    return torch.where(mask, mirrored, positions)


def _pick(states: Float[Tensor, "B S D"], positions: Int[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
    starts = torch.arange(len(states), device=states.device)[:, None] * states.shape[1]
    return states.flatten(0, 1).index_select(0, (starts + positions).flatten()).view(states.shape)


def _run(lstm: nn.Module, states: Float[Tensor, "B S D"]) -> Float[Tensor, "B S H"]:
    device = states.device.type
    if device == "cpu" and torch.is_autocast_enabled("cpu") and not autocast_supports_lstm(torch.get_autocast_dtype("cpu")):
        with torch.autocast("cpu", enabled=False):
            return lstm(states.float())[0]
    return lstm(states)[0]


@cache
def autocast_supports_lstm(dtype: torch.dtype) -> bool:
    """Whether this processor has an LSTM kernel in reduced precision; PyTorch offers no question for it, so one is run."""
    try:
        with torch.autocast("cpu", dtype):
            nn.LSTM(8, 8)(torch.zeros(2, 2, 8))[0].sum().backward()
    except RuntimeError:
        return False
    return True
