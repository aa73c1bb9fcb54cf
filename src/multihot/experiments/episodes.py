"""Few-shot episodes: which rows they hold, and how labels never seen in training get logits from a few rows each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from scipy import sparse
from torch import Tensor

from ..data import MultiLabelData
from ..errors import DataError
from ..labels import LabelSpace


@dataclass(frozen=True)
class Episode:
    """Some labels, a few rows of each to learn from, and other rows of each to be tested on.

    Args:
        labels: (n,) columns of the label space.
        support: (n * shots,) row numbers, label after label.
        queries: (n * queries,) row numbers, label after label.
    """

    labels: Int[np.ndarray, " n"]
    support: Int[np.ndarray, " S"]
    queries: Int[np.ndarray, " Q"]


@dataclass
class Pool:
    """The rows of a data set under their labels.

    Args:
        rows: all splits, one after another.
        targets: (N, L).
        space: the labels.
        rows_of_label: the rows that carry each label most, of labels with enough of them.
    """

    rows: Any
    targets: sparse.csr_matrix
    space: LabelSpace
    rows_of_label: dict[int, Int[np.ndarray, " r"]]


def pool_of(data: MultiLabelData, least: int) -> Pool:
    """All rows of a data set, under the labels that at least ``least`` rows carry most."""
    import datasets

    space = data.label_space(unseen="include")
    rows = datasets.concatenate_datasets(list(data.splits.values()))
    targets = sparse.csr_matrix(sparse.vstack([data.targets(split, space)[0] for split in data.splits]), dtype=np.float32)
    most = np.asarray(targets.argmax(axis=1)).ravel()
    most[np.diff(targets.indptr) == 0] = -1  # nobody annotated them, or they carry nothing
    groups = {label: np.flatnonzero(most == label) for label in range(len(space))}
    return Pool(rows, targets, space, {label: own for label, own in groups.items() if len(own) >= least})


def check_labels(pool: Pool, name: str, ways: int, shots: int, queries: int) -> None:
    """Refuse data of which no base and novel labels can be made."""
    if len(pool.rows_of_label) < ways + 2:
        raise DataError(
            f"{name}: {len(pool.rows_of_label)} of {len(pool.space)} labels have the {shots + queries} rows that {shots} shots and "
            f"{queries} queries ask for, but {ways} novel and 2 base labels are needed; ask for fewer shots, queries or ways"
        )


def split_labels(labels: Sequence[int], novel: float, ways: int, seed: int) -> tuple[list[int], list[int]]:
    """Base and novel labels, drawn by the seed: a share of novel ones, but at least ``ways``, and at least two base ones.

    >>> base, novel = split_labels(range(10), 0.4, 3, seed=0)
    >>> len(base), len(novel), sorted(base + novel) == list(range(10))
    (6, 4, True)
    """
    order = np.random.default_rng([seed, 2]).permutation(np.asarray(labels)).tolist()
    count = min(max(round(novel * len(order)), ways), len(order) - 2)
    return sorted(order[count:]), sorted(order[:count])


def draw_episode(
    rows_of_label: dict[int, Int[np.ndarray, " r"]], ways: int, shots: int, queries: int, random: np.random.Generator
) -> Episode:
    """Draw labels, then rows of each without repetition.

    Args:
        rows_of_label: the rows of each label that may be drawn, at least ``shots + queries`` of each.
        ways: labels an episode.
        shots: rows of each label to learn from.
        queries: rows of each label to be tested on.
        random: decides.

    Returns:
        The episode; its labels are in ascending order.

    >>> episode = draw_episode({3: np.array([0, 1, 2]), 5: np.array([7, 8, 9])}, 2, 1, 2, np.random.default_rng(0))
    >>> episode.labels.tolist(), len(episode.support), len(episode.queries)
    ([3, 5], 2, 4)
    """
    labels = np.sort(random.choice(sorted(rows_of_label), ways, replace=False))
    drawn = np.stack([random.choice(rows_of_label[label], shots + queries, replace=False) for label in labels.tolist()])
    return Episode(labels, drawn[:, :shots].ravel(), drawn[:, shots:].ravel())


def restricted(degrees: Float[Tensor, "N L"], rows: Int[np.ndarray, " R"], labels: Int[np.ndarray, " n"]) -> Float[Tensor, "R n"]:
    """The label distributions of some rows among some labels, made to sum to 1 again."""
    among = degrees[torch.from_numpy(rows)][:, torch.from_numpy(labels)]
    return among / among.sum(1, keepdim=True)


def prototypes(encodings: Float[Tensor, "*E S D"], degrees: Float[Tensor, "*E S n"]) -> Float[Tensor, "*E n D"]:
    """One vector a label: the mean of the encodings, each as much as its row's degree of the label.

    ``c_k = sum_i y_ik z_i / sum_i y_ik``; with degrees of 0 and 1 that is the mean of the label's rows [Snell et al. 2017, 1].

    Args:
        encodings: z, (S, D), or of several episodes at once.
        degrees: y, (S, n), at least 0, some above 0 for every label.

    Returns:
        (n, D).

    >>> prototypes(torch.tensor([[0.0], [4.0]]), torch.tensor([[1.0, 0.5], [0.0, 0.5]])).tolist()
    [[0.0], [2.0]]
    """
    return degrees.transpose(-1, -2) @ encodings / degrees.sum(-2)[..., None]


def prototype_logits(queries: Float[Tensor, "*E Q D"], centres: Float[Tensor, "*E n D"]) -> Float[Tensor, "*E Q n"]:
    """``s_k = -|z - c_k|^2`` [Snell et al. 2017, 2].

    >>> prototype_logits(torch.tensor([[1.0]]), torch.tensor([[0.0], [3.0]])).tolist()
    [[-1.0, -4.0]]
    """
    return -((queries[..., :, None, :] - centres[..., None, :, :]) ** 2).sum(-1)


def head_logits(
    support: Float[Tensor, "E S D"],
    degrees: Float[Tensor, "E S n"],
    queries: Float[Tensor, "E Q D"],
    steps: int = 100,
    learning_rate: float = 0.01,
    weight_decay: float = 1e-3,
) -> Float[Tensor, "E Q n"]:
    """Logits of a linear head that each episode trains for itself on the encodings of its support.

    ``W, b = argmin KL(y || softmax(W z + b)) + weight_decay |W|^2``, by Adam from 0; the episodes do not see each other.

    Args:
        support: encodings to learn from.
        degrees: their label distributions, rows sum to 1.
        queries: encodings to score.
        steps: updates.
        learning_rate: Adam's.
        weight_decay: at least 0.

    Returns:
        (E, Q, n).
    """
    weight = torch.zeros(len(support), support.shape[-1], degrees.shape[-1], device=support.device, requires_grad=True)
    bias = torch.zeros(len(support), 1, degrees.shape[-1], device=support.device, requires_grad=True)
    optimiser = torch.optim.Adam([weight, bias], lr=learning_rate)
    for _ in range(steps):
        optimiser.zero_grad()
        logits = support @ weight + bias
        divergence = F.cross_entropy(logits.flatten(0, 1), degrees.flatten(0, 1), reduction="sum") / support.shape[1]
        (divergence + weight_decay * (weight**2).sum()).backward()
        optimiser.step()
    return (queries @ weight + bias).detach()


def accuracy(probabilities: Float[np.ndarray, "Q n"], degrees: Float[np.ndarray, "Q n"]) -> float:
    """The share of queries whose most probable label is one of those that they carry most.

    >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    0.5
    """
    chosen = probabilities.argmax(1)
    return float((degrees[np.arange(len(degrees)), chosen] >= degrees.max(1)).mean())


def stacked(episodes: Sequence[Episode], encodings: Float[Tensor, "N D"]) -> tuple[Float[Tensor, "E S D"], Float[Tensor, "E Q D"]]:
    """The encodings of the episodes' supports and queries."""
    support, queries = (torch.from_numpy(np.stack([getattr(one, name) for one in episodes])) for name in ("support", "queries"))
    return encodings[support], encodings[queries]
