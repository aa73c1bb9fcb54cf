"""The part of a configuration that says which data, how its rows are read, and which of them are set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..data.formats.reading import CHOICES
from ..errors import ConfigurationError


@dataclass(frozen=True)
class DataSettings:
    """Which data, and how its rows are read.

    Args:
        source: a named data set, a file, a folder, or a mapping of split to file.
        format: the file format, where the name and the content do not tell.
        text: column with the text.
        labels: column with the labels, or the 0/1 columns.
        id: column with the instances' names.
        features: columns of a table; None takes all numeric ones.
        delimiter: what separates the labels in their column.
        encoding: of text files; None is UTF-8.
        index_base: number of the first feature in a LibSVM file.
        image: column that names picture files.
        missing: what becomes of rows whose picture is not there: "error" or "skip".
        distribution: how rows give a label distribution: "degrees", "votes" or "mean_spread"; None where they give label sets.
        uncertain: what -1 in a 0/1 column means: "unknown", "1" or "0"; "error" refuses it.
        blank: what a blank in a 0/1 column means: "unknown" or "0".
        header: whether the first line of a CSV or TSV file names its columns; if not, they are "1", "2", ...
        difficult: what PASCAL VOC's difficult objects are: "unknown", or a "degree" of 0.5.
        validation: share of the training split that is set aside for choosing, where no validation split is given.
        test: share that is set aside for measuring, where no test split is given; 0 for none.
        test_group: in place of a share, the rows whose id begins with this and a slash: one person's pictures, for leaving one person out.
        split: how shares are drawn: "stratified" (label sets alike in both parts) or "random".
        unseen_labels: a label that never occurs in training is left out and counted ("ignore"), refused ("error") or
            taken into the label space ("include").
        limit: use only that many training instances, the first ones; for a quick try.
        train_share: share of the rows that are left to train and choose on, drawn by the seed once the test part is set aside; a smaller
            share is a part of a larger one, and every share is measured on the same test rows.
    """

    source: str | dict[str, str] | None = None
    format: str | None = None
    text: str | None = None
    labels: str | list[str] | None = None
    id: str | None = None
    features: str | list[str] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    index_base: int = 0
    image: str | None = None
    missing: str = "error"
    distribution: str | None = None
    difficult: str = "unknown"
    uncertain: str | int = "error"
    blank: str | int = "unknown"
    header: bool = True
    validation: float = 0.1
    test: float = 0.1
    test_group: str | None = None
    split: str = "stratified"
    unseen_labels: str = "ignore"
    limit: int | None = None
    train_share: float = 1.0

    def reading(self) -> dict[str, Any]:
        """The arguments of ``multihot.data.load`` that say how rows are read."""
        columns = ("format", "text", "labels", "id", "features", "delimiter", "encoding", "index_base", "image")
        return {name: getattr(self, name) for name in (*columns, "missing", "distribution", "difficult", "uncertain", "blank", "header")}

    def __post_init__(self) -> None:
        for name in ("uncertain", "blank"):  # YAML reads 0 and 1 as numbers
            object.__setattr__(self, name, str(getattr(self, name)))
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"data.{name} must be a share in [0, 1), got {getattr(self, name)!r}")
        if self.text is not None and self.features is not None:
            raise ConfigurationError("data.features has no effect beside data.text: rows are texts or tables; leave one of the two out")
        if not 0 < self.train_share <= 1:
            raise ConfigurationError(f"data.train_share must be a share in (0, 1], got {self.train_share!r}")
        for name, allowed in {
            "split": ("stratified", "random"),
            "unseen_labels": ("ignore", "error", "include"),
            **CHOICES,
        }.items():
            if getattr(self, name) not in allowed:
                listed = ", ".join("null" if choice is None else choice for choice in allowed)
                raise ConfigurationError(f"data.{name} must be one of {listed}, got {getattr(self, name)!r}")
