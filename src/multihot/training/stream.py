"""All batches of a training as one stream, so that validation by updates, resuming and schedules need only a position in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler


class UpdateStream(Sampler[list[int]]):
    """Batches of epoch after epoch, up to a number of updates.

    Args:
        epoch_sampler: a batch sampler whose order is a pure function of its seed and ``set_epoch``.
        updates: how many batches there are in all.
        start: how many of them have been used already, when a training goes on.

    >>> from multihot.data.samplers import SimilarLengthSampler
    >>> list(UpdateStream(SimilarLengthSampler(3, batch_size=2), updates=5, start=3))
    [[2], [0, 1]]
    """

    def __init__(self, epoch_sampler: Any, updates: int, start: int = 0):
        self.epoch_sampler = epoch_sampler
        self.updates = updates
        self.start = start

    def __len__(self) -> int:
        return self.updates

    def __iter__(self) -> Iterator[list[int]]:
        per_epoch = len(self.epoch_sampler)
        position = self.start
        while position < self.updates:
            epoch, skip = divmod(position, per_epoch)
            self.epoch_sampler.set_epoch(epoch)
            for number, batch in enumerate(self.epoch_sampler):
                if number < skip:
                    continue
                if position == self.updates:
                    return
                yield batch
                position += 1


def stream_loader(epoch_loader: DataLoader, updates: int, start: int = 0) -> DataLoader:
    """A loader over the whole training, made from one over a single epoch whose sampler yields whole batches."""
    return DataLoader(
        epoch_loader.dataset,
        sampler=UpdateStream(epoch_loader.sampler, updates, start),
        batch_size=None,
        num_workers=epoch_loader.num_workers,
        persistent_workers=epoch_loader.num_workers > 0,
        worker_init_fn=epoch_loader.worker_init_fn,
        generator=epoch_loader.generator,
        pin_memory=torch.cuda.is_available(),
    )
