"""What was taken for granted when data was read, in a few short lines; and what its size keeps from being known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..labels import LabelSpace
from .dataset import MultiLabelData

FEW_ROWS = 50  # of which a share is a coarse figure: one row is 2 %
OWN_LABELS = 0.9  # labels a row from which on hardly one occurs twice: texts, names or numbers were taken for labels
COLUMN = 11  # where what is assumed stands
SHOWN = 3  # names listed of many
SHOWN_FEATURES = 5


def entry(name: str, what: str) -> str:
    """One line of what is assumed: a name, and beside it in a column what that is.

    >>> entry("text", "body")
    'text       body'
    """
    return f"{name:<{COLUMN}}{what}"


def assumed(data: MultiLabelData, space: LabelSpace | None = None) -> list[str]:
    """What was read from where: inputs, labels and their separator, ids, features, parts, and whatever the reader noted.

    Args:
        data: as it was read and split.
        space: the labels; None takes those of the data.

    Returns:
        Lines of at most 80 columns, unless names or notes are long.

    >>> import tempfile, pathlib
    >>> from multihot.data import load
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "train.csv"
    >>> _ = path.write_text("body,tags\\nwheat rises,grain|wheat\\nno news,\\n")
    >>> print(*assumed(load(path)), sep="\\n")
    data       train: text
    text       column 'body'
    labels     column 'tags', separated by '|': 2 labels, 1.00 per instance
    id         the row's number
    split      2 train
    """
    space = data.label_space() if space is None else space
    return [entry("data", f"{data.name}: {data.modality}"), *_columns(data, space), entry("split", _parts(data)), *_notes(data)]


def doubts(data: MultiLabelData, space: LabelSpace, label_sets: bool = True) -> list[str]:
    """What figures on this data cannot mean much for: small parts, and labels that nobody carries or that hardly anybody shares.

    Args:
        data: with its splits.
        space: the labels.
        label_sets: whether these are to be learned, and measured by what counts every label alike.
    """
    found = []
    small = {split: len(rows) for split, rows in data.splits.items() if len(rows) < FEW_ROWS}
    if small:
        *most, last = (f"{count} {split}" for split, count in small.items())
        listed = f"{', '.join(most)} and {last}" if most else last
        found.append(f"only {listed} rows: a figure may be far off by chance alone; see its interval in `multihot compare`")
    counts = {split: _carried(data, split, space) for split in ("train", "test") if split in data.splits}
    carried, rows = int((counts["train"] > 0).sum()), len(data.splits["train"])
    if data.input_column != "indices" and rows >= FEW_ROWS and carried >= OWN_LABELS * rows:
        found.append(f"{carried:,} labels in {rows:,} training rows, so hardly one can be learned: is that the column of the labels?")
    if label_sets and data.degrees != "distribution":
        found += [line for split, count in counts.items() if (line := _never(split, count, space))]
    return found


def _carried(data: MultiLabelData, split: str, space: LabelSpace) -> np.ndarray:
    """How many rows of a split carry each label."""
    return np.asarray((data.label_sets(split, space)[0] > 0).sum(axis=0)).ravel()


def _never(split: str, counts: np.ndarray, space: LabelSpace) -> str | None:
    """A word on labels that occur in no row of a split in which some occur."""
    names = [name for name, count in zip(space.names, counts, strict=True) if not count]
    if not names or not counts.any():
        return None
    why = "however well it is learned" if split == "test" else "for nothing can be learned of it"
    return f"{len(names)} of {len(space)} labels occur in no {split} row ({_some(names)}): macro metrics count 0 for each, {why}"


def _columns(data: MultiLabelData, space: LabelSpace) -> Iterator[str]:
    """Which column is what, as far as the data comes from columns."""
    read = data.options
    for name in ("text", "image"):
        if read.get(name):
            yield entry(name, f"column '{read[name]}'")
    count = f"{len(space):,} labels, " + (
        f"each row a distribution over them ({read.get('distribution') or 'degrees'})"
        if data.degrees == "distribution"
        else f"{data.statistics(space).cardinality:.2f} per instance"
    )
    labels = read.get("labels")
    where = ""
    if isinstance(labels, str):
        where = f"column '{labels}'" + (f", separated by {read['delimiter']!r}" if read.get("delimiter") else "")
    elif labels:
        where = f"{len(labels)} columns, {_some(labels)}"
    yield entry("labels", f"{where}: {count}" if where else count)
    if where or read.get("text") or read.get("image"):
        yield entry("id", f"column '{read['id']}'" if read.get("id") else "the row's number")
    if data.feature_names:
        yield entry("features", f"{len(data.feature_names):,}: {_some(data.feature_names, SHOWN_FEATURES)}")
    elif data.num_features:
        yield entry("features", f"{data.num_features:,}")


def _parts(data: MultiLabelData) -> str:
    return ", ".join(f"{len(rows):,} {split}" + (" (set aside)" if split in data.cut_off else "") for split, rows in data.splits.items())


def _notes(data: MultiLabelData) -> list[str]:
    return [entry("note" if not number else "", note) for number, note in enumerate(data.notes)]


def _some(names: Sequence[str], most: int = SHOWN) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
