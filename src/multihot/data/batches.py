"""From prepared rows to batches of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import ConfigurationError, DataError, nearest
from ..interfaces import Processor, Sampling
from ..labels import LabelSpace
from ..threads import limit_loading_worker
from ..types import Batch
from .samplers import SimilarLengthSampler

LABEL_COLUMNS = ("id", "labels", "unknown", "label_values")


def make_batch(rows: Sequence[dict[str, Any]], processor: Processor, space: LabelSpace, unseen: str = "ignore") -> Batch:
    """Some prepared rows as one batch.

    Args:
        rows: B mappings with ``id``, ``labels``, maybe ``unknown`` and ``label_values``, and what the processor reads.
        processor: makes the inputs.
        space: the L labels.
        unseen: ``"ignore"`` leaves out a label that is not in the label space, anything else refuses it.

    Returns:
        The batch; see ``make_targets`` for its targets.
    """
    targets, known = make_targets(rows, space, unseen)
    return Batch(processor.collate(list(rows)), targets, known, [row["id"] for row in rows])


def make_targets(
    rows: Sequence[dict[str, Any]], space: LabelSpace, unseen: str = "ignore"
) -> tuple[Float[Tensor, "B L"], Bool[Tensor, "B L"]]:
    """The label sets of some rows as targets, and which of them were annotated.

    A row without a label set (``labels`` is None or missing) has nothing known; an empty label set is known to be empty.
    ``unknown`` names labels that nobody annotated for the row; ``label_values`` runs parallel to ``labels`` and makes targets soft.

    Args:
        rows: B mappings.
        space: the L labels.
        unseen: ``"ignore"`` or ``"error"``, for labels outside the label space.

    Returns:
        targets (B, L) float in [0, 1] and known (B, L) boolean.

    Raises:
        DataError: for a label outside the label space where ``unseen`` is not ``"ignore"``.

    >>> space = LabelSpace(["corn", "wheat"])
    >>> rows = [{"id": "a", "labels": ["wheat"]}, {"id": "b", "labels": None}, {"id": "c", "labels": [], "unknown": ["corn"]}]
    >>> targets, known = make_targets(rows, space)
    >>> targets.tolist(), known.tolist()
    ([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]], [[True, True], [False, False], [False, True]])
    """
    targets = np.zeros((len(rows), len(space)), dtype=np.float32)
    known = np.ones((len(rows), len(space)), dtype=bool)
    for number, row in enumerate(rows):
        labels = row.get("labels")
        if labels is None:
            known[number] = False
            continue
        values = row.get("label_values")
        for label, value in zip(labels, [1.0] * len(labels) if values is None else values, strict=True):
            if (column := space.index.get(label)) is not None:
                targets[number, column] = value
            elif unseen != "ignore":
                raise DataError(f"row '{row['id']}': label '{label}' is not in the label space; {nearest(label, space.names[:50])}")
        for label in row.get("unknown") or ():
            if label in space.index:
                known[number, space.index[label]] = False
    return torch.from_numpy(targets), torch.from_numpy(known)


def make_loader(
    rows: Any,
    processor: Processor,
    space: LabelSpace,
    *,
    batch_size: int,
    shuffle: bool = False,
    seed: int = 0,
    by_length: bool = True,
    workers: int = 0,
    unseen: str = "ignore",
    sampling: Sampling | None = None,
) -> DataLoader:
    """Batches of prepared rows.

    Shuffled batches are for training, and augmented where the processor does so.

    Args:
        rows: a ``datasets.Dataset``, as ``processor.prepare`` returned it.
        processor: makes the inputs.
        space: the L labels.
        batch_size: the most rows in a batch.
        shuffle: a new order every epoch, from ``seed`` and the epoch alone (``loader.sampler.set_epoch``).
        seed: what the orders follow from.
        by_length: batches hold rows of similar length; without ``shuffle``, the longest come first (``Prediction.reorder`` restores
            the order of the rows). Without it unshuffled rows come as they are.
        workers: processes that prepare batches; 0 prepares them in this one.
        unseen: ``"ignore"`` or ``"error"``, for labels outside the label space.
        sampling: draws the rows that an epoch consists of; None takes every row once.

    Returns:
        A loader of ``Batch``; under ``torch.distributed`` every process gets its share.

    Raises:
        ConfigurationError: for an unusable batch size or policy, or rows that are not prepared.
    """
    if unseen not in ("ignore", "include", "error"):
        raise ConfigurationError(f"there is no policy '{unseen}' for unseen labels; {nearest(unseen, ['ignore', 'include', 'error'])}")
    lengths = processor.length(rows) if by_length else None
    sampler = SimilarLengthSampler(len(rows), batch_size, lengths, shuffle, seed, sampling=sampling)
    # the sampler yields whole batches, so the loader's own batching is off
    return DataLoader(
        _Batches(rows, processor.for_training() if shuffle else processor, space, unseen),
        sampler=sampler,
        batch_size=None,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=limit_loading_worker,
        generator=torch.Generator().manual_seed(seed),  # its own, so that making an iterator never moves the global random state
    )


class _Batches(Dataset):
    """Lists of row numbers -> batches."""

    def __init__(self, rows: Any, processor: Processor, space: LabelSpace, unseen: str):
        wanted = getattr(processor, "columns", None)
        if wanted is not None:
            present = [name for name in (*LABEL_COLUMNS, *wanted) if name in rows.column_names]
            if not any(name in present for name in wanted):
                raise ConfigurationError(f"the rows have no column {' or '.join(wanted)}; pass them through the processor's prepare first")
            rows = rows.select_columns(present)
        self.rows = rows.with_format("arrow")
        self.processor, self.space, self.unseen = processor, space, unseen

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, numbers: list[int]) -> Batch:
        return make_batch(_rows_of(self.rows[numbers]), self.processor, self.space, self.unseen)


def _rows_of(table: Any) -> list[dict[str, Any]]:
    """An Arrow table as mappings; lists of numbers stay NumPy arrays, which is many times as fast as Python lists."""
    columns = {name: _values(table[name].combine_chunks()) for name in table.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(array: Any) -> Sequence[Any]:
    import pyarrow as pa

    kind = array.type
    numbers = (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_primitive(kind.value_type)
    if not numbers or array.null_count:
        return array.to_pylist()
    ends = np.cumsum(array.value_lengths().to_numpy(zero_copy_only=False))
    return np.split(array.flatten().to_numpy(zero_copy_only=False), ends[:-1])
