"""The header of an ARFF file, and where it says which attributes are labels: Mulan's XML file or MEKA's ``-C``."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import DataError, nearest
from .reading import at_line

QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
ATTRIBUTE = re.compile(rf"@attribute\s+({QUOTED}|[^\s{{]+)\s*(.*)$", re.IGNORECASE)
VALUE = re.compile(rf"\s*(?:({QUOTED})\s*|([^,]*))(?:,|$)")
MEKA_LABELS = re.compile(r"-C\s+(-?\d{1,9})\b")
NUMERIC = ("numeric", "real", "integer")


@dataclass(frozen=True)
class Attribute:
    """One column: its name, and its values if it is nominal (``None`` for a numeric one)."""

    name: str
    values: dict[str, int] | None


@dataclass(frozen=True)
class Header:
    """What stands before ``@data``: the relation, the attributes, and the number of the line with ``@data``."""

    relation: str
    attributes: list[Attribute]
    line: int


def read_header(lines: Iterator[tuple[int, str]], where: str) -> Header:
    """Read an ARFF header up to ``@data``.

    Args:
        lines: (line number, line); what follows ``@data`` is left in it.
        where: the file, for error messages.

    Raises:
        DataError: for a line that belongs into no header, an attribute that is neither numeric nor nominal, or a missing ``@data``.
    """
    relation, attributes = "", []
    for number, line in lines:
        text = line.strip()
        keyword = text.split(None, 1)[0].lower() if text else "%"
        if keyword == "@relation":
            relation = text[len("@relation") :].strip()
        elif keyword == "@attribute":
            attributes.append(_attribute(text, at_line(where, number)))
        elif keyword == "@data":
            return Header(relation, attributes, number)
        elif not keyword.startswith("%"):
            raise DataError(
                f"{at_line(where, number)}: {text[:40]!r} belongs into no ARFF header; allowed are @relation, @attribute, @data"
            )
    raise DataError(f"{where}: there is no @data line; the file is cut short or no ARFF file")


def labels_of_xml(content: bytes, where: str) -> list[str]:
    """The label names of Mulan's XML file, at any depth of its hierarchy.

    Raises:
        DataError: if it is no XML or names no label.
    """
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the latter two for an encoding it does not know
        raise DataError(f"{where}: broken XML ({error}); it must list the labels as <label name=...>") from error
    names = [element.attrib["name"] for element in root.iter() if element.tag.rpartition("}")[2] == "label" and "name" in element.attrib]
    if not names:
        raise DataError(f"{where}: names no label; it must list them as <label name=...>")
    return names


def label_columns(header: Header, declared: list[str] | None, where: str, required: bool = True) -> list[int]:
    """The columns of the labels: those that the XML file names, or the first C (last -C) of MEKA's ``-C``.

    Raises:
        DataError: if nothing tells the labels, or a declared one is no attribute.
    """
    names = [attribute.name for attribute in header.attributes]
    if declared is not None:
        position = {name: i for i, name in enumerate(names)}
        for name in declared:
            if name not in position and required:
                raise DataError(f"{where}: label '{name}' is not among the attributes; {nearest(name, names[-200:])}")
        return [position[name] for name in declared if name in position]
    found = MEKA_LABELS.search(header.relation)
    if found is None and not required:
        return []
    if found is None or not 0 < abs(int(found[1])) <= len(names):
        raise DataError(f"{where}: nothing says which attributes are labels; put Mulan's XML file beside it, or name them with labels=")
    count = int(found[1])
    return list(range(count)) if count > 0 else list(range(len(names) + count, len(names)))


def split_values(text: str) -> list[str]:
    """The values of a comma-separated list, unquoted.

    >>> split_values("a, 'b, or c', 'Steller\\\\'s Jay'")
    ['a', 'b, or c', "Steller's Jay"]
    """
    if "'" not in text and '"' not in text:
        return [part.strip() for part in text.split(",")]
    return [unquote(match[1] or match[2].strip()) for match in VALUE.finditer(text) if match.end() > match.start()]


def unquote(text: str) -> str:
    """A name or value without its quotes."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _attribute(line: str, where: str) -> Attribute:
    match = ATTRIBUTE.match(line)
    kind = match[2].strip() if match else ""
    if match and kind.startswith("{") and kind.endswith("}"):
        return Attribute(unquote(match[1]), {value: i for i, value in enumerate(split_values(kind[1:-1]))})
    if match and kind.split(None, 1)[:1] and kind.split(None, 1)[0].lower() in NUMERIC:
        return Attribute(unquote(match[1]), None)
    raise DataError(f"{where}: attribute of type {kind[:40]!r}; allowed are numeric and nominal ones such as {{0,1}}")
