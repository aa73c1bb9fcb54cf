"""Which rows are trained on, chosen on and measured on, where the data itself does not say all of it."""

from __future__ import annotations

import numpy as np

from ..data import MultiLabelData, random_split
from ..data.folds import in_one_split, with_fold
from ..errors import DataError
from .data_settings import DataSettings


def set_aside(data: MultiLabelData, settings: DataSettings, seed: int, validation: bool = True) -> MultiLabelData:
    """Carve test and validation parts from the training split where the data has none; classical methods need no validation.

    ``seed`` is the run's; the rows are set aside by ``settings.split_seed``. Where that is None, they are those of runs from before it was
    there: by the run's seed, and as by version 0.1.0.
    """
    before = settings.split_seed is None
    split_seed = seed if settings.split_seed is None else settings.split_seed
    method = "drifting" if before and settings.split == "stratified" else settings.split
    if "train" not in data.splits:
        raise DataError(f"{data.name} has no training split; it has {', '.join(data.splits)}")
    if settings.folds:
        data = in_one_split(data)
    if settings.limit:
        data = data.with_rows({"train": range(min(settings.limit, len(data.splits["train"])))}, f"limit-{settings.limit}")
    if settings.test_group is not None:
        data = _without_group(data, settings.test_group)
    if settings.folds:
        data = with_fold(data, settings.folds, settings.fold, method, split_seed)
    elif "test" not in data.splits and settings.test:
        data = data.with_validation(settings.test, method, split_seed, split="test")
    if settings.train_share < 1:
        data = _with_share(data, settings.train_share, seed)
    if "validation" not in data.splits and validation:
        data = data.with_validation(settings.validation, method, split_seed)
    return data


def _without_group(data: MultiLabelData, group: str) -> MultiLabelData:
    """The rows whose id begins with the group's name as the test split, so that nobody is in two splits."""
    if "test" in data.splits:
        raise DataError(f"{data.name} has a test split of its own; leave data.test_group out, or give the training rows alone")
    train = data.splits["train"]
    inside = np.array([identity.startswith(f"{group}/") for identity in train["id"]], dtype=bool)
    if inside.all() or not inside.any():
        some = ", ".join(sorted({identity.partition("/")[0] for identity in train[:1000]["id"] if "/" in identity})[:5])
        held = "all rows are" if inside.any() else "no row is"
        raise DataError(f"{data.name}: {held} of data.test_group '{group}'; the ids begin with {some or 'no name and slash'}")
    return data.with_rows({"train": np.flatnonzero(~inside), "test": np.flatnonzero(inside)}, f"without-{group}")


def _with_share(data: MultiLabelData, share: float, seed: int) -> MultiLabelData:
    train = data.splits["train"]
    kept = random_split(len(train), [share, 1 - share], seed)[0]
    if not len(kept):
        raise DataError(f"{data.name}: a share of {share} leaves none of the {len(train)} training rows; raise data.train_share")
    return data.with_rows({"train": kept}, f"share-{share}-{seed}")
