"""What every reader takes and gives: the caller's options, and a stream of rows with what the file says about itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, visible
from .named_files import NamedFiles

Row = dict[str, Any]

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "trainval": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}

CHOICES: dict[str, tuple[str | None, ...]] = {
    "missing": ("error", "skip"),
    "distribution": (None, "degrees", "votes", "mean_spread"),
    "difficult": ("unknown", "degree"),
    "uncertain": ("error", "unknown", "1", "0"),
    "blank": ("unknown", "0"),
}


@dataclass(frozen=True)
class Options:
    """What the caller said about a file; ``None`` means: find out.

    Args:
        text: the column that holds the text; ``"title+body"`` joins two columns.
        labels: the column of label sets; or several 0/1 columns, as a list, ``"a,b,c"`` or ``"first:last"``.
        id: the column that names the rows; ``""`` numbers them.
        features: the numeric columns of a table, written like ``labels``.
        delimiter: what separates the labels within a cell.
        encoding: how the characters of a text file are written; UTF-8 unless said.
        index_base: the number of the first feature of a LibSVM file, 0 or 1.
        require_labels: refuse a file without the label column that was named; ``False`` for rows to be predicted.
        image: the column that names picture files, relative to the file's folder.
        missing: ``"error"`` refuses a file that names pictures that are not there, ``"skip"`` leaves such rows out.
        distribution: the rows are label distributions, given as ``"degrees"`` that sum to 1, as ``"votes"`` of annotators, or as their
            ``"mean_spread"``: columns of mean and standard deviation, with the axis in ``labels``, such as ``"0:100"``.
        uncertain: what -1 in a 0/1 column means: ``"unknown"``, ``"1"`` or ``"0"``; ``"error"`` refuses it.
        blank: what a blank in a 0/1 column means: ``"unknown"`` or ``"0"``.
        difficult: objects that PASCAL VOC marks difficult are ``"unknown"``, or count with a ``"degree"`` of 0.5.
    """

    text: str | None = None
    labels: str | tuple[str, ...] | None = None
    id: str | None = None
    features: str | tuple[str, ...] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    index_base: int = 0
    require_labels: bool = True
    image: str | None = None
    missing: str = "error"
    distribution: str | None = None
    difficult: str = "unknown"
    uncertain: str = "error"
    blank: str = "unknown"

    def __post_init__(self) -> None:
        for name in ("uncertain", "blank"):  # 0 and 1 may be numbers
            object.__setattr__(self, name, str(getattr(self, name)))
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                listed = [repr(choice) for choice in allowed]
                raise ConfigurationError(f"{name} must be {', '.join(listed[:-1])} or {listed[-1]}, got {getattr(self, name)!r}")
        for name in ("labels", "features"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                object.__setattr__(self, name, tuple(str(column) for column in _sequence(value)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass
class Reading:
    """A file opened for reading: its rows are still to come.

    Args:
        modality: ``"text"``, ``"table"``, ``"image"`` or ``"audio"``.
        rows: dicts with the columns of ``MultiLabelData``, all with the same keys; ``id`` may be missing (the row number is
            taken), ``split`` is there if the file itself says which part a row belongs to.
        options: the caller's options with everything found out filled in, so that the next file is read the same way.
        declared_labels: the labels that the file lists, whether they occur or not.
        num_features: the number of features of a table, or of a frame, if the file says so.
        feature_names: their names.
        columns: the columns that the file offers, for error messages.
        named: the pictures or recordings that the source names, also those that were not there and whose rows were left out; complete
            once the rows are read.
        degrees: what ``label_values`` are: ``"membership"``, each label's own degree in [0, 1], or ``"distribution"``, a row's degrees
            together, at least 0 and summing to 1.
        notes: what was assumed or left out, in short lines; complete once the rows are read.
    """

    modality: str
    rows: Iterator[Row]
    options: Options
    declared_labels: Sequence[str] | None = None
    num_features: int | None = None
    feature_names: Sequence[str] | None = None
    columns: Sequence[str] = ()
    named: Sequence[NamedFiles] = ()
    degrees: str = "membership"
    notes: list[str] = field(default_factory=list)

    def said(self) -> list[str]:
        """All notes, those on the files that it names too; once each, and fit for a terminal."""
        return list(dict.fromkeys(map(visible, [*self.notes, *(note for files in self.named for note in files.notes)])))


def at_line(path: Path | str, line: int) -> str:
    """The way an error message names a place in a file."""
    return f"{path}: line {line}"


def split_of(name: str) -> str | None:
    """The split that a file is named after.

    >>> split_of("train.csv.gz"), split_of("emotions-test.arff"), split_of("text_val.gz"), split_of("data.csv")
    ('train', 'test', 'validation', None)
    """
    words = name.lower().split(".")[0].replace("-", "_").split("_")
    found = [SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES]
    return found[-1] if found else None


def distinct(labels: Sequence[str]) -> list[str]:
    """The labels without repetitions, in their order."""
    return list(dict.fromkeys(labels))


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) else list(value)
