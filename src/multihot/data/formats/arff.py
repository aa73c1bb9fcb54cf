"""ARFF files with Mulan's or MEKA's label declarations, dense and sparse; also Mulan's zips with a train and a test file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np

from ...errors import DataError
from .arff_header import QUOTED, Attribute, Header, label_columns, labels_of_xml, read_header, split_values, unquote
from .axes import axis_of, label_of
from .columns import expand
from .distributions import around_mean, axis_around, distribution, mean_spread_columns, measured
from .label_cells import FALSE, TRUE
from .opening import open_zip, read_member, suffix_of, text_lines
from .reading import Options, Reading, Row, at_line, split_of

LARGEST = float(np.finfo(np.float32).max)
PAIR = re.compile(rf"\s*(\d+)\s+({QUOTED}|[^\s,]+)\s*(?:,|$)")


def read_arff(path: Path, options: Options) -> Reading:
    """Read one ARFF file, a zip or a folder with ``-train`` and ``-test`` files.

    Nominal features become the number of their value in the header, one column an attribute. In a sparse row an attribute that
    is left out has its first value, as Weka defines it.

    Raises:
        DataError: for a row that does not fit the header, naming the line, or if nothing says which attributes are labels.
    """
    members = _members(path)
    declared = _declared(path, options, members)
    if options.distribution == "mean_spread" and not options.labels:
        table = _Table(path, members[0][1], options, declared)
        options = replace(options, labels=axis_around(table.means(), table.where) if table.labels else None)
    first = _Table(path, members[0][1], options, declared)
    rows = (
        row if split is None else {"split": split, **row}
        for split, member in members
        for row in _Table(path, member, options, declared).rows()
    )
    return Reading(
        modality="table",
        rows=rows,
        options=options,
        declared_labels=[name for name, _ in first.labels] if first.axis is None else [label_of(position) for position in first.axis],
        num_features=len(first.features),
        feature_names=[attribute.name for _, attribute in first.features],
        columns=[attribute.name for attribute in first.header.attributes],
        degrees="distribution" if options.distribution else "membership",
    )


def files_of_arff(path: Path) -> list[Path]:
    """All files that a reading of this path looks at: the ARFF files, and the XML file beside them."""
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.suffix.lower() in (".arff", ".xml") or suffix_of(p) == ".arff")
    beside = _xml_beside(path) if suffix_of(path) == ".arff" else None
    return [path, beside] if beside else [path]


class _Table:
    """One ARFF file: its header at once, its rows as a stream."""

    def __init__(self, path: Path, member: str | Path | None, options: Options, declared: list[str] | None):
        self.where = f"{path}: {member}" if isinstance(member, str) else str(member or path)
        lines = text_lines(path, options.encoding, member) if isinstance(member, str) else text_lines(member or path, options.encoding)
        self.lines = enumerate(lines, start=1)
        self.header: Header = read_header(self.lines, self.where)
        attributes = self.header.attributes
        names = [attribute.name for attribute in attributes]
        self.kind, self.axis = options.distribution, None
        if self.kind == "mean_spread":
            self.axis = axis_of(options.labels, self.where) if options.labels else None
            columns = [names.index(name) for name in mean_spread_columns(names, options, self.where) or ()]
        else:
            declared = expand(options.labels, names) if options.labels else declared
            columns = label_columns(self.header, declared, self.where, options.require_labels)
        self.labels = [(attributes[i].name, i) for i in columns]
        chosen = set(columns)
        self.features = [(i, attribute) for i, attribute in enumerate(attributes) if i not in chosen]
        self.position = {i: position for position, (i, _) in enumerate(self.features)}
        self.left_out = {i: next(iter(attributes[i].values or {"0": 0})) for i in columns}  # the value of a label that a sparse row omits

    def means(self) -> Iterator[tuple[float, float]]:
        """The mean and the spread of every row."""
        for number, line in self.lines:
            if line.strip() and not line.strip().startswith("%"):
                where = at_line(self.where, number)
                cells = [self._cells(line.strip(), where)[i] for _, i in self.labels]
                yield measured(cells[0], "mean", where), measured(cells[1], "spread", where)

    def rows(self) -> Iterator[Row]:
        for number, line in self.lines:
            text = line.strip()
            if text and not text.startswith("%"):
                where = at_line(self.where, number)
                yield self._sparse(text, where) if text.startswith("{") else self._dense(text, where)

    def _cells(self, text: str, where: str) -> Sequence[str] | dict[int, str]:
        return self.left_out | self._pairs(text, where) if text.startswith("{") else self._values(text, where)

    def _values(self, text: str, where: str) -> list[str]:
        cells = split_values(text)
        if len(cells) != len(self.header.attributes):
            raise DataError(
                f"{where}: {len(cells)} values where the header names {len(self.header.attributes)} attributes; correct the row"
            )
        return cells

    def _dense(self, text: str, where: str) -> Row:
        cells = self._values(text, where)
        features = np.array([_number(cells[i], attribute, where) for i, attribute in self.features], dtype=np.float32)
        return {"features": features} | self._labels({i: cells[i] for _, i in self.labels}, where)

    def _sparse(self, text: str, where: str) -> Row:
        cells = self._pairs(text, where)
        given = sorted(i for i in cells if i in self.position)
        values = np.array([_number(cells[i], self.header.attributes[i], where) for i in given], dtype=np.float32)
        indices = np.array([self.position[i] for i in given], dtype=np.int32)
        return {"indices": indices, "values": values} | self._labels(self.left_out | cells, where)

    def _pairs(self, text: str, where: str) -> dict[int, str]:
        if not text.endswith("}"):
            raise DataError(f"{where}: a sparse row must end with '}}'; the file is cut short or altered")
        body = text[1:-1].strip().rstrip(",")
        try:
            if "'" in body or '"' in body:
                cells = {int(i): unquote(value) for i, value in PAIR.findall(body)}
            else:
                cells = {int(i): value for i, value in (part.split() for part in body.split(",") if body)}
        except ValueError as error:
            raise DataError(f"{where}: a sparse row must hold 'index value' pairs separated by commas ({error})") from error
        if cells and not 0 <= min(cells) <= max(cells) < len(self.header.attributes):
            raise DataError(f"{where}: index {max(cells)}; allowed are 0 to {len(self.header.attributes) - 1}")
        return cells

    def _labels(self, cells: dict[int, str], where: str) -> Row:
        if self.kind is None:
            return self._label_set(cells, where)
        if not self.labels:
            return {"labels": None, "label_values": None}
        if self.axis is not None:
            mean, spread = (cells[i] for _, i in self.labels)
            return around_mean(mean, spread, self.axis, where)
        return distribution({name: cells[i] for name, i in self.labels}, self.kind, where)

    def _label_set(self, cells: dict[int, str], where: str) -> Row:
        labels, unknown = [], []
        for name, i in self.labels:
            word = cells[i].strip().lower()
            if word in TRUE:
                labels.append(name)
            elif word == "?":
                unknown.append(name)
            elif word not in FALSE:
                raise DataError(f"{where}: label '{name}' is {cells[i]!r}; allowed are 0, 1 and ?")
        return {"labels": labels, "unknown": unknown}


def _number(cell: str, attribute: Attribute, where: str) -> float:
    if cell == "?":
        return float("nan")
    if attribute.values is not None:
        if cell not in attribute.values:
            listed = ", ".join(list(attribute.values)[:20])
            raise DataError(f"{where}: attribute '{attribute.name}' is {cell!r}; the header allows {listed}")
        return float(attribute.values[cell])
    try:
        number = float(cell)
    except ValueError as error:
        raise DataError(f"{where}: attribute '{attribute.name}' is {cell!r}, not a number; correct the row") from error
    if abs(number) > LARGEST:
        raise DataError(f"{where}: attribute '{attribute.name}' is {cell!r}; allowed are finite 32-bit numbers, or ? for a missing one")
    return number


def _members(path: Path) -> list[tuple[str | None, str | Path | None]]:
    """(split, file) of all ARFF files to read; a union file beside the splits is left out."""
    if suffix_of(path) == ".arff" and not path.is_dir():
        return [(None, None)]
    names: list[str | Path] = []
    if path.is_dir():
        names = [p for p in files_of_arff(path) if suffix_of(p) == ".arff"]
    else:
        with open_zip(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".arff")]
    splits = {split: name for name in names if (split := split_of(PurePath(name).name))}
    if "train" in splits:
        return list(splits.items())
    if len(names) != 1:
        raise DataError(f"{path}: holds {len(names)} ARFF files; give one, or name them ...-train.arff and ...-test.arff")
    return [(None, names[0])]


def _declared(path: Path, options: Options, members: list) -> list[str] | None:
    if options.labels:
        return None
    if path.is_dir() or suffix_of(path) == ".arff":
        xml = next((p for p in files_of_arff(path) if p.suffix.lower() == ".xml"), None)
        return labels_of_xml(xml.read_bytes(), str(xml)) if xml else None
    with open_zip(path) as archive:
        name = next((name for name in archive.namelist() if name.lower().endswith(".xml")), None)
        return labels_of_xml(read_member(archive, name, path), f"{path}: {name}") if name else None


def _xml_beside(path: Path) -> Path | None:
    """The XML file whose name begins the ARFF file's name (emotions.xml for emotions-train.arff), or the only one in the folder."""
    found = sorted(path.parent.glob("*.xml"))
    named = [xml for xml in found if path.name.lower().startswith(xml.stem.lower())]
    return max(named, key=lambda xml: len(xml.stem)) if named else found[0] if len(found) == 1 else None
