"""What the catalogue says about a data set."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class CatalogFile:
    """A file of a data set.

    Args:
        name: as the reader expects it.
        sha256: of its content, uncompressed.
        bytes: its size, uncompressed.
        address: where it can be downloaded, or ``None`` if no stable public address is known.
    """

    name: str
    sha256: str
    bytes: int
    address: str | None = None


@dataclass(frozen=True)
class CatalogEntry:
    """A named data set.

    Args:
        name: what ``load`` takes.
        title: one line.
        modality: ``"text"``, ``"table"``, ``"image"`` or ``"audio"``.
        origin: where it comes from, as an address to read.
        licence: the terms, as far as they are stated.
        citation: the paper to cite.
        rows: published number of rows a split.
        labels: published number of labels.
        cardinality: published mean number of labels a row, over all splits.
        format: the reader, one of ``multihot.data.formats.FORMATS``.
        files: what it consists of.
        pictures: folders of the user's own copy that the files only name pictures in; never copied, but linked.
        archives: names of archives that copies of the files may come in.
        folder: the usual name of the folder in which a copy lies.
        rename: splits that are taken for another, such as ``{"validation": "train"}``.
        reading: what ``load`` takes as options where the caller says nothing, such as ``{"labels": ("joy", "fear")}``.
        made_by: the module that computes the data set, if it is not read from files.
        note: what a user has to know.
    """

    name: str
    title: str
    modality: str
    origin: str
    licence: str
    citation: str
    rows: Mapping[str, int]
    labels: int
    cardinality: float | None
    format: str = ""
    files: tuple[CatalogFile, ...] = ()
    pictures: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    folder: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, Any] = field(default_factory=dict)
    made_by: str = ""
    note: str = ""

    def maker(self) -> ModuleType:
        """The module with ``rows(split)``, ``LABELS`` and ``SIZES`` that computes the data set."""
        return importlib.import_module(self.made_by)


def files(table: str, address: str | None = None) -> tuple[CatalogFile, ...]:
    """Files from lines ``sha256 bytes name``.

    Args:
        table: the lines.
        address: the folder on the web that holds them under these names, if there is one.
    """
    rows = (line.split(None, 2) for line in table.strip().splitlines())
    return tuple(CatalogFile(name, digest, int(size), f"{address}/{name}" if address else None) for digest, size, name in rows)
