"""A bag of words: the quickest text encoder, and hard to beat where single words decide."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..embeddings import word_embedding
from ..interfaces import Encoder
from ..types import Encoding
from .text_cnn import UNKNOWN


class TextBagEncoder(Encoder):
    """The sum of a text's word vectors, which sees no order, as in fastText.

    ``pooled = sum_t x_t / sqrt(S)``: a mean would let one telling word of a long text drown, a plain sum would let long texts shout.
    After Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification", who take the mean.

    Args:
        vocabulary_size: number of word ids; 0 is padding.
        width: size D of a word's vector, which is a state.
        dropout: share of the pooled values dropped in training, in [0, 1).
        word_dropout: share of the words replaced by the unknown word in training, in [0, 1); unknown words then mean something.
        word_vectors: (V, D) to start from, NaN in the rows of words without; a configuration names a file of them instead.
        freeze_vectors: all word vectors stay as they start, random ones included.

    Raises:
        ValueError: if the word vectors are not of the size asked for, or there are none to freeze.

    >>> encoder = TextBagEncoder(vocabulary_size=10, width=6).eval()
    >>> tokens = torch.tensor([[5, 3, 7], [2, 0, 0]])
    >>> encoding = encoder({"tokens": tokens, "mask": tokens > 0})
    >>> encoding.states.shape, encoding.pooled.shape
    (torch.Size([2, 3, 6]), torch.Size([2, 6]))
    """

    reads: ClassVar[str] = "words"

    def __init__(
        self,
        vocabulary_size: int,
        width: int = 128,
        dropout: float = 0.3,
        word_dropout: float = 0.1,
        word_vectors: Float[Tensor, "V D"] | None = None,
        freeze_vectors: bool = False,
    ):
        super().__init__()
        self.width = width
        self.embedding = word_embedding(vocabulary_size, width, word_vectors, freeze_vectors)
        self.word_dropout = word_dropout
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """tokens (B, S), mask (B, S) -> states (B, S, D), 0 at padding, mask, pooled (B, D)."""
        mask = inputs["mask"]
        tokens = inputs["tokens"]
        if self.training and self.word_dropout:
            tokens = torch.where((torch.rand(tokens.shape, device=tokens.device) < self.word_dropout) & mask, UNKNOWN, tokens)
        states = self.embedding(tokens) * mask[..., None]
        return Encoding(states, mask, self.dropout(states.sum(1) * mask.sum(1, keepdim=True).rsqrt()))
