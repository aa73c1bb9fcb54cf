"""Reads the label set of one cell: a list, a JSON list, a delimited string, or a mapping of labels to degrees."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import DataError
from .reading import distinct

DELIMITERS = ("|", ";", ",", "\t")
TRUE, FALSE, UNKNOWN = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}, {"", "?", "nan"}
LONGEST_LABEL = 200
logger = logging.getLogger("multihot.data")


def parse_cell(value: Any, delimiter: str | None, where: str) -> dict[str, Any]:
    """The label set of a cell, as columns of a row.

    Args:
        value: ``None`` (nobody annotated the row), a list of labels, a mapping label -> degree in [0, 1], or a string.
        delimiter: what separates the labels of a string; ``None`` takes the whole string as one label.
        where: the place in the file, for error messages.

    Returns:
        ``labels``, and ``label_values`` for a mapping.

    Raises:
        DataError: if the value is no label set.

    >>> parse_cell("grain | wheat", "|", "x.csv: line 2"), parse_cell('["grain"]', None, "x.csv: line 3")
    ({'labels': ['grain', 'wheat']}, {'labels': ['grain']})
    """
    if value is None:
        return {"labels": None}
    if isinstance(value, str):
        return {"labels": distinct(split_text(value, delimiter, where))}
    if isinstance(value, Mapping):
        return _degrees(value, where)
    if isinstance(value, int) and not isinstance(value, bool):
        return {"labels": [str(value)]}
    if isinstance(value, Sequence):
        return {"labels": distinct([name for label in value if (name := _name(label, where))])}
    raise DataError(f"{where}: the labels are {value!r}; allowed are a list of names or a delimited string")


def split_text(text: str, delimiter: str | None, where: str) -> list[str]:
    """The labels that a string stands for."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [name for label in _list_in(text, where) if (name := _name(label, where))]
    parts = [text] if delimiter is None else text.split() if delimiter.isspace() and delimiter != "\t" else text.split(delimiter)
    return [label for part in parts if (label := part.strip())]


def find_delimiter(cells: Sequence[Any], where: str) -> str | None:
    """What separates the labels in a sample of cells.

    The first of ``|``, ``;``, comma and tab that occurs anywhere; blanks only if that makes fewer names than there are
    different cells, so that a column of single labels such as "New York" stays whole.

    >>> find_delimiter(["grain,wheat", "corn"], "x.csv"), find_delimiter(["New York", "Los Angeles"], "x.csv")
    (',', None)
    """
    texts = {cell.strip() for cell in cells if isinstance(cell, str) and cell.strip() and not cell.strip().startswith("[")}
    for delimiter in DELIMITERS:
        if any(delimiter in text for text in texts):
            return delimiter
    words = {word for text in texts for word in text.split()}
    if any(" " in text for text in texts) and len(words) <= len(texts):
        logger.warning("%s: labels are taken as separated by blanks; say delimiter=',' or the like if they are not", where)
        return " "
    return None


def check_kind(cells: Sequence[Any], column: str, delimiter: str | None, where: str) -> None:
    """Refuse a column that cannot be one of labels: decimal numbers, or long texts."""
    filled = [cell for cell in cells if cell not in (None, "")]
    decimals = [
        cell for cell in filled if isinstance(cell, float) or (isinstance(cell, str) and re.fullmatch(r"[-+]?\d*\.\d+", cell.strip()))
    ]
    if filled and len(decimals) == len(filled):
        raise DataError(
            f"{where}: column '{column}' holds numbers such as {decimals[0]}, not labels; name the column of label sets with labels="
        )
    texts = [cell for cell in filled if isinstance(cell, str) and not cell.strip().startswith("[")]
    longest = [max((len(part) for part in split_text(text, delimiter, where)), default=0) for text in texts]
    if texts and sum(length > LONGEST_LABEL for length in longest) > len(texts) / 2:
        raise DataError(f"{where}: column '{column}' holds long texts, not labels; name the column of label sets with labels=")


def parse_flags(cells: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The label set of a row of 0/1 columns; a blank or ``?`` means that nobody annotated the label.

    >>> parse_flags({"sea": "1", "sand": "0", "ship": "?"}, "x.csv: line 2")
    {'labels': ['sea'], 'unknown': ['ship']}
    """
    labels, unknown = [], []
    for name, cell in cells.items():
        word = "" if cell is None else str(cell).strip().lower()
        if word in TRUE:
            labels.append(name)
        elif word in UNKNOWN:
            unknown.append(name)
        elif word not in FALSE:
            raise DataError(f"{where}: label '{name}' is {cell!r}; allowed are 1, 0, or a blank for unknown")
    return {"labels": labels, "unknown": unknown}


def _degrees(value: Mapping[Any, Any], where: str) -> dict[str, Any]:
    degrees = {str(name): _degree(degree, name, where) for name, degree in value.items()}
    present = {name: degree for name, degree in degrees.items() if degree}
    return {"labels": list(present), "label_values": list(present.values())}


def _degree(value: Any, name: Any, where: str) -> float:
    try:
        degree = float(value)
    except (TypeError, ValueError):
        degree = -1.0
    if not 0 <= degree <= 1:
        raise DataError(f"{where}: label '{name}' has the degree {value!r}; allowed are numbers from 0 to 1")
    return degree


def _name(label: Any, where: str) -> str:
    if isinstance(label, bool) or not isinstance(label, (str, int)):
        raise DataError(f"{where}: {label!r} is not a label name; allowed are strings and whole numbers")
    return str(label).strip()


def _list_in(text: str, where: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = ast.literal_eval(text)  # the way pandas writes a list into a CSV cell
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise DataError(f'{where}: {text[:60]!r} is not a list of labels; write it as JSON, such as ["a", "b"]') from error
    return list(value)
