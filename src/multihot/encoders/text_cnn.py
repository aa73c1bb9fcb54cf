"""Convolutions over word embeddings: quick on a CPU, and strong where single words and short phrases decide."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ..interfaces import Encoder
from ..types import Encoding


class TextCNNEncoder(Encoder):
    """One convolution over word embeddings; its outputs are the states, their maximum over the words is ``pooled``.

    Args:
        vocabulary_size: number of word ids; 0 is padding.
        embedding_size: size of a word's vector.
        width: size D of a state.
        kernel_size: odd number of words that a state sees.
        dropout: share of embedding and pooled values dropped in training, in [0, 1).
    """

    reads: ClassVar[str] = "words"

    def __init__(self, vocabulary_size: int, embedding_size: int = 300, width: int = 512, kernel_size: int = 3, dropout: float = 0.5):
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"the 'kernel_size' parameter must be an odd number from 1 on, got {kernel_size!r}")
        self.width = width
        self.embedding = nn.Embedding(vocabulary_size, embedding_size, padding_idx=0)
        self.convolution = nn.Conv1d(embedding_size, width, kernel_size, padding=kernel_size // 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """tokens (B, S), mask (B, S) -> states (B, S, D), mask, pooled (B, D)."""
        mask = inputs["mask"]
        words = self.dropout(self.embedding(inputs["tokens"])) * mask[..., None]  # (B, S, E)
        states = torch.relu(self.convolution(words.transpose(1, 2))).transpose(1, 2) * mask[..., None]  # (B, S, D)
        return Encoding(states, mask, self.dropout(states.amax(1)))
