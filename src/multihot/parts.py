"""A part of a method: a component by name with its arguments, and what can be said of it before it is built."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .calibration import split_rules
from .components import check_keys, find, split_config
from .constraints import check_sizes
from .data.word_vectors import VectorFile
from .errors import ConfigurationError
from .interfaces import SCALES

Part = str | dict[str, Any] | None

# what the surroundings supply to a constructor that names it, and what changes no result: no settings of a method
NO_SETTINGS = frozenset(
    ("num_labels", "label_space", "statistics", "extra_logits", "num_features", "loss", "distribution", "calibration", "decision", "jobs")
)
VECTOR_SIZES = ("embedding_size", "width")  # settings that given word vectors answer, the first that a part has
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


def spelt_out(kind: str, part: Part) -> dict[str, Any] | None:
    """A part with every argument of its constructor, those it left open at their defaults: what it means whatever a later version's are.

    Args:
        kind: of the component.
        part: its name, with its arguments; None stays None.

    Returns:
        ``name`` and plain values. What the surroundings supply is left out, and so is the size of a layer that given word vectors answer.

    >>> spelt_out("loss", {"name": "focal", "gamma": 3})
    {'name': 'focal', 'gamma': 3, 'alpha': None, 'reduction': 'mean'}
    >>> spelt_out("objective", "multitask")["sequence"]["name"]
    'optimal_completion'
    """
    if part is None:
        return None
    plain, rules = split_rules(part) if kind == "decision" else (part, {})
    name, given = split_config(kind, plain)
    cls = find(kind, name)
    arguments = defaults(cls) | given
    if given.get("word_vectors") is not None:
        size = next((key for key in VECTOR_SIZES if key in arguments), None)
        arguments = {key: value for key, value in arguments.items() if key != size or key in given}
    for key, inner in getattr(cls, "inner", {}).items():
        arguments[key] = _inner(inner, arguments[key])
    return {"name": name} | {key: _plain(value) for key, value in arguments.items()} | rules


def defaults(cls: type) -> dict[str, Any]:
    """What a constructor takes where nothing is given; without what is no setting, or no plain value."""
    found = {key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()}
    return {key: _plain(value) for key, value in found.items() if key not in NO_SETTINGS and _is_plain(value)}


def _inner(kind: str, value: Any) -> Any:
    """A part inside another, or a list of them; a decoder inside a pair is recurrent where it has no name."""
    if isinstance(value, (list, tuple)):
        return [_inner(kind, item) for item in value]
    if kind == "decoder":
        value = {"name": "recurrent"} | dict(value or {})
    return spelt_out(kind, value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(map(_is_plain, (*value, *value.values())))
    return value is None or isinstance(value, (bool, int, float, str))


def _plain(value: Any) -> Any:
    """The same as YAML reads it back."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
