"""A multi-label data set: its splits, its labels, and what its training split says about them."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float
from scipy import sparse

from ..errors import ConfigurationError, DataError, nearest
from ..labels import LabelSpace, LabelStatistics, in_order, modes
from .splits import Parts, random_split, stratify

if TYPE_CHECKING:
    import datasets

SPLITS = ("train", "validation", "test")
# column -> modality
INPUTS = {"text": "text", "features": "table", "indices": "table", "image": "image", "frames": "audio", "audio": "audio"}
UNSEEN = ("ignore", "error", "include")
# how rows are cut: the mark of each in fingerprints, which never changes its meaning
CUTS = {"stratified": "exchanged", "drifting": "drifting", "random": "random"}
REMARKED = 0.01  # share of the rows moved for the sake of sizes from which on it is said
logger = logging.getLogger("multihot.data")


@dataclass
class MultiLabelData:
    """Rows with label sets, in up to three splits, memory-mapped from the cache.

    The policy for labels that do not occur in training: the label space holds the labels that the data set declares, or else those
    of the training split. A label outside it is left out of the row that carries it (``unseen="ignore"``) and counted by
    ``unseen_labels``; ``"error"`` refuses it; ``"include"`` widens the label space to all splits.

    Args:
        name: what to call it.
        modality: ``"text"``, ``"table"``, ``"image"`` or ``"audio"``.
        splits: ``"train"``, ``"validation"``, ``"test"``, as far as they exist. Every row has ``id`` and ``labels`` (null: nobody
            annotated the row; empty: it has none), the input, and where the source says so ``unknown`` and ``label_values``, and
            ``value`` (d numbers: where the row truly lies on the label axis) and ``spread`` (the standard deviation of its annotators).
        declared_labels: the labels that the source lists, or ``None``.
        fingerprint: changes whenever the content does.
        contents: the digest of each split as its source gave it, where that is known.
        input_column: ``"text"``, ``"features"``, ``"indices"`` (with ``"values"``: a sparse table), ``"image"``, ``"frames"``
            (feature vectors one after another, with ``"num_frames"``) or ``"audio"`` (an encoded recording).
        num_features: the width of a table, or of a frame.
        feature_names: the names of its columns, if the source gives any.
        options: how the columns were read, for ``load(other_file, **options)``.
        columns: the columns that the source offers.
        degrees: what ``label_values`` are: ``"membership"``, each label's own degree in [0, 1], or ``"distribution"``, a row's degrees
            together, which sum to 1; where one label must stand for such a row, it is the mode.
        cut_off: the splits that were cut off from the training split by ``with_validation``; no source publishes them.
        notes: what was assumed or left out when the source was read, in short lines.
    """

    name: str
    modality: str
    splits: dict[str, datasets.Dataset]
    declared_labels: list[str] | None
    fingerprint: str
    input_column: str
    num_features: int | None = None
    feature_names: list[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    degrees: str = "membership"
    contents: dict[str, str] = field(default_factory=dict)
    cut_off: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def split(self, name: str) -> datasets.Dataset:
        """The rows of a split.

        Raises:
            DataError: if the data set has no such split.
        """
        if name not in self.splits:
            raise DataError(
                f"{self.name} has no split '{name}'; {nearest(name, self.splits)}. Give a file for it, or cut it off with with_validation"
            )
        return self.splits[name]

    def label_space(self, unseen: str = "ignore") -> LabelSpace:
        """The labels, in declared or alphabetical order, or by value where all are numbers.

        Raises:
            DataError: if no row carries any label.
        """
        _check_unseen(unseen)
        declared = list(self.declared_labels or ())
        names = [] if declared and unseen != "include" else list(self.splits) if unseen == "include" else ["train"]
        found = {label for name in names for label in self._distinct(self.split(name))}
        labels = declared + in_order(found.difference(declared))
        if not labels:
            raise DataError(f"{self.name}: {self._why_no_labels()}")
        if len(labels) == 1:
            logger.warning(
                "%s: there is only one label, '%s'; check which column holds the labels and what separates them", self.name, labels[0]
            )
        return LabelSpace(labels)

    def targets(
        self, split: str, space: LabelSpace, unseen: str = "ignore"
    ) -> tuple[sparse.csr_matrix, Bool[sparse.csr_matrix, "N L"] | None]:
        """The label sets of a split as a matrix.

        Args:
            split: ``"train"``, ``"validation"`` or ``"test"``.
            space: the columns.
            unseen: ``"error"`` refuses a label outside the space; otherwise it is left out.

        Returns:
            (N, L) targets, boolean, or 32-bit degrees where the source gives degrees; and (N, L) boolean, true where nobody
            annotated the label, or ``None`` if everything is annotated.

        Raises:
            DataError: for an unseen label, naming split and row.
        """
        _check_unseen(unseen)
        rows = self.split(split)
        targets = _encode(rows, "labels", space, unseen == "error", f"{self.name} ({split})")
        unlabelled = np.concatenate([pc.is_null(table["labels"]).to_numpy() for table in _batches(rows, ["labels"])])
        unknown = _encode(rows, "unknown", space, False, "") if "unknown" in rows.column_names else None
        if unlabelled.any():
            whole = sparse.csr_matrix(unlabelled[:, None]) @ sparse.csr_matrix(np.ones((1, len(space)), dtype=bool))
            unknown = whole if unknown is None else (whole + unknown).astype(bool)
        return targets, unknown if unknown is not None and unknown.nnz else None

    def label_sets(self, split: str, space: LabelSpace, unseen: str = "ignore") -> tuple[sparse.csr_matrix, Any]:
        """The targets of a split with the mode in place of a distribution: what is counted, and what chosen labels are held against.

        Arguments, returns and errors are those of ``targets``.
        """
        targets, unknown = self.targets(split, space, unseen)
        return modes(targets) if self.degrees == "distribution" else targets, unknown

    def positions(self, split: str, space: LabelSpace) -> tuple[Float[np.ndarray, "N d"], Float[np.ndarray, " N"] | None] | None:
        """Where the rows of a split truly lie on the label axis, and how far their annotators spread.

        They are the columns ``value`` and ``spread`` where the source has them, else ``mu = sum_k y_k a_k`` and
        ``sigma = sqrt(sum_k y_k |a_k - mu|^2)`` of the row's distribution ``y`` over the labels' positions ``a``; where every row has one
        label and no degrees, its position, without a spread.

        Returns:
            (N, d) values and (N,) spreads or None; NaN for a row without labels. None where the labels are no numbers, or where rows
            carry several labels that are no distribution.
        """
        axis, rows = space.positions, self.split(split)
        if axis is None:
            return None
        if "value" in rows.column_names:
            values = np.full((len(rows), axis.shape[1]), np.nan)
            for number, value in enumerate(rows["value"]):
                values[number] = np.nan if value is None else value
            has_spreads = "spread" in rows.column_names
            return values, np.array([np.nan if one is None else one for one in rows["spread"]]) if has_spreads else None
        targets = sparse.csr_matrix(self.targets(split, space)[0], dtype=np.float64)
        if self.degrees != "distribution" and (np.diff(targets.indptr) > 1).any():
            return None
        mass = np.asarray(targets.sum(axis=1))
        with np.errstate(divide="ignore", invalid="ignore"):
            values = (targets @ axis) / mass
            variances = (targets @ (axis**2)).sum(axis=1) / mass[:, 0] - (values**2).sum(axis=1)
        return values, np.sqrt(np.maximum(variances, 0)) if self.degrees == "distribution" else None

    def statistics(self, space: LabelSpace, whole: bool = False) -> LabelStatistics:
        """What the training split says about the labels; rows that nobody annotated do not count.

        Args:
            space: the columns.
            whole: count the validation rows that were cut off from it, too. That is the training split as it was published: by it labels
                are head, medium or tail, and label sets seen or unseen.
        """
        parts = []
        for name in ["train", *(["validation"] if whole and "validation" in self.cut_off else [])]:
            targets, _ = self.label_sets(name, space)
            labelled = np.concatenate([pc.is_valid(table["labels"]).to_numpy() for table in _batches(self.split(name), ["labels"])])
            parts.append(targets[labelled])
        return LabelStatistics.from_targets(sparse.vstack(parts, format="csr"))

    def unseen_labels(self, space: LabelSpace) -> dict[str, dict[str, int]]:
        """split -> label -> how many rows carry it although it is not in the label space; most frequent first."""
        known = pa.array(space.names)
        found = {}
        for name, rows in self.splits.items():
            counts: Counter[str] = Counter()
            for table in _batches(rows, ["labels"]):
                labels = pc.list_flatten(table["labels"])
                counts.update(labels.filter(pc.invert(pc.is_in(labels, value_set=known))).to_pylist())
            found[name] = dict(counts.most_common())
        return {name: counts for name, counts in found.items() if counts}

    def with_validation(
        self, fraction: float = 0.1, method: str = "stratified", seed: int = 0, split: str = "validation"
    ) -> MultiLabelData:
        """The same data with a part of the training split cut off, unless that part is there already.

        Args:
            fraction: the share to cut off, between 0 and 1.
            method: ``"stratified"`` (iterative stratification), ``"random"``, or ``"drifting"``: stratified as by version 0.1.0, whose
                parts may miss their sizes.
            seed: decides which rows.
            split: the part to make, ``"validation"`` or ``"test"``.

        Raises:
            ConfigurationError: for another method or a fraction outside (0, 1).
            DataError: if there are too few rows to cut.
        """
        if split in self.splits:
            return self
        if not 0 < fraction < 1:
            raise ConfigurationError(f"cannot cut off {fraction} of the rows; allowed are 0 < fraction < 1")
        (kept, cut), notes = self.cut([1 - fraction, fraction], method, seed)
        if not len(kept) or not len(cut):
            few = f"{len(self.split('train'))} training rows are too few to cut off a share of {fraction}"
            raise DataError(f"{self.name}: {few}; give a file for {split}")
        parts = self.with_rows({"train": kept, split: cut}, f"{split}-{CUTS[method]}-{fraction}-{seed}")
        return replace(parts, cut_off=(*self.cut_off, split), notes=(*self.notes, *notes))

    def cut(self, shares: Sequence[float], method: str = "stratified", seed: int = 0) -> tuple[Parts, list[str]]:
        """Row numbers that cut the training split into parts.

        Args:
            shares: of each part, above 0, summing to 1.
            method: ``"stratified"``, ``"random"`` or ``"drifting"``, as for ``with_validation``.
            seed: decides which rows.

        Returns:
            The numbers of each part's rows, as many as its share, give or take one; and a note where more than 1% of the rows are not
            where stratification alone would put them.

        Raises:
            ConfigurationError: for another method.
        """
        rows = len(self.split("train"))
        if method == "random":
            return random_split(rows, shares, seed), []
        if method not in CUTS:
            raise ConfigurationError(f"cannot cut rows by '{method}'; {nearest(method, CUTS)}")
        parts, moved = stratify(self.label_sets("train", self.label_space())[0], shares, seed, level=method == "stratified")
        if moved <= REMARKED * rows:
            return parts, []
        why = "so that the parts have the sizes asked for; labels are spread less evenly for it"
        return parts, [f"{moved:,} of {rows:,} rows are not where stratification by labels put them, {why}"]

    def with_rows(self, rows: Mapping[str, Iterable[int]], what: str) -> MultiLabelData:
        """The same data with splits made of rows of the training split.

        Their fingerprints, by which caches know them, follow from that of the training rows themselves, which may not be those that the
        source gave.

        Args:
            rows: split -> numbers of training rows.
            what: the settings that the numbers follow from.
        """
        train = self.split("train")
        mark = hashlib.sha256(f"{self.fingerprint}-{train._fingerprint}-{what}".encode()).hexdigest()[:32]
        merged = self.splits | {name: train.select(kept, new_fingerprint=f"{mark}-{name}") for name, kept in rows.items()}
        return replace(self, splits={name: merged[name] for name in SPLITS if name in merged}, fingerprint=mark)

    def _distinct(self, rows: datasets.Dataset) -> set[str]:
        return {label for table in _batches(rows, ["labels"]) for label in pc.unique(pc.list_flatten(table["labels"])).to_pylist()}

    def _why_no_labels(self) -> str:
        labelled = any(pc.any(pc.is_valid(table["labels"])).as_py() for table in _batches(self.split("train"), ["labels"]))
        if labelled:
            return "all label sets of the training split are empty; check which column holds the labels (labels=)"
        return f"no column holds labels; name it with labels=, the columns are {', '.join(self.columns) or 'unknown'}"


def _batches(rows: datasets.Dataset, columns: list[str]) -> Iterator[pa.Table]:
    yield from rows.select_columns(columns).with_format("arrow").iter(batch_size=10_000)


def _encode(rows: datasets.Dataset, column: str, space: LabelSpace, refuse: bool, where: str) -> sparse.csr_matrix:
    """The lists of label names in a column as an (N, L) matrix; names outside the space are left out or refused."""
    names = pa.array(space.names)
    with_values = column == "labels" and "label_values" in rows.column_names
    row_parts, column_parts, value_parts = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    done = 0
    for table in _batches(rows, [column, "label_values"] if with_values else [column]):
        lengths = pc.fill_null(pc.list_value_length(table[column]), 0).to_numpy()
        labels = pc.list_flatten(table[column])
        positions = pc.fill_null(pc.index_in(labels, value_set=names), -1).to_numpy()
        owners = np.repeat(np.arange(done, done + len(table)), lengths)
        known = positions >= 0
        if refuse and not known.all():
            i = int(np.flatnonzero(~known)[0])
            raise DataError(
                f"{where}: row {owners[i] + 1} carries the label '{labels[i].as_py()}', which training has not; "
                "correct it, or allow it with unseen='ignore' or 'include'"
            )
        values = pc.list_flatten(table["label_values"]).to_numpy() if with_values else np.ones(len(positions), dtype=bool)
        row_parts.append(owners[known])
        column_parts.append(positions[known])
        value_parts.append(values[known])
        done += len(table)
    values = np.concatenate(value_parts[1:] or value_parts)
    return sparse.csr_matrix((values, (np.concatenate(row_parts), np.concatenate(column_parts))), shape=(done, len(space)))


def _check_unseen(unseen: str) -> None:
    if unseen not in UNSEEN:
        raise ConfigurationError(f"unseen='{unseen}'; {nearest(unseen, UNSEEN)}")
