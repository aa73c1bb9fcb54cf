"""Tables of vectors, a row a word or a label: how they start, and how vectors that are given take their place."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

EMBEDDING_SCALE = 0.1  # with PyTorch's 1.0 a rare word hardly leaves its random vector: Adam moves it by the learning rate an update


def word_embedding(vocabulary_size: int, size: int, given: Float[Tensor, "V E"] | None = None, frozen: bool = False) -> nn.Embedding:
    """A vector a word, 0 for padding: given ones where there are some, and normal ones of standard deviation 0.1 elsewhere.

    Args:
        vocabulary_size: number of word ids V; 0 is padding.
        size: numbers a word E.
        given: vectors to start from, NaN in the rows of words without one; None gives none.
        frozen: the table stands still, random rows included.

    Raises:
        ValueError: if the given vectors are of another size, or there is nothing to freeze.

    >>> table = word_embedding(4, 2, given=torch.tensor([[float("nan")] * 2, [float("nan")] * 2, [1.0, 2.0], [3.0, 4.0]]), frozen=True)
    >>> table.weight[0].tolist(), table.weight[2:].tolist(), table.weight.requires_grad
    ([0.0, 0.0], [[1.0, 2.0], [3.0, 4.0]], False)
    """
    table = nn.Embedding(vocabulary_size, size, padding_idx=0)
    nn.init.normal_(table.weight[1:], std=EMBEDDING_SCALE)
    start_from(table.weight, given, frozen)
    return table


def start_from(table: Float[Tensor, "R E"], given: Float[Tensor, "G E"] | None, frozen: bool = False) -> None:
    """Put given vectors into the first rows of a table.

    Args:
        table: a parameter.
        given: at most R vectors, NaN in rows that stay as they are; None leaves all.
        frozen: the table stands still from here on.

    Raises:
        ValueError: if the given vectors are of another size, or there is nothing to freeze.
    """
    if given is None:
        if frozen:
            raise ValueError("freeze_vectors: true holds given vectors still; name a file of them by 'word_vectors', or leave it out")
        return
    if given.shape[1] != table.shape[1]:
        raise ValueError(f"the word vectors hold {given.shape[1]} numbers, but {table.shape[1]} are asked for; leave that number out")
    given = given.to(table.device)  # a table that only shows its shape is on none
    with torch.no_grad():
        rows = table[: len(given)]
        rows.copy_(torch.where(given.isnan(), rows, given))
    table.requires_grad_(not frozen)
