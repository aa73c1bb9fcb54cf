"""Cross-validation: all rows of a data set, cut into folds, of which each is the test split once."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from ..errors import ConfigurationError, DataError
from .dataset import CUTS, MultiLabelData


def with_fold(data: MultiLabelData, folds: int, fold: int, method: str = "stratified", seed: int = 0) -> MultiLabelData:
    """The training split cut into folds: one of them is the test split, the others are left to train on.

    Args:
        data: with a training split; its other splits are left out, see ``in_one_split``.
        folds: how many, 2 or more.
        fold: the number of the test fold, from 0 on.
        method: ``"stratified"``, ``"random"`` or ``"drifting"``, as for ``MultiLabelData.with_validation``.
        seed: decides which rows; with the same seed, every row is a test row of one fold.

    Returns:
        The data with the splits ``train`` and ``test``.

    Raises:
        ConfigurationError: for fewer than two folds, or a fold that is none of them.
        DataError: if there are fewer rows than folds.

    >>> from multihot.data.in_memory import from_rows
    >>> data = from_rows([{"text": "a", "labels": ["x"]}] * 4 + [{"text": "b", "labels": ["y"]}] * 4)
    >>> [with_fold(data, 4, fold).split("test")["text"][:] for fold in range(2)]
    [['a', 'b'], ['a', 'b']]
    """
    if folds < 2 or not 0 <= fold < folds:
        raise ConfigurationError(f"there is no fold {fold} of {folds}; allowed are 2 folds or more, numbered from 0")
    parts, notes = data.cut([1 / folds] * folds, method, seed)
    if not all(map(len, parts)):
        raise DataError(f"{data.name}: {len(data.split('train'))} rows are too few for {folds} folds; ask for fewer")
    rest = np.sort(np.concatenate([part for number, part in enumerate(parts) if number != fold]))
    alone = replace(data, splits={"train": data.split("train")})
    cut = alone.with_rows({"train": rest, "test": parts[fold]}, f"fold-{fold}-of-{folds}-{CUTS[method]}-{seed}")
    said = f"fold {fold} of {folds} (0 to {folds - 1}) is the test split: {len(parts[fold]):,} rows"
    return replace(cut, cut_off=(*data.cut_off, "test"), notes=(*data.notes, *notes, said))


def in_one_split(data: MultiLabelData) -> MultiLabelData:
    """All rows as the training split; where two splits name rows alike, the names of all but training rows begin with their split's.

    Raises:
        DataError: if the splits hold different columns.
    """
    import datasets

    if list(data.splits) == ["train"]:
        return data
    held = {split: sorted(rows.column_names) for split, rows in data.splits.items()}
    if len({tuple(columns) for columns in held.values()}) > 1:
        listed = "; ".join(f"{split} {', '.join(columns)}" for split, columns in held.items())
        raise DataError(f"{data.name}: its splits hold different columns ({listed}), so they make no folds; give the training rows alone")
    names = {split: rows["id"][:] for split, rows in data.splits.items()}
    alike = len({name for given in names.values() for name in given}) < sum(map(len, names.values()))
    parts = [
        rows.remove_columns("id").add_column("id", [name if split == "train" or not alike else f"{split}/{name}" for name in names[split]])
        for split, rows in data.splits.items()
    ]
    mark = hashlib.sha256(f"{data.fingerprint}-in-one-split".encode()).hexdigest()[:32]
    rows = datasets.concatenate_datasets(parts)
    every = rows.select(range(len(rows)), new_fingerprint=f"{mark}-train")
    sizes = " and ".join(f"{len(rows):,} {split}" for split, rows in data.splits.items())
    said = f"the folds are cut from all rows: {sizes} rows were put together"
    if alike:
        said += f"; names of {' and '.join(split for split in data.splits if split != 'train')} rows begin with their split's"
    return replace(data, splits={"train": every}, fingerprint=mark, notes=(*data.notes, said))
