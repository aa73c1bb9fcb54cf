"""What was taken for granted when data was read, in a few short lines; and what its size keeps from being known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..labels import LabelSpace
from .dataset import MultiLabelData

FEW_ROWS = 50  # of which a share is a coarse figure: one row is 2 %
COLUMN = 11  # where what is assumed stands
SHOWN = 3  # names listed of many


def entry(name: str, what: str) -> str:
    """One line of what is assumed: a name, and beside it in a column what that is.

    >>> entry("text", "body")
    'text       body'
    """
    return f"{name:<{COLUMN}}{what}"


def assumed(data: MultiLabelData) -> list[str]:
    """Which columns are what, what separates labels, and how large the parts are; for data with columns.

    Args:
        data: as it was read and split.

    Returns:
        Lines of at most 80 columns, unless names are long.

    >>> import tempfile, pathlib
    >>> from multihot.data import load
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "train.csv"
    >>> _ = path.write_text("body,tags\\nwheat rises,grain|wheat\\nno news,\\n")
    >>> assumed(load(path))
    ["text: body; labels: tags, separated by '|'; id: the row's number"]
    """
    read = data.options
    parts = []
    if read.get("text"):
        parts.append(f"text: {read['text']}")
    if read.get("image"):
        parts.append(f"pictures: {read['image']}")
    if data.feature_names:
        parts.append(f"{len(data.feature_names)} features: {_some(data.feature_names)}")
    labels = read.get("labels")
    if isinstance(labels, str):
        parts.append(f"labels: {labels}" + (f", separated by {read['delimiter']!r}" if read.get("delimiter") else ""))
    elif labels:
        parts.append(f"labels: {len(labels)} columns, {_some(labels)}")
    if parts:
        parts.append(f"id: {read['id']}" if read.get("id") else "id: the row's number")
    return ["; ".join(parts)] if parts else []


def doubts(data: MultiLabelData, space: LabelSpace) -> list[str]:
    """What figures on this data cannot mean much for: small parts, and labels that nobody carries where they are measured.

    Args:
        data: with its splits.
        space: the labels.
    """
    found = []
    small = {split: len(rows) for split, rows in data.splits.items() if split != "train" and len(rows) < FEW_ROWS}
    if small:
        listed = " and ".join(f"{count} {split} rows" for split, count in small.items())
        found.append(f"only {listed}: a figure may be far off by chance alone; see its interval in `multihot compare`")
    if "test" in data.splits:
        carried = np.asarray(data.label_sets("test", space)[0].sum(axis=0)).ravel() > 0
        missing = [name for name, there in zip(space.names, carried, strict=True) if not there]
        if missing and carried.any():
            found.append(
                f"{len(missing)} of {len(space)} labels occur in no test row ({_some(missing)}): macro metrics count 0 for each, "
                "however well it is learned"
            )
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
