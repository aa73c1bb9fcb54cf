"""Rows whose labels are a distribution: degrees that sum to 1, votes of annotators, or a mean with a spread."""

from __future__ import annotations

import ast
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from .axes import check_on_axis, label_of
from .label_cells import split_text
from .reading import Options, Row

MEANS = ("mean", "average", "avg", "apparent_age_avg", "mu")
SPREADS = ("spread", "stdev", "std", "stdv", "sd", "apparent_age_std", "sigma")
TOLERANCE = 1e-3  # by which rounded degrees may miss the sum of 1
WIDTH = 3  # spreads beyond the outermost means that an axis found from the data reaches


def parse_distribution(cell: Any, kind: str, delimiter: str | None, where: str) -> Row:
    """The label distribution of a cell.

    Args:
        cell: a mapping of labels to degrees or votes (in a CSV file: as JSON); for votes also a list or delimited string with repetitions.
        kind: ``"degrees"`` or ``"votes"``.
        delimiter: what separates the votes of a string.
        where: the place in the file, for error messages.

    Returns:
        ``labels`` and ``label_values``, which sum to 1.

    Raises:
        DataError: for a negative degree, degrees that do not sum to 1, or a row without votes.

    >>> parse_distribution('{"1": 3, "2": 1}', "votes", None, "x.csv: line 2")
    {'labels': ['1', '2'], 'label_values': [0.75, 0.25]}
    >>> parse_distribution("2|2|1|2", "votes", "|", "x.csv: line 3")
    {'labels': ['2', '1'], 'label_values': [0.75, 0.25]}
    """
    value = _mapping_in(cell, where) if isinstance(cell, str) and cell.strip().startswith("{") else cell
    if isinstance(value, Sequence) and not isinstance(value, str) and value and all(isinstance(part, tuple) for part in value):
        value = dict(value)  # the way Parquet gives a map
    if kind == "votes" and isinstance(value, str):
        value = split_text(value, delimiter, where)
    if kind == "votes" and isinstance(value, Sequence):
        if any(isinstance(vote, bool) or not isinstance(vote, (str, int)) for vote in value):
            raise DataError(f"{where}: the votes are {str(value)[:80]}; allowed are names of labels and whole numbers, one a vote")
        value = Counter(str(vote).strip() for vote in value)
    if value is None or value == "":
        raise DataError(f"{where}: nobody annotated the row; leave it out, or fill in its {kind}")
    if not isinstance(value, Mapping):
        raise DataError(
            f'{where}: the {kind} are {str(value)[:80]!r}; give a mapping of labels to numbers, such as {{"1": 0.25, "2": 0.75}}'
        )
    return distribution({str(name).strip(): number for name, number in value.items()}, kind, where)


def distribution(numbers: Mapping[str, Any], kind: str, where: str) -> Row:
    """Degrees or votes as a row's labels and degrees; a blank counts as 0.

    Args:
        numbers: label -> degree or number of votes.
        kind: ``"degrees"`` or ``"votes"``.
        where: the place in the file, for error messages.

    Raises:
        DataError: for a negative number, degrees that do not sum to 1, or a row without votes.

    >>> distribution({"joy": "0.25", "fear": "", "anger": 0.75}, "degrees", "x.csv: line 2")
    {'labels': ['joy', 'anger'], 'label_values': [0.25, 0.75]}
    """
    degrees = {name: _number(number, name, kind, where) for name, number in numbers.items()}
    total = math.fsum(degrees.values())
    if kind == "votes" and total == 0:
        raise DataError(f"{where}: nobody voted, so the row has no label distribution; leave the row out")
    if kind == "degrees" and abs(total - 1) > TOLERANCE:
        raise DataError(
            f"{where}: the degrees sum to {total:g}, not to 1; divide them by their sum, or say distribution='votes' for counts"
        )
    shares = {name: float(np.float32(degree / total)) for name, degree in degrees.items()}
    present = {name: share for name, share in shares.items() if share > 0}
    return {"labels": list(present), "label_values": list(present.values())}


def around_mean(mean: Any, spread: Any, axis: Float[np.ndarray, " L"], where: str) -> Row:
    """A normal distribution around the mean of several annotators, with their standard deviation, over an axis.

    Args:
        mean: their mean, a number or its text.
        spread: their standard deviation, above 0.
        axis: the positions of the labels, ascending.
        where: the place in the file, for error messages.

    Returns:
        ``labels``, ``label_values``, ``value`` (the mean, in a list) and ``spread``.

    Raises:
        DataError: for a mean off the axis, or a spread that is not above 0.
    """
    import torch

    from ...distributions import gaussian

    value, width = measured(mean, "mean", where), measured(spread, "spread", where)
    check_on_axis(value, axis, "the mean", where)
    if width <= 0:
        raise DataError(
            f"{where}: the spread is {width:g}; allowed are numbers above 0: leave the row out, or give the least you believe in"
        )
    degrees = gaussian(torch.tensor([value], dtype=torch.float64), torch.from_numpy(axis), width)[0].numpy()
    row = distribution({label_of(position): degree for position, degree in zip(axis, degrees, strict=True)}, "degrees", where)
    return row | {"value": [value], "spread": width}


def mean_spread_columns(names: Sequence[str], options: Options, where: str) -> tuple[str, str] | None:
    """The columns of mean and standard deviation, by their usual names; none where labels are not required.

    Raises:
        DataError: if one of them is missing.
    """
    lower = {name.lower(): name for name in names}
    found = [next((lower[usual] for usual in wanted if usual in lower), None) for wanted in (MEANS, SPREADS)]
    if found[0] and found[1]:
        return found[0], found[1]
    if options.require_labels:
        lacking, wanted = ("mean", MEANS) if not found[0] else ("spread", SPREADS)
        raise DataError(f"{where}: there is no column for the {lacking}; name it one of {', '.join(wanted)}")
    return None


def axis_around(pairs: Iterable[tuple[float, float]], where: str) -> str:
    """The axis of whole numbers that holds all means with three spreads to either side; below zero only if a mean is.

    Raises:
        DataError: if there is no pair.

    >>> axis_around([(2, 1.5), (40.5, 4)], "x.csv")
    '0:53'
    """
    found = list(pairs)
    if not found:
        raise DataError(f"{where}: the file holds no rows; give a file with at least one")
    least = math.floor(min(mean - WIDTH * spread for mean, spread in found))
    most = math.ceil(max(mean + WIDTH * spread for mean, spread in found))
    return f"{max(least, 0) if min(mean for mean, _ in found) >= 0 else least}:{max(most, least + 1)}"


def measured(cell: Any, what: str, where: str) -> float:
    """A cell as a finite number.

    Raises:
        DataError: if it is none.
    """
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or isinstance(cell, bool):
        raise DataError(f"{where}: the {what} is {str(cell)[:80]!r}; allowed are finite numbers: correct it, or leave the row out")
    return number


def _number(value: Any, name: str, kind: str, where: str) -> float:
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0.0
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number < math.inf or isinstance(value, bool):
        allowed = "numbers from 0 to 1" if kind == "degrees" else "numbers of votes, at least 0"
        raise DataError(f"{where}: label '{name}' has {str(value)[:80]!r}; allowed are {allowed}")
    return number


def _mapping_in(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        try:
            return ast.literal_eval(text.strip())  # the way pandas writes a mapping into a CSV cell
        except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
            raise DataError(
                f'{where}: {text[:60]!r} is no mapping of labels; write it as JSON, such as {{"1": 0.25, "2": 0.75}}'
            ) from error
