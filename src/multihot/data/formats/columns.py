"""Finds out which columns of a file hold the text, the labels, the names, the split and the features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...errors import DataError, nearest
from .distributions import mean_spread_columns
from .label_cells import FALSE, TRUE, UNKNOWN, check_kind, find_delimiter
from .picture_files import completed_name, folders_beside, is_picture_name
from .reading import SPLIT_NAMES, Options, Row

TITLES = ("title", "headline", "subject")
TEXTS = ("text", "body", "content", "abstract", "document", "sentence", "description", "comment", "review", "message", "tweet", "question")
LABELS = (
    "labels",
    "label",
    "tags",
    "tag",
    "categories",
    "category",
    "topics",
    "topic",
    "classes",
    "class",
    "genres",
    "genre",
    "targets",
    "target",
)
IDS = ("id", "_id", "uid", "doc_id", "document_id", "docid")
IMAGES = ("image", "picture", "photo", "image_path", "image_file", "img", "file_name", "filename", "file", "path")
SPLITS = ("split", "subset", "partition", "set")


@dataclass(frozen=True)
class Columns:
    """Which column is what.

    Args:
        text: the columns whose joined contents are the text; empty for a table.
        label_set: the column of label sets, if there is one.
        flags: the 0/1 columns, one a label, if there are such.
        united: the columns with one label name in each cell, if there are such.
        features: the numeric columns of a table.
        id: the column that names the rows, if any.
        image: the column that names picture files, if the inputs are pictures.
        split: the column that says which part a row belongs to, if any.
        delimiter: what separates the labels within a cell.
        degrees: whether label cells are mappings of labels to degrees.
        mean_spread: the columns of the annotators' mean and standard deviation, if they make the label distribution.
    """

    text: tuple[str, ...] = ()
    label_set: str | None = None
    flags: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    id: str | None = None
    split: str | None = None
    delimiter: str | None = None
    degrees: bool = False
    image: str | None = None
    mean_spread: tuple[str, str] | None = None
    united: tuple[str, ...] = ()

    def options(self, given: Options) -> Options:
        """The caller's options with everything found out filled in."""
        return replace(
            given,
            text="+".join(self.text) or None,
            labels=self.label_set or self.flags or self.united or given.labels,
            id=self.id or "",
            features=self.features or None,
            delimiter=self.delimiter or given.delimiter,
            image=self.image,
        )


def resolve(sample: Sequence[Row], names: Sequence[str], options: Options, where: str, notes: list[str]) -> Columns:
    """Decide which column is what, from the options, the names and a sample of records; what is assumed goes to ``notes``.

    Raises:
        DataError: for a column that is not there, one of the wrong kind, or when nothing tells where the input is.
    """
    mean_spread = mean_spread_columns(names, options, where) if options.distribution == "mean_spread" else None
    label_set, flags = (None, ()) if options.distribution == "mean_spread" else _named_labels(sample, names, options, where)
    identity = _identity(names, options, where)
    split = _split_column(sample, names)
    united = flags if options.distribution is None and _holds_names(sample, flags) else ()
    flags = () if united else flags
    taken = {label_set, *flags, *united, identity, split, *(mean_spread or ())}
    text = () if options.image else _text(names, options, taken, where)
    image = None if text else _image(sample, names, options, taken, where)
    if options.image:
        image = _check_name(options.image, names, "image", where)
    if (text or image) and not label_set and not flags and not united and options.labels is None and options.distribution is None:
        flags = _flag_columns(sample, [name for name in names if name not in {*taken, *text, image}])
    features = () if text or image else _features(sample, [name for name in names if name not in taken], options, where, notes)
    cells = [row.get(label_set) for row in sample] if label_set else []
    delimiter = options.delimiter or find_delimiter(cells, notes)
    if label_set and options.distribution is None:
        notes += check_kind(cells, label_set, delimiter, where, named=options.labels is not None)
    degrees = any(isinstance(cell, dict) for cell in cells)
    return Columns(text, label_set, flags, features, identity, split, delimiter, degrees, image, mean_spread, united)


def _named_labels(sample: Sequence[Row], names: Sequence[str], options: Options, where: str) -> tuple[str | None, tuple[str, ...]]:
    if options.labels is None:
        usual = LABELS if options.distribution is None else (options.distribution, *LABELS)
        found = next((name for wanted in usual for name in names if name.lower() == wanted), None)
        if found is None and options.distribution and options.require_labels:
            raise DataError(f"{where}: which columns hold the {options.distribution}? Name one column, or one a label, with labels=")
        return found, ()
    if isinstance(options.labels, str) and options.labels in names:
        return options.labels, ()
    chosen = [name for name in expand(options.labels, names) if options.require_labels or name in names]
    for name in chosen:
        _check_name(name, names, "labels", where)
    return (chosen[0], ()) if len(chosen) == 1 and not _all_flags(sample, chosen[0]) else (None, tuple(chosen))


def _identity(names: Sequence[str], options: Options, where: str) -> str | None:
    if options.id is None:
        return next((name for wanted in IDS for name in names if name.lower() == wanted), None)
    if not options.id or (options.id not in names and not options.require_labels):  # rows to be predicted need no names
        return None
    return _check_name(options.id, names, "id", where)


def _split_column(sample: Sequence[Row], names: Sequence[str]) -> str | None:
    for name in names:
        if name.lower() in SPLITS and all(str(row.get(name)).strip().lower() in SPLIT_NAMES for row in sample):
            return name
    return None


def _text(names: Sequence[str], options: Options, taken: set[str | None], where: str) -> tuple[str, ...]:
    if options.text is not None:
        columns = (options.text,) if options.text in names else tuple(part.strip() for part in options.text.split("+"))
        return tuple(_check_name(name, names, "text", where) for name in columns)
    if options.features is not None:
        return ()
    free = {name.lower(): name for name in names if name not in taken}
    title = next((free[name] for name in TITLES if name in free), None)
    body = next((free[name] for name in TEXTS if name in free), None)
    return tuple(name for name in (title, body) if name)


def _image(sample: Sequence[Row], names: Sequence[str], options: Options, taken: set[str | None], where: str) -> str | None:
    """A column of a usual name that holds names of picture files, maybe without their suffix."""
    if options.text is not None or options.features is not None:
        return None
    free = {name.lower(): name for name in names if name not in taken}
    columns = (free[name] for name in IMAGES if name in free)
    folders = folders_beside(where)
    return next(
        (
            name
            for name in columns
            if all(is_picture_name(row.get(name)) for row in sample) or completed_name(str(sample[0].get(name)), folders) is not None
        ),
        None,
    )


def _features(sample: Sequence[Row], free: Sequence[str], options: Options, where: str, notes: list[str]) -> tuple[str, ...]:
    names = list(dict.fromkeys(name for row in sample for name in row))
    if options.features is not None:
        return tuple(_check_name(name, names, "features", where) for name in expand(options.features, names))
    counting = [name for name in free if _counts_rows(sample, name)]
    notes += [f"column '{name}' numbers the rows and is left out of the features; name it with features= if it is one" for name in counting]
    pictures = [name for name in free if name.lower() in IMAGES]
    notes += [f"column '{name}' seems to name pictures, which are not there; it is left out of the features" for name in pictures]
    free = [name for name in free if name not in counting and name not in pictures]
    words = [name for name in free if not all(_is_numeric(row.get(name)) for row in sample)]
    if words or not free:
        listed = ", ".join(names)
        raise DataError(
            f"{where}: which column holds the text? Its columns are {listed}; name it with text=, or a table's columns with features="
        )
    return tuple(free)


def _counts_rows(sample: Sequence[Row], name: str) -> bool:
    """Whether a column is the row number that pandas and others write: it has no name of its own, and counts from 0 or 1."""
    if name.strip() and not name.startswith("Unnamed:") and name.lower() not in ("index", "idx", "rownum"):
        return False
    cells = [str(row.get(name)).strip().removesuffix(".0") for row in sample]
    return any(cells == [str(number) for number in range(first, first + len(cells))] for first in (0, 1))


def _holds_names(sample: Sequence[Row], columns: Sequence[str]) -> bool:
    """Whether columns hold names, and not only numbers of another coding."""
    words = {str(row[name]).strip() for row in sample for name in columns if row.get(name) is not None}
    return any(not _is_numeric(word) and word.lower() not in TRUE | FALSE | UNKNOWN for word in words)


def _flag_columns(sample: Sequence[Row], free: Sequence[str]) -> tuple[str, ...]:
    flags = tuple(name for name in free if _all_flags(sample, name))
    return flags if len(flags) > 1 else ()


def _all_flags(sample: Sequence[Row], name: str) -> bool:
    words = {"" if row.get(name) is None else str(row[name]).strip().lower() for row in sample}
    return words <= (TRUE | FALSE | UNKNOWN) and bool(words - UNKNOWN)


def expand(given: str | tuple[str, ...], names: Sequence[str]) -> list[str]:
    """``"a,b"`` as a list of columns, ``"first:last"`` as all columns from one to the other."""
    if not isinstance(given, str):
        return list(given)
    first, colon, last = given.partition(":")
    if colon and first in names and last in names:
        return list(names[names.index(first) : names.index(last) + 1])
    return [given] if given in names else [part.strip() for part in given.split(",")]


def _check_name(name: str, names: Sequence[str], option: str, where: str) -> str:
    if name not in names:
        raise DataError(f"{where}: there is no column '{name}' ({option}=); {nearest(name, names)}")
    return name


def _is_numeric(cell: Any) -> bool:
    if cell is None or isinstance(cell, (int, float)):
        return True
    if not isinstance(cell, str):
        return False
    try:
        float(cell.strip() or "nan") if cell.strip() != "?" else None
    except ValueError:
        return False
    return True
