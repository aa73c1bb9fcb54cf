"""Grow an encoder until a model has as many parameters as another, so that size is not what tells two methods apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .components import find, split_config
from .errors import ConfigurationError

GROWING = ("hidden_size", "width", "channels")  # what an encoder's constructor may call its size


def widen(encoder: str | Mapping[str, Any], count: Callable[[dict[str, Any]], int], target: int) -> dict[str, Any]:
    """The encoder of that size at which a model comes nearest to a number of parameters.

    Args:
        encoder: its configuration; its ``hidden_size``, ``width`` or ``channels`` grows, whichever it has.
        count: encoder configuration -> parameters of the model that is built on it; must grow with the size.
        target: parameters to meet.

    Returns:
        The encoder's configuration, never smaller than before.

    Raises:
        ConfigurationError: for an encoder whose size cannot be set.

    >>> widen({"name": "tabular", "layers": 1}, count=lambda encoder: encoder["hidden_size"] * 10, target=6004)
    {'name': 'tabular', 'layers': 1, 'hidden_size': 600}
    """
    name, arguments = split_config("encoder", encoder)
    parameters = inspect.signature(find("encoder", name)).parameters
    size = next((key for key in GROWING if key in parameters), None)
    if size is None:
        raise ConfigurationError(f"encoder '{name}' has no size that could grow ({', '.join(GROWING)}); leave `sized_like` out")
    settings = {key: parameter.default for key, parameter in parameters.items()} | arguments
    unit = len(settings.get("kernel_sizes", [0]))  # each kernel gets an equal share

    def sized(steps: int) -> dict[str, Any]:
        given = settings[size]
        grown = given + steps * unit if isinstance(given, int) else [round(part * (1 + steps / given[0])) for part in given]
        return {"name": name, **arguments, size: grown}

    low, high = 0, 1
    while count(sized(high)) < target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(sized(middle)) < target else (low, middle)
    return min((sized(low), sized(high)), key=lambda one: abs(count(one) - target))
