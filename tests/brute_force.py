"""Label sequences by enumeration: what the batched searches and objectives are held against, one instance and one sequence at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import torch
from torch import Tensor

from multihot.interfaces import Decoder
from multihot.types import Encoding

Sequence = tuple[int, ...]


def reward(truth: set[int], labels: Iterable[int]) -> int:
    """Minus the labels that are missing or wrong; whoever says a label again is wrong."""
    labels = list(labels)
    return -len(truth - set(labels)) - (len(labels) - len(truth & set(labels)))


def best_reward(truth: set[int], prefix: Sequence, symbol: int, num_labels: int) -> int:
    """The best reward of all completions behind a prefix and a symbol."""
    if symbol == num_labels:
        return reward(truth, prefix)
    endings = itertools.chain.from_iterable(itertools.product(range(num_labels), repeat=size) for size in range(num_labels + 1))
    return max(reward(truth, [*prefix, symbol, *ending]) for ending in endings)


def soft_max(values: list[float], tau: float) -> list[float]:
    """Spread over the values; over the best ones alone where tau is 0."""
    weights = [float(value == max(values)) if tau == 0 else math.exp((value - max(values)) / tau) for value in values]
    return [weight / sum(weights) for weight in weights]


def next_log_probabilities(
    decoder: Decoder, encoding: Encoding, prefix: Sequence, num_labels: int, shut: Iterable[int] = (), masked: bool = True
) -> Tensor:
    """log p of every next symbol of one instance, (L + 1), by a walk from the start that nothing is shared with."""
    state, logits = decoder.start(encoding), torch.empty(0)
    for symbol in (num_labels + 1, *prefix):
        logits, state = decoder.step(torch.tensor([symbol]), state, encoding)
    closed = [*(prefix if masked else ()), *shut]
    logits = logits[0].index_fill(0, torch.tensor(closed, dtype=torch.long), -torch.inf)
    return torch.log_softmax(logits, dim=-1)


def all_sequences(decoder: Decoder, encoding: Encoding, num_labels: int) -> dict[Sequence, Tensor]:
    """Every sequence of distinct labels of one instance, without its stop -> its log probability."""
    found: dict[Sequence, Tensor] = {}

    def extend(prefix: Sequence, log_p: Tensor) -> None:
        after = next_log_probabilities(decoder, encoding, prefix, num_labels)
        found[prefix] = log_p + after[num_labels]
        for label in set(range(num_labels)) - set(prefix):
            extend((*prefix, label), log_p + after[label])

    extend((), torch.zeros((), dtype=encoding.pooled.dtype))
    return found
