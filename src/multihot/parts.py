"""A part of a method: a component by name with its arguments, and what can be said of it before it is built."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .calibration import split_rules
from .components import check_keys, find, split_config
from .constraints import check_sizes
from .data.word_vectors import VectorFile
from .errors import ConfigurationError
from .interfaces import SCALES

Part = str | dict[str, Any] | None

PARTS = ("encoder", "scorer", "decoder", "loss", "distribution", "objective", "decoding", "calibration", "decision")


def check_arguments(kind: str, part: Part) -> None:
    """Refuse an unknown component or an argument its constructor does not have."""
    if kind == "decision" and part:
        part, rules = split_rules(part)
        check_sizes(rules.get("at_least"), rules.get("at_most"))
    name, arguments = split_config(kind, part)
    parameters = inspect.signature(find(kind, name)).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        check_keys(arguments, set(parameters), where=f"{kind} '{name}'")
    if arguments.get("word_vectors") is not None:
        VectorFile.of(arguments["word_vectors"])


def check_scores(kind: str, part: Part, given: str, source: str, mend: Callable[[str], str]) -> None:
    """Refuse a component that takes scores for more than they are.

    Args:
        kind: of the component.
        part: its name, with its arguments.
        given: what the scores are, one of ``SCALES``.
        source: where they come from.
        mend: what can be done about it, from what the component needs.
    """
    name, arguments = split_config(kind, split_rules(part)[0] if kind == "decision" and part else part)
    needed = find(kind, name).needs_scores(**arguments)
    if SCALES.index(needed) > SCALES.index(given):
        wish = {"log_odds": "reads scores as log-odds", "zero": "takes 0 for the middle of the scores"}[needed]
        raise ConfigurationError(f"{kind} '{name}' {wish}, but those of {source} are not: {mend(needed)}")
