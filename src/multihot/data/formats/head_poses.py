"""Head poses in a CSV file of picture, yaw and pitch, put on a grid of angles, as AFLW is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from .axes import axis_of, check_on_axis, label_of
from .columns import IDS, IMAGES, SPLITS
from .delimited import records
from .distributions import measured
from .named_files import NamedFiles
from .opening import check_exists
from .picture_files import Named, with_pictures
from .reading import Options, Reading, Row
from .records import split_named

GRID = "-90:90:3"  # degrees, of pitch and of yaw
HEADER = 300  # bytes at the start of a file that may name the columns


def read_aflw(path: Path, options: Options) -> Reading:
    """Read a CSV file with columns ``file``, ``yaw`` and ``pitch`` (degrees; maybe ``id`` and ``split``) beside its pictures.

    The label is the nearest point of a grid, ``"pitch,yaw"``; ``value`` keeps the angles themselves. ``labels="-90:90:5"`` gives the
    angles of the grid, ``labels="-60:60:5;-90:90:5"`` those of pitch and of yaw apart; else ``-90:90:3`` for both.

    Raises:
        DataError: for a missing column, an angle that is no number or lies off the grid, or a picture that is not there.
    """
    table = check_exists(path)
    first = next(iter(records(table, options)), None)
    if first is None:
        raise DataError(f"{table}: the file holds no rows; give a file with at least one")
    names = {name.lower(): name for name in first[1]}
    missing = [name for name in ("yaw", "pitch") if name not in names and options.require_labels]
    if missing or not any(name in names for name in IMAGES):
        wanted = missing[0] if missing else "file"
        raise DataError(f"{table}: line 1: there is no column '{wanted}'; it needs file, yaw and pitch, and has {', '.join(first[1])}")
    given = options.labels or GRID
    pitch, _, yaw = given.partition(";") if isinstance(given, str) else (given, "", "")
    pitches, yaws = axis_of(pitch, str(table)), axis_of(yaw or pitch, str(table))
    files = NamedFiles((table.parent, table.parent / "images"))
    named = _named(table, names, pitches, yaws, options)
    rows = with_pictures(named, files, options)
    labels = [label_of(pitch, yaw) for pitch in pitches for yaw in yaws]
    return Reading("image", rows, options, declared_labels=labels, columns=list(first[1]), named=[files])


def looks_like(path: Path) -> bool:
    """Whether the first line of a file names a picture, yaw and pitch."""
    with path.open("rb") as file:
        line = file.read(HEADER).decode("latin-1").splitlines()[:1]
    names = {name.strip().strip('"').lower() for name in line[0].replace(";", ",").replace("\t", ",").split(",")} if line else set()
    return {"yaw", "pitch"} <= names and any(name in names for name in IMAGES)


def _named(
    table: Path, names: Mapping[str, str], pitches: Float[np.ndarray, " P"], yaws: Float[np.ndarray, " Y"], options: Options
) -> Iterator[Named]:
    image = next(names[name] for name in IMAGES if name in names)
    identity = next((names[name] for name in IDS if name in names), image)
    split = next((names[name] for name in SPLITS if name in names), None)
    for where, record in records(table, options):
        row: Row = {"id": record[identity].strip() or record[image].strip()}
        if split:
            row["split"] = split_named(record[split], where)
        yield Named(where, record[image].strip(), row | _pose(record, names, pitches, yaws, where))


def _pose(
    record: Mapping[str, Any], names: Mapping[str, str], pitches: Float[np.ndarray, " P"], yaws: Float[np.ndarray, " Y"], where: str
) -> Row:
    if not {"yaw", "pitch"} <= set(names):
        return {"labels": None}
    pitch, yaw = (measured(record[names[angle]], angle, where) for angle in ("pitch", "yaw"))
    row, column = check_on_axis(pitch, pitches, "the pitch", where), check_on_axis(yaw, yaws, "the yaw", where)
    return {"labels": [label_of(pitches[row], yaws[column])], "value": [pitch, yaw]}
