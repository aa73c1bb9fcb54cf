"""Reads the label set of one cell: a list, a JSON list, a delimited string, or a mapping of labels to degrees."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...errors import DataError
from .reading import distinct

DELIMITERS = ("|", ";", ",", "\t")
TRUE, FALSE, UNKNOWN = {"1", "1.0", "true", "yes"}, {"0", "0.0", "false", "no"}, {"", "?", "nan"}
LONGEST_LABEL = 200
UNCERTAIN = {"-1", "-1.0"}
NOTHING = {"nan", "NaN", "NAN", "<NA>", "NaT", "null", "NULL", "None", "N/A", "n/a", "#N/A"}  # what tools write where there is no value
CONTAINER = re.compile(r"(?:frozenset|set|list|tuple|array|Index)\((.*?)(?:,\s*dtype=[^()]*)?\)", re.DOTALL)  # as Python prints them
PLAIN_SET = re.compile(r"\{[^:{}\[\]]*\}")  # {a,b}, as PostgreSQL writes an array
DECIMAL = re.compile(r"[-+]?\d*\.\d+")
FEW_LETTERS = 5  # labels of one letter may be meant; more are likely names taken apart


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
    if value is None or (isinstance(value, float) and math.isnan(value)) or (isinstance(value, str) and value.strip() in NOTHING):
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
    listed = _listed(text, where)
    if listed is not None:
        return [name for label in listed if (name := _name(label, where))]
    parts = [text] if delimiter is None else text.split() if delimiter == " " else text.split(delimiter)
    return [label for part in parts if (label := part.strip())]


def find_delimiter(cells: Sequence[Any], notes: list[str]) -> str | None:
    """What separates the labels in a sample of cells.

    Of ``|``, ``;``, comma and tab, the one that leaves the fewest different names; of equals, the one that more cells hold. Blanks only if
    that makes fewer names than there are different cells, so that a column of single labels such as "New York" stays whole. What is in
    doubt goes to ``notes``.

    >>> find_delimiter(["grain,wheat", "corn"], []), find_delimiter(["New York", "Los Angeles"], [])
    (',', None)
    """
    texts = {text for cell in cells if isinstance(cell, str) and (text := cell.strip()) and not _is_listed(text)}
    found = [delimiter for delimiter in DELIMITERS if any(delimiter in text for text in texts)]
    if found:
        names = {delimiter: {part.strip() for text in texts for part in text.split(delimiter)} for delimiter in found}
        best = min(found, key=lambda delimiter: (len(names[delimiter]), -sum(delimiter in text for text in texts)))
        for other in found:
            holding = [text for text in texts if other in text]
            if other != best:
                notes.append(
                    f"labels are taken as separated by {best!r}, but {len(holding):,} of {len(texts):,} different cells hold {other!r} "
                    f"too, such as {min(holding)[:60]!r}; it is taken as part of a name"
                )
        return best
    words = {word for text in texts for word in text.split()}
    if any(" " in text for text in texts) and len(words) <= len(texts):
        notes.append("labels are taken as separated by blanks; say delimiter=',' or the like if they are not")
        return " "
    return None


def check_kind(cells: Sequence[Any], column: str, delimiter: str | None, where: str, named: bool = False) -> list[str]:
    """Refuse a column that cannot be one of labels: vectors, long texts or, unless it was ``named``, decimal numbers; give what is odd."""
    notes = []
    filled = [cell for cell in cells if not _is_nothing(cell)]
    _check_vectors([found for cell in filled if (found := _items(cell)) is not None], len(filled), column, where)
    decimals = [cell for cell in filled if isinstance(cell, float) or (isinstance(cell, str) and DECIMAL.fullmatch(cell.strip()))]
    if filled and len(decimals) == len(filled):
        if not named:
            raise DataError(
                f"{where}: column '{column}' holds numbers such as {decimals[0]}, not labels; name the column of label sets with labels="
            )
        notes.append(f"column '{column}' holds numbers such as {decimals[0]}; each is read as the name of a label")
    texts = [cell for cell in filled if isinstance(cell, str) and not _is_listed(cell.strip())]
    longest = [max((len(part) for part in _readable(text, delimiter)), default=0) for text in texts]
    if texts and sum(length > LONGEST_LABEL for length in longest) > len(texts) / 2:
        raise DataError(f"{where}: column '{column}' holds long texts, not labels; name the column of label sets with labels=")
    return notes + remarks(cells, column, delimiter)


def remarks(cells: Sequence[Any], column: str, delimiter: str | None) -> list[str]:
    """What is odd about a column of label sets, if it was read as its owner meant it.

    >>> remarks(["'a'", "'b'"], "tags", None)
    ["column 'tags': labels such as 'a' (with its quotes) begin or end with a quote or a bracket; check how the label sets are written"]
    >>> remarks(["nan", "a;b"], "tags", ";")
    ["column 'tags': 1 of 2 cells say nan, which is read as not annotated"]
    """
    found = []
    nothing = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip() in NOTHING]
    if nothing:
        marks = ", ".join(sorted(set(nothing)))
        found.append(f"column '{column}': {len(nothing):,} of {len(cells):,} cells say {marks}, which is read as not annotated")
    sets = [_readable(cell, delimiter) for cell in cells if isinstance(cell, str) and cell.strip() not in NOTHING]
    names = {name for labels in sets for name in labels}
    framed = sorted(
        name for name in names if len(name) > 1 and ((name[0] in "'\"[({" and not name.endswith((")", "}", "]"))) or name[-1] in "'\"")
    )
    if framed:
        found.append(
            f"column '{column}': labels such as {framed[0]} (with its quotes) begin or end with a quote or a bracket; "
            "check how the label sets are written"
        )
    if len(names) > FEW_LETTERS and all(len(name) == 1 and not name.isdigit() for name in names):
        found.append(
            f"column '{column}': every label is a single letter ({', '.join(sorted(names)[:5])}); check how the label sets are written"
        )
    return found


def parse_flags(cells: Mapping[str, Any], where: str, uncertain: str = "error", blank: str = "unknown") -> dict[str, Any]:
    """The label set of a row of 0/1 columns.

    Args:
        cells: label -> its cell.
        where: the place in the file, for error messages.
        uncertain: what -1 means: ``"unknown"``, ``"1"`` or ``"0"``; ``"error"`` refuses it.
        blank: what a blank or ``?`` means: ``"unknown"``, that nobody annotated the label, or ``"0"``.

    >>> parse_flags({"sea": "1", "sand": "0", "ship": "?"}, "x.csv: line 2")
    {'labels': ['sea'], 'unknown': ['ship']}
    """
    labels, unknown = [], []
    for name, cell in cells.items():
        word = "" if cell is None else str(cell).strip().lower()
        if word in UNCERTAIN and uncertain != "error":
            word = "" if uncertain == "unknown" else uncertain
        elif word in UNKNOWN and blank == "0":
            word = "0"
        if word in TRUE:
            labels.append(name)
        elif word in UNKNOWN:
            unknown.append(name)
        elif word not in FALSE:
            raise DataError(
                f"{where}: label '{name}' is {cell!r}; allowed are 1, 0, or a blank for unknown; for what -1 means, say uncertain='unknown'"
            )
    return {"labels": labels, "unknown": unknown}


def unite(cells: Sequence[Any], where: str) -> dict[str, Any]:
    """The label set of a row that has one name in each of several columns; blanks and marks of nothing name none.

    >>> unite(["mechanics", "NONE", "", "fluids"], "x.csv: line 2")
    {'labels': ['mechanics', 'fluids']}
    """
    named = [cell for cell in cells if not _is_nothing(cell) and not (isinstance(cell, str) and cell.strip().lower() in ("none", "-"))]
    return {"labels": distinct([name for cell in named if (name := _name(cell, where))])}


def joins(names: Iterable[str], alone: bool = False) -> bool:
    """Whether label sets of these names, joined by ``;`` in a column of cells, are read back as they were.

    Args:
        names: of the labels.
        alone: whether no cell holds two labels, so that no ``;`` shows what separates them.

    >>> joins(["New York", "Rome"]), joins(["New York", "Rome"], alone=True), joins(["Food; drink"]), joins(["250.00"]), joins(["N/A"])
    (True, False, False, False, False)
    """
    signs = "".join(DELIMITERS) + "\r\n\"'[](){}" + (" " if alone else "")
    return not any(name in NOTHING or DECIMAL.fullmatch(name) or set(name) & set(signs) for name in names)


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


def _readable(text: str, delimiter: str | None) -> list[str]:
    """The labels of a cell; none of one that is no label set, whose row will be named when it is read."""
    try:
        return split_text(text, delimiter, "")
    except DataError:
        return []


def _is_nothing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or (isinstance(cell, str) and cell.strip() in {"", *NOTHING})


def _is_listed(text: str) -> bool:
    """Whether a cell is written as a container of names, if maybe a broken one."""
    return text.startswith("[") or _items(text) is not None


def _listed(text: str, where: str) -> list[Any] | None:
    """The items of a container of names that a program printed into a cell; None for any other text.

    >>> _listed("['a' 'b']", ""), _listed('["a"]', ""), _listed("{'a', }", ""), _listed("{a,b}", ""), _listed("(other)", "")
    (['a', 'b'], ['a'], ['a'], ['a', 'b'], None)
    """
    container = CONTAINER.fullmatch(text)
    inner = container[1].strip() if container else text
    if inner.startswith("[") and inner.endswith("]"):
        return _list_in(inner, where)
    if inner[:1] + inner[-1:] in ("()", "{}"):
        try:
            value = _literal(inner)
        except (ValueError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError):
            return [part.strip().strip("\"'") for part in inner[1:-1].split(",")] if PLAIN_SET.fullmatch(inner) else None
        return sorted(value, key=str) if isinstance(value, set) else list(value) if isinstance(value, tuple) else None
    return [] if container and not inner else None


def _list_in(text: str, where: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = _literal(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError) as error:
            raise DataError(f'{where}: {text[:60]!r} is not a list of labels; write it as JSON, such as ["a", "b"]') from error
    return list(value)


def _literal(text: str) -> Any:
    """A Python literal; strings that only blanks separate, as NumPy prints them, are items of their own."""
    pieces, before = [], None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and before == tokenize.STRING:
            pieces.append(",")
        if token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.INDENT, tokenize.DEDENT):
            pieces.append(token.string)
            before = token.type
    return ast.literal_eval(" ".join(pieces))


def _items(cell: Any) -> list[Any] | None:
    """The items of a cell that is a list, or is written as one."""
    if isinstance(cell, str):
        try:
            return _listed(cell.strip(), "")
        except DataError:  # the row itself will be named
            return None
    return list(cell) if isinstance(cell, Sequence) else None


def _check_vectors(lists: Sequence[list[Any]], cells: int, column: str, where: str) -> None:
    """Refuse vectors of 0 and 1: what stands in them are no names."""
    lengths = {len(items) for items in lists}
    entries = {str(item) for items in lists for item in items}
    if len(lists) == cells and len(lengths) == 1 and max(lengths, default=0) > 1 and entries <= {"0", "1", "True", "False", "0.0", "1.0"}:
        raise DataError(
            f"{where}: column '{column}' holds vectors of {max(lengths)} zeros and ones, not names of labels; "
            "write one 0/1 column a label and name them with labels=, or lists of names"
        )
