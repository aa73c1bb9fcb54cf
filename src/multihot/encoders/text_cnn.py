"""Convolutions over word embeddings: quick on a CPU, and strong where single words and short phrases decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..embeddings import word_embedding
from ..interfaces import Encoder
from ..types import Encoding

UNKNOWN = 1  # the number of every word that the vocabulary lacks


class TextCNNEncoder(Encoder):
    """Convolutions of several widths over word embeddings, and a bag of words beside them.

    ``h_t = relu([W_k x_{t-r..t+r} + b_k for every kernel size k = 2 r + 1])``, ``pooled = max_t h_t + V sum_t x_t / sqrt(S)``. The
    maximum follows Kim 2014, "Convolutional Neural Networks for Sentence Classification"; the bag sees what no single place shows, and
    learns faster.

    Args:
        vocabulary_size: number of word ids; 0 is padding.
        embedding_size: size of a word's vector.
        width: size D of a state; the kernel sizes share it equally.
        kernel_sizes: odd numbers of words that a state sees.
        dropout: share of the words' values dropped in training, in [0, 1).
        pooled_dropout: share of the pooled values dropped in training, in [0, 1).
        word_dropout: share of the words replaced by the unknown word in training, in [0, 1); unknown words then mean something.
        word_vectors: (V, E) to start from, NaN in the rows of words without; a configuration names a file of them instead.
        freeze_vectors: all word vectors stay as they start, random ones included.

    Raises:
        ValueError: if a kernel has no middle, the width cannot be shared equally, the word vectors are not of the size asked for, or
            there are none to freeze.

    >>> encoder = TextCNNEncoder(vocabulary_size=10, embedding_size=8, width=6).eval()
    >>> tokens = torch.tensor([[5, 3, 7], [2, 0, 0]])
    >>> encoding = encoder({"tokens": tokens, "mask": tokens > 0})
    >>> encoding.states.shape, encoding.pooled.shape
    (torch.Size([2, 3, 6]), torch.Size([2, 6]))
    """

    reads: ClassVar[str] = "words"

    def __init__(
        self,
        vocabulary_size: int,
        embedding_size: int = 128,
        width: int = 256,
        kernel_sizes: Sequence[int] = (1, 3),
        dropout: float = 0.3,
        pooled_dropout: float = 0.3,
        word_dropout: float = 0.1,
        word_vectors: Float[Tensor, "V E"] | None = None,
        freeze_vectors: bool = False,
    ):
        super().__init__()
        if not kernel_sizes or any(size < 1 or size % 2 == 0 for size in kernel_sizes):
            raise ValueError(f"the 'kernel_sizes' parameter must hold odd numbers from 1 on, got {kernel_sizes!r}")
        if width % len(kernel_sizes):
            raise ValueError(f"the 'width' parameter must be a multiple of the {len(kernel_sizes)} kernel sizes, got {width!r}")
        self.width = width
        self.embedding = word_embedding(vocabulary_size, embedding_size, word_vectors, freeze_vectors)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(embedding_size, width // len(kernel_sizes), size, padding=size // 2) for size in kernel_sizes
        )
        self.bag = nn.Linear(embedding_size, width, bias=False)
        self.word_dropout = word_dropout
        self.dropout = nn.Dropout(dropout)
        self.pooled_dropout = nn.Dropout(pooled_dropout)

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """tokens (B, S), mask (B, S) -> states (B, S, D), 0 at padding, mask, pooled (B, D)."""
        mask = inputs["mask"]
        tokens = inputs["tokens"]
        if self.training and self.word_dropout:
            tokens = torch.where((torch.rand(tokens.shape, device=tokens.device) < self.word_dropout) & mask, UNKNOWN, tokens)
        embedded = self.embedding(tokens) * mask[..., None]  # (B, S, E); padding is 0, as beyond the text's ends
        words = self.dropout(embedded).transpose(1, 2)
        states = torch.cat([torch.relu(convolution(words)) for convolution in self.convolutions], dim=1).transpose(1, 2)
        states = states * mask[..., None]  # (B, S, D)
        bag = self.bag(embedded.sum(1) * mask.sum(1, keepdim=True).rsqrt())
        return Encoding(states, mask, self.pooled_dropout(states.amax(1) + bag))  # no state is below 0, so padding is never the maximum
