"""MATLAB files of label distribution learning: a matrix of features beside a matrix whose rows are distributions over the labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from .axes import axis_of, label_of
from .distributions import TOLERANCE
from .matlab import read_matrices
from .opening import check_exists, open_bytes, open_zip
from .reading import Options, Reading, Row

Variables = dict[str, np.ndarray | None]


def read_ldl_mat(path: Path, options: Options) -> Reading:
    """Read a ``.mat`` file of version 5, or the zip or folder that holds it, with ``features`` (N, d) and ``labels`` (N, L).

    Every row of ``labels`` is a distribution. A file that also has ``age`` (N values) and ``x`` (their L labels), such as FG-Net's, is
    read as single labels named after ``x``; with ``distribution="degrees"`` as its distributions, which are cut off at the ends of the
    axis and therefore divided by their sums. ``labels=`` names the columns, as a list, ``"a,b,c"`` or ``"1:5"``; else they are
    ``label 1`` to ``label L``, without an axis.

    Raises:
        DataError: for a file without these matrices, a number that is not finite, or a row that is no distribution.
    """
    file = check_exists(mat_of(path))
    variables = _variables(file)
    features, labels = _matrix(variables, "features", file), _matrix(variables, "labels", file)
    if len(features) != len(labels):
        raise DataError(f"{file}: {len(features)} rows of features, but {len(labels)} of labels; give as many of both")
    ages = _vector(variables, "age", len(labels), file) if {"age", "x"} <= set(variables) else None
    names = [label_of(x) for x in _vector(variables, "x", labels.shape[1], file)] if ages is not None else []
    names = _names(options, labels.shape[1], str(file)) or names or [f"label {i + 1}" for i in range(labels.shape[1])]
    single = ages is not None and options.distribution is None
    rows = _with_ages(features, ages, names, file) if single and ages is not None else _with_degrees(features, labels, names, ages, file)
    return Reading(
        modality="table",
        rows=rows,
        options=options,
        declared_labels=names,
        num_features=features.shape[1],
        columns=sorted(variables),
        degrees="membership" if single else "distribution",
    )


def mat_of(path: Path) -> Path:
    """The file itself, or the only ``.mat`` file, zipped or not, of a folder.

    Raises:
        DataError: if a folder holds none or several.
    """
    if not path.is_dir():
        return path
    found = sorted(p for p in path.iterdir() if p.suffix.lower() == ".mat")
    if len(found) != 1:
        raise DataError(f"{path}: holds {len(found)} .mat files; give one of them")
    return found[0]


def holds_mat(path: Path) -> bool:
    """Whether a zip holds one file, and that is a ``.mat`` file."""
    with open_zip(path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    return len(names) == 1 and names[0].lower().endswith(".mat")


def _variables(file: Path) -> Variables:
    with open_bytes(file) as opened:
        return read_matrices(opened.read(), file)


def _matrix(variables: Variables, name: str, file: Path) -> Float[np.ndarray, "N C"]:
    if name not in variables:
        raise DataError(f"{file}: has no variable '{name}'; it needs features and labels, and has {', '.join(sorted(variables)) or 'none'}")
    value = variables[name]
    if value is None or value.ndim != 2 or not value.size:
        raise DataError(f"{file}: '{name}' is no full matrix of numbers; save it as numbers, one row an instance")
    numbers = value.astype(np.float64)
    with np.errstate(over="ignore"):
        finite = np.isfinite(numbers.astype(np.float32))
    if not finite.all():
        row, column = (int(i[0]) for i in np.nonzero(~finite))
        raise DataError(
            f"{file}: row {row + 1}: '{name}' has {numbers[row, column]} in column {column + 1}; allowed are finite 32-bit numbers"
        )
    return numbers


def _vector(variables: Variables, name: str, length: int, file: Path) -> Float[np.ndarray, " C"]:
    value = _matrix(variables, name, file).ravel()
    if len(value) != length:
        raise DataError(f"{file}: '{name}' has {len(value)} numbers; it needs {length}")
    return value


def _names(options: Options, count: int, where: str) -> list[str]:
    """The labels' names that the caller gives, if any."""
    given = options.labels
    if not given:
        return []
    if isinstance(given, str):
        names = [label_of(x) for x in axis_of(given, where)] if ":" in given else [part.strip() for part in given.split(",")]
    else:
        names = list(given)
    if len(set(names)) != count or len(names) != count or "" in names:
        raise DataError(f"{where}: labels= gives {len(names)} names, {len(set(names))} of them different; there are {count} labels to name")
    return names


def _with_ages(features: Float[np.ndarray, "N d"], ages: Float[np.ndarray, " N"], names: list[str], file: Path) -> Iterator[Row]:
    known = set(names)
    for number, (values, age) in enumerate(zip(features, ages, strict=True), start=1):
        if label_of(age) not in known:
            raise DataError(f"{file}: row {number}: the age is {age:g}; allowed are {names[0]} to {names[-1]}")
        yield {"labels": [label_of(age)], "features": values.astype(np.float32)}


def _with_degrees(
    features: Float[np.ndarray, "N d"], labels: Float[np.ndarray, "N L"], names: list[str], ages: Float[np.ndarray, " N"] | None, file: Path
) -> Iterator[Row]:
    for number, (values, degrees) in enumerate(zip(features, labels, strict=True), start=1):
        total, where = degrees.sum(), f"{file}: row {number}"
        if degrees.min() < 0 or total <= 0:
            raise DataError(
                f"{where}: degrees from {degrees.min():g} to {degrees.max():g}; allowed are numbers of at least 0 that sum to 1"
            )
        if ages is None and abs(total - 1) > TOLERANCE:
            raise DataError(f"{where}: the degrees sum to {total:g}, not to 1; divide the rows of 'labels' by their sums")
        shares = (degrees / total).astype(np.float32)
        present = np.flatnonzero(shares)
        position = {} if ages is None else {"value": [float(ages[number - 1])]}
        row: Row = {"labels": [names[i] for i in present], "label_values": shares[present].tolist()}
        yield row | position | {"features": values.astype(np.float32)}
