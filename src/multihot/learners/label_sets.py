"""Which label sets a neural method may choose: the rule that none is empty stands in another part of it, depending on the method."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..calibration import with_at_least_one
from ..components import find, split_config
from ..method import Method


def never_empty(method: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a neural method with ``at_least: 1`` among the rules of its label sets, unless it says another ``at_least``.

    The rules stand in the decision of methods that score labels, and in the constraints of decodings that walk a decoder. Methods that
    choose one label by themselves have neither.

    >>> never_empty({"name": "br"})["decision"], never_empty({"name": "ocd", "decoding": "greedy"})["decoding"]
    ({'name': 'global', 'at_least': 1}, {'name': 'greedy', 'constraints': {'at_least': 1}})
    """
    whole = Method.from_config(method)
    name, arguments = split_config("decoding", whole.decoding)
    taken = inspect.signature(find("decoding", name)).parameters
    if "decision" in taken and whole.decision is not None:
        return dict(method) | {"decision": with_at_least_one(whole.decision)}
    if "constraints" in taken:
        constraints = {"at_least": 1} | dict(arguments.get("constraints") or {})
        return dict(method) | {"decoding": {"name": name} | arguments | {"constraints": constraints}}
    return dict(method)
