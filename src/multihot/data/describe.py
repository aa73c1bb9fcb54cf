"""What a data set is like, in figures: how many labels a row carries, how unequal labels are, which occur together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int
from scipy import sparse

from ..errors import ConfigurationError, nearest
from ..labels import LabelSpace, LabelStatistics, binarise
from ..storage import replacing
from .imbalance import Imbalance, measure_imbalance

if TYPE_CHECKING:
    from .dataset import MultiLabelData

CHUNK = 10_000  # rows looked at together
TOP_PAIRS = 10


@dataclass(frozen=True)
class SplitDescription:
    """The figures of one split; all but the first two are about its labelled rows.

    Args:
        rows: N, all rows.
        labelled: rows with a label set, the empty one included.
        labels: labels that occur.
        cardinality: mean number of labels a row carries.
        density: cardinality divided by L.
        empty: rows with the empty label set.
        label_sets: distinct label sets.
        diversity: distinct label sets divided by rows.
        unseen_sets: share of the distinct label sets that do not occur in training.
        unseen_rows: share of the rows whose label set does not occur in training.
        outside: labels of rows that are not in the label space, counted with repetition.
        sizes: rows that carry 0, 1, 2, ... labels.
        inputs: what the inputs are like: words a text, features a row.
    """

    rows: int
    labelled: int
    labels: int
    cardinality: float
    density: float
    empty: int
    label_sets: int
    diversity: float
    unseen_sets: float
    unseen_rows: float
    outside: int
    sizes: list[int]
    inputs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Two labels that occur together in ``rows`` training rows, ``lift`` times as often as if they were independent."""

    first: str
    second: str
    rows: int
    lift: float


@dataclass(frozen=True)
class Description:
    """What a data set is like.

    Args:
        name: of the data set.
        modality: ``"text"``, ``"table"``, ``"image"`` or ``"audio"``.
        space: its L labels.
        splits: the figures of each split.
        statistics: of the training split's label sets; the figures below follow from it.
        pairs: the labels that occur together most often in training.
    """

    name: str
    modality: str
    space: LabelSpace
    splits: dict[str, SplitDescription]
    statistics: LabelStatistics
    pairs: list[Pair]

    @cached_property
    def imbalance(self) -> Imbalance:
        """MeanIR, CVIR and SCUMBLE of the training rows, labels without any row left out."""
        return measure_imbalance(self.statistics)

    @property
    def mean_imbalance(self) -> float:
        """MeanIR: the mean over the labels of (count of the most frequent label / count of the label), labels without any row left out."""
        return self.imbalance.mean

    @property
    def max_imbalance(self) -> float:
        """Count of the most frequent label divided by that of the rarest one that occurs."""
        return self.imbalance.largest

    @property
    def frequency_groups(self) -> dict[str, int]:
        """How many labels are head (in at least 100 training rows), medium (20 to 99) and tail (fewer than 20)."""
        return {group: len(labels) for group, labels in self.statistics.split_by_frequency().items()}

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat mapping a split, for tables and JSON."""
        rows = []
        for name, split in self.splits.items():
            figures = {key: value for key, value in asdict(split).items() if key not in ("sizes", "inputs")}
            rows.append({"split": name} | figures | split.inputs)
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {
            "name": self.name,
            "modality": self.modality,
            "labels": len(self.space),
            "mean_imbalance": self.mean_imbalance,
            "max_imbalance": self.max_imbalance,
            "imbalance_variation": self.imbalance.variation,
            "scumble": self.imbalance.scumble,
            "scumble_variation": self.imbalance.scumble_variation,
            **self.frequency_groups,
            "splits": self.to_rows(),
            "pairs": [asdict(pair) for pair in self.pairs],
        }

    def print(self, console: Any) -> None:
        """Show the figures on a ``rich.console.Console``."""
        from .describe_tables import tables_of

        console.print(*tables_of(self), sep="\n")

    def draw(self, path: str | Path) -> None:
        """Draw label frequencies, cardinalities and co-occurrence into a file; its ending (.png, .svg, .pdf) says of which kind."""
        from .describe_picture import figure_of

        figure, kind = figure_of(self), Path(path).suffix[1:].lower() or "png"
        known = figure.canvas.get_supported_filetypes()
        if kind not in known:
            raise ConfigurationError(f"{path}: a picture cannot end in .{kind}; {nearest(kind, known)}")
        with replacing(path) as partial:
            figure.savefig(partial, dpi=150, format=kind)


def describe(data: MultiLabelData) -> Description:
    """Describe a data set.

    The label space is the one a training would use: the declared labels, or those of the training split.

    Args:
        data: what ``multihot.data.load`` gave.

    Returns:
        Its figures; ``print`` and ``draw`` show them.

    Raises:
        DataError: if there is no training split, or not a single label in it.

    >>> import datasets
    >>> from multihot.data import MultiLabelData
    >>> rows = datasets.Dataset.from_dict({"id": ["a", "b"], "text": ["corn and wheat", "rye"], "labels": [["corn", "wheat"], ["rye"]]})
    >>> description = describe(MultiLabelData("grain", "text", {"train": rows}, None, "0", "text"))
    >>> description.splits["train"].cardinality, description.splits["train"].inputs["median_words"]
    (1.5, 2.0)
    """
    space = data.label_space()
    statistics = data.statistics(space)
    outside = {split: sum(counts.values()) for split, counts in data.unseen_labels(space).items()}
    splits = {split: _describe_split(data, split, space, statistics, outside.get(split, 0)) for split in data.splits}
    return Description(data.name, data.modality, space, splits, statistics, _top_pairs(statistics, space))


def _describe_split(data: MultiLabelData, name: str, space: LabelSpace, training: LabelStatistics, outside: int) -> SplitDescription:
    rows = data.splits[name]
    labelled = _labelled(rows)
    targets = binarise(data.label_sets(name, space)[0])[labelled]
    own = LabelStatistics.from_targets(targets)
    seen = training.set_frequency(own.sets) > 0
    sizes = np.bincount(np.diff(targets.indptr), minlength=1)
    known = max(len(labelled), 1)
    return SplitDescription(
        rows=len(rows),
        labelled=len(labelled),
        labels=int((own.counts > 0).sum()),
        cardinality=own.cardinality,
        density=own.density,
        empty=int(sizes[0]),
        label_sets=len(seen),
        diversity=len(seen) / known,
        unseen_sets=float((~seen).sum() / max(len(seen), 1)),
        unseen_rows=float(own.multiplicity[~seen].sum() / known),
        outside=outside,
        sizes=sizes.tolist(),
        inputs=_describe_inputs(data, rows),
    )


def _top_pairs(statistics: LabelStatistics, space: LabelSpace) -> list[Pair]:
    together = sparse.triu(statistics.co_occurrence, k=1).tocoo()
    best = np.lexsort((together.col, together.row, -together.data))[:TOP_PAIRS]
    counts = statistics.counts
    return [
        Pair(space.names[a], space.names[b], int(rows), float(rows * statistics.num_examples / (counts[a] * counts[b])))
        for a, b, rows in zip(together.row[best], together.col[best], together.data[best], strict=True)
    ]


def _labelled(rows: Any) -> Int[np.ndarray, " n"]:
    """The numbers of the rows that somebody annotated."""
    import pyarrow.compute as pc

    flags = [pc.is_valid(table["labels"]).to_numpy() for table in _tables(rows, ["labels"])]
    return np.flatnonzero(np.concatenate(flags)) if flags else np.zeros(0, dtype=np.int64)


def _describe_inputs(data: MultiLabelData, rows: Any) -> dict[str, float]:
    if data.modality == "text":
        words = _word_counts(rows)
        return {
            "mean_words": float(words.mean()) if len(words) else 0.0,
            "median_words": float(np.median(words)) if len(words) else 0.0,
            "most_words": float(words.max(initial=0)),
            "empty_texts": float((words == 0).sum()),
        }
    if data.input_column == "frames" and data.num_features:
        counts = np.concatenate([table["num_frames"].to_numpy() for table in _tables(rows, ["num_frames"])])
        return {"features": float(data.num_features), "median_frames": float(np.median(counts)), "most_frames": float(counts.max())}
    if data.modality == "table" and data.num_features:
        stored = sum(_stored_values(table) for table in _tables(rows, [data.input_column]))
        return {"features": float(data.num_features), "nonzero_share": stored / max(len(rows) * data.num_features, 1)}
    return {}


def _word_counts(rows: Any) -> Int[np.ndarray, " N"]:
    """How many words, separated by white space, each text has."""
    import pyarrow.compute as pc

    counts = [pc.count_substring_regex(pc.fill_null(table["text"], ""), r"\S+").to_numpy() for table in _tables(rows, ["text"])]
    return np.concatenate(counts) if counts else np.zeros(0, dtype=np.int64)


def _stored_values(table: Any) -> int:
    """Non-zero features of dense rows; listed features of sparse ones."""
    values = table[0].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return len(values) if table.column_names == ["indices"] else int(np.count_nonzero(values))


def _tables(rows: Any, columns: list[str]) -> Iterator[Any]:
    return rows.select_columns(columns).with_format("arrow").iter(CHUNK)
