"""A graph of labels, made from what occurs together in training, that gives every label its classifier."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..embeddings import start_from
from ..interfaces import Scorer
from ..labels import LabelStatistics
from ..types import Encoding


class LabelGraphScorer(Scorer):
    """ML-GCN: two graph convolutions turn label vectors into classifiers, so that labels that go together share what they learn.

    ``W = A lrelu(A E V_1) V_2``, ``s = W x + b``; E holds a vector a label, A is what ``label_graph`` makes and x the pooled vector.
    After Chen et al. 2019, "Multi-Label Image Recognition with Graph Convolutional Networks". Label vectors are learned from random
    ones, or from the ready word vectors that the source takes.

    Args:
        num_labels: number of labels L.
        width: size D of the encoder's states.
        statistics: of the training split; nothing else makes the graph.
        embedding_size: size of a label's vector.
        hidden_size: size of what lies between the two convolutions.
        threshold: share of a label's instances that must carry the other label for an edge, in [0, 1].
        neighbour_weight: what a label's neighbours weigh together, in [0, 1); the label itself weighs the rest.
        pooling: x is the encoder's ``"pooled"`` vector, or the ``"maximum"`` over the states as in the source.
        extra_logits: columns behind the L labels that the loss asks for; each has a vector and no neighbour.
        word_vectors: (L, E) for the labels to start from, NaN for a label without; a configuration names a file of word vectors instead,
            which are averaged over the words of a label's name as in the source.
        freeze_vectors: all label vectors stay as they start, as in the source; random ones included.

    Raises:
        ValueError: if a share or the pooling is none of these, the word vectors are not of the size asked for, or there are none to freeze.

    >>> statistics = LabelStatistics.from_targets([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    >>> scorer = LabelGraphScorer(num_labels=3, width=8, statistics=statistics).eval()
    >>> scorer(Encoding(torch.rand(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.rand(2, 8))).shape
    torch.Size([2, 3])
    """

    graph: Tensor

    def __init__(
        self,
        num_labels: int,
        width: int,
        statistics: LabelStatistics,
        embedding_size: int = 300,
        hidden_size: int = 1024,
        threshold: float = 0.4,
        neighbour_weight: float = 0.2,
        pooling: str = "pooled",
        extra_logits: int = 0,
        word_vectors: Float[Tensor, "L E"] | None = None,
        freeze_vectors: bool = False,
    ):
        super().__init__()
        if pooling not in ("pooled", "maximum"):
            raise ValueError(f"the 'pooling' parameter must be 'pooled' or 'maximum', got {pooling!r}")
        self.pooling = pooling
        graph = torch.eye(num_labels + extra_logits)
        graph[:num_labels, :num_labels] = torch.from_numpy(label_graph(statistics, threshold, neighbour_weight))
        self.register_buffer("graph", graph)
        self.embedding = nn.Parameter(torch.randn(num_labels + extra_logits, embedding_size) / embedding_size**0.5)
        start_from(self.embedding, word_vectors, freeze_vectors)
        self.first = nn.Linear(embedding_size, hidden_size, bias=False)
        self.second = nn.Linear(hidden_size, width, bias=False)
        self.bias = nn.Parameter(torch.zeros(num_labels + extra_logits))

    def forward(self, encoding: Encoding) -> Float[Tensor, "B L"]:
        """Encoding -> logits (B, L + extra_logits)."""
        instance = encoding.pooled
        if self.pooling == "maximum":
            instance = encoding.states.masked_fill(~encoding.mask[..., None], -torch.inf).amax(1)
        return F.linear(instance, self.classifiers(), self.bias)

    def classifiers(self) -> Float[Tensor, "L D"]:
        """The weights by which the pooled vector is read, one row a label."""
        hidden = F.leaky_relu(self.graph @ self.first(self.embedding), 0.2)
        return self.graph @ self.second(hidden)


def label_graph(statistics: LabelStatistics, threshold: float = 0.4, neighbour_weight: float = 0.2) -> Float[np.ndarray, "L L"]:
    """The adjacency of labels, thresholded and weighted again.

    ``P_ij = n_ij / n_i``, ``B_ij = [P_ij >= threshold]`` without the diagonal, ``A_ij = p B_ij / sum_j B_ij``, ``A_ii = 1 - p``; p is the
    neighbours' weight; (6) to (8) of Chen et al. 2019. A label without neighbours keeps all its weight, so every row sums to 1 and the
    normalisation by the rows' sums that usually follows changes nothing. A small p keeps labels from growing alike.

    Args:
        statistics: of the training split.
        threshold: share of a label's instances that must carry the other label for an edge, in [0, 1].
        neighbour_weight: what the neighbours weigh together, in [0, 1).

    Returns:
        (L, L) float32.

    Raises:
        ValueError: for a share out of range.

    >>> print(label_graph(LabelStatistics.from_targets([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]])))
    [[1.  0.  0. ]
     [0.2 0.8 0. ]
     [0.  0.  1. ]]
    """
    if not 0 <= threshold <= 1 or not 0 <= neighbour_weight < 1:
        raise ValueError(
            f"the 'threshold' parameter must be from 0 to 1 and 'neighbour_weight' from 0 to below 1, "
            f"got {threshold!r} and {neighbour_weight!r}"
        )
    together = statistics.co_occurrence.toarray().astype(np.float64)
    edges = (together / np.maximum(statistics.counts, 1)[:, None] >= threshold) & (together > 0)
    np.fill_diagonal(edges, False)
    neighbours = edges.sum(axis=1, keepdims=True)
    weights = np.where(edges, neighbour_weight / np.maximum(neighbours, 1), 0.0)
    np.fill_diagonal(weights, np.where(neighbours[:, 0] > 0, 1 - neighbour_weight, 1.0))
    return weights.astype(np.float32)
