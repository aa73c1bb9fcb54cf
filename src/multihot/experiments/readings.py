"""Other ways of reading the model that a training makes, for the curve of each over its validations. [T fig. 4.3]"""

from __future__ import annotations

from typing import Any

from ..components import UntrustedError, split_config
from ..errors import ConfigurationError
from ..labels import LabelStatistics
from ..method import Method
from .config import Config
from .methods import is_classical, never_empty


def readings_of(config: Config, statistics: LabelStatistics | None = None) -> dict[str, Method]:
    """The method with each of ``training.readings`` for its decoding, by what the log calls it: the decoding and its arguments.

    Args:
        config: the experiment.
        statistics: of the training split, where they are known: as elsewhere, no label set is empty where no training row's is.

    Raises:
        ConfigurationError: for a reading that does not fit the method, and one that is named twice.

    >>> list(readings_of(Config.from_dict({"method": {"name": "ocd"}, "training": {"readings": ["greedy", {"name": "beam", "width": 3}]}})))
    ['greedy', 'beam width 3']
    """
    found: dict[str, Method] = {}
    for number, reading in enumerate(config.training.readings):
        where = f"training.readings[{number}]"
        if is_classical(config.method):
            raise ConfigurationError(f"{where}: a classical method trains in no epochs; leave training.readings out")
        name = _name(reading, where)
        if name in found:
            raise ConfigurationError(f"{where}: '{name}' is there already; name every reading once")
        method: dict[str, Any] = dict(config.method) | {"decoding": reading}
        try:
            found[name] = Method.from_config(method if statistics is None else never_empty(method, statistics)).check()
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
