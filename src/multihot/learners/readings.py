"""Other ways of reading the model that a training makes, for the curve of each over its validations (Tsai 2019, figure 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..components import UntrustedError, split_config
from ..errors import ConfigurationError
from ..labels import LabelStatistics
from ..method import Method
from .label_sets import never_empty


def readings_of(method: Mapping[str, Any], readings: Sequence[Any], statistics: LabelStatistics | None = None) -> dict[str, Method]:
    """The method with each of ``training.readings`` for its decoding, by what the log calls it: the decoding and its arguments.

    Args:
        method: a neural method's configuration.
        readings: decodings.
        statistics: of the training split, where they are known: as elsewhere, no label set is empty where no training row's is.

    Raises:
        ConfigurationError: for a reading that does not fit the method, and one that is named twice.

    >>> list(readings_of({"name": "ocd"}, ["greedy", {"name": "beam", "width": 3}]))
    ['greedy', 'beam width 3']
    """
    found: dict[str, Method] = {}
    for number, reading in enumerate(readings):
        where = f"training.readings[{number}]"
        name = _name(reading, where)
        if name in found:
            raise ConfigurationError(f"{where}: '{name}' is there already; name every reading once")
        read = dict(method) | {"decoding": reading}
        try:
            found[name] = Method.from_config(never_empty(read) if statistics is not None and statistics.none_empty else read).check()
        except UntrustedError:
            raise
        except ConfigurationError as error:
            raise ConfigurationError(f"{where}: {error}") from error
    return found


def _name(reading: Any, where: str) -> str:
    try:
        name, arguments = split_config("decoding", reading)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return " ".join([name, *(f"{key} {value}" for key, value in arguments.items())])
