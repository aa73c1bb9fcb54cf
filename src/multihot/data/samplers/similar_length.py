"""Which rows make up which batch: rows of similar length together, in an order that follows from the seed and the epoch alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch.utils.data import Sampler

from ...errors import ConfigurationError
from ...interfaces import Sampling

CHUNK = 50  # batches that are sorted by length together while shuffling: little padding, and still a different mix every epoch


class SimilarLengthSampler(Sampler[list[int]]):
    """Yields the row numbers of one batch after another.

    Shuffled: all rows are permuted, cut into chunks of 50 batches, sorted by length within each chunk, and the batches are shuffled. The
    order is a pure function of ``(seed, epoch)``. Not shuffled: the longest rows come first (what would exhaust the memory does so
    at once), or the rows come as they are where no lengths are given.
    With a ``sampling`` the epoch consists of the rows that it draws, some of them several times, in place of all N.

    The N rows make ``ceil(N / batch_size)`` batches whose sizes differ by at most one row, so no update rests on a short last batch.
    With several processes their number is rounded up to a multiple of ``world_size``: every process gets equally many batches, each
    row of the epoch goes to exactly one process, and the batches of one step are of similar length.

    Args:
        num_rows: N, the number of rows.
        batch_size: the most rows in a batch.
        lengths: N numbers, how long each row is; None if all rows are alike.
        shuffle: a new order every epoch (training), or the same fixed order (prediction).
        seed: what the orders follow from.
        rank: the number of this process; by default what ``torch.distributed`` says, or 0.
        world_size: the number of processes; by default what ``torch.distributed`` says, or 1.
        sampling: draws the rows of an epoch; None takes every row once.

    Raises:
        ConfigurationError: if there are fewer rows than processes, or the batch size is not positive.

    >>> sampler = SimilarLengthSampler(5, batch_size=2, lengths=[7, 1, 9, 1, 8])
    >>> list(sampler)
    [[2, 4], [0, 1], [3]]
    """

    def __init__(
        self,
        num_rows: int,
        batch_size: int,
        lengths: Sequence[int] | None = None,
        shuffle: bool = False,
        seed: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        sampling: Sampling | None = None,
    ):
        if batch_size < 1:
            raise ConfigurationError(f"batch_size must be at least 1, got {batch_size}")
        if lengths is not None and len(lengths) != num_rows:
            raise ConfigurationError(f"there are {len(lengths)} lengths for {num_rows} rows; give one length a row")
        self.num_rows = num_rows
        self.sampling = sampling
        self.size = num_rows if sampling is None else sampling.size
        self.batch_size = batch_size
        self.lengths = None if lengths is None else np.asarray(lengths)
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0
        self._rank, self._world_size = rank, world_size

    @property
    def rank(self) -> int:
        """The number of this process, asked for late because a loader may be made before the processes know each other."""
        return _distributed("get_rank", 0) if self._rank is None else self._rank

    @property
    def world_size(self) -> int:
        """The number of processes that share the rows."""
        return _distributed("get_world_size", 1) if self._world_size is None else self._world_size

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches an epoch for this process."""
        return -(-self.size // (self.batch_size * self.world_size))

    def __iter__(self) -> Iterator[list[int]]:
        if self.size == 0:
            return
        if self.size < self.world_size:
            raise ConfigurationError(f"{self.size} rows cannot be shared among {self.world_size} processes; use fewer devices")
        for step in self._steps():
            yield step[self.rank].tolist()

    def _steps(self) -> list[list[Int[np.ndarray, " b"]]]:
        """All batches of the epoch, grouped into steps of one batch a process."""
        world, count = self.world_size, len(self) * self.world_size
        small, larger = divmod(self.size, count)
        bounds = np.concatenate([[0], np.cumsum(np.where(np.arange(count) < larger, small + 1, small))])
        random = np.random.default_rng([self.seed, self.epoch])
        order = np.arange(self.num_rows) if self.sampling is None else self.sampling.rows(random)
        if self.shuffle:
            order = order[random.permutation(self.size)]
        if self.lengths is not None:
            span = CHUNK * world if self.shuffle else count
            ends = np.append(bounds[::span][bounds[::span] < self.size], self.size)
            parts = (order[a:b] for a, b in itertools.pairwise(ends))
            order = np.concatenate([part[np.argsort(-self.lengths[part], kind="stable")] for part in parts])
        batches = np.split(order, bounds[1:-1])
        steps = [batches[i : i + world] for i in range(0, count, world)]
        return [steps[i] for i in random.permutation(len(steps))] if self.shuffle else steps


def _distributed(question: str, otherwise: int) -> int:
    """Ask torch.distributed, if it is running."""
    running = torch.distributed.is_available() and torch.distributed.is_initialized()
    return getattr(torch.distributed, question)() if running else otherwise
