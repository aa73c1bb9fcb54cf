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
        split_seed: which rows are set aside; the same ones whatever the run's seed, or null: the run's seed decides, as it did before this
            setting was there.
        folds: cut all rows into that many folds, of which one is the test split; in place of ``test``. A sweep runs them all.
        fold: the number of the test fold, from 0 on.
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
    split_seed: int | None = 0
    folds: int | None = None
    fold: int = 0

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
        self._check_folds()
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

    def _check_folds(self) -> None:
        if self.split_seed is not None and not 0 <= self.split_seed < 2**32:
            raise ConfigurationError(f"data.split_seed must be a whole number from 0 to {2**32 - 1}, or null, got {self.split_seed}")
        if self.folds is None:
            if self.fold:
                raise ConfigurationError(f"data.fold {self.fold} has no effect without data.folds; say how many folds there are")
            return
        if self.folds < 2 or not 0 <= self.fold < self.folds:
            raise ConfigurationError(f"data.folds must be 2 or more and data.fold from 0 to folds - 1, got {self.folds} and {self.fold}")
        if self.test_group is not None:
            raise ConfigurationError("data.folds and data.test_group both say which rows are tested on; leave one of the two out")
