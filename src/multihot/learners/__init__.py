"""Kinds of methods, neural and classical, that a run checks, trains, reads and describes alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..components import choices, first_line
from ..errors import ConfigurationError, nearest
from ..method import METHODS
from .base import Cost, Learner, Predictor, Say, Task, Trained, never_empty_where_none_is
from .classical import ClassicalLearner
from .neural import NeuralLearner

__all__ = [
    "ClassicalLearner",
    "Cost",
    "Learner",
    "NeuralLearner",
    "Predictor",
    "Say",
    "Task",
    "Trained",
    "classical_names",
    "learner_of",
    "method_summaries",
    "never_empty_where_none_is",
]


def classical_names() -> list[str]:
    """Names of the classical methods, as the command line writes them."""
    return [name.replace("_", "-") for name in choices("classical")]


def learner_of(method: Mapping[str, Any]) -> Learner:
    """The method that a configuration names: here alone it is told whether it is a neural or a classical one.

    Args:
        method: ``name``, and the parts or settings of the method.

    Raises:
        ConfigurationError: for a name that no method has.

    >>> learner_of({"name": "linear-svm"}).in_updates, learner_of({"name": "ocd"}).emits_labels
    (False, True)
    """
    name = str(method.get("name", "br"))
    if name.replace("_", "-") in classical_names():
        return ClassicalLearner(method)
    if name not in METHODS:
        raise ConfigurationError(f"there is no method '{name}'; {nearest(name, [*METHODS, *classical_names()])}")
    return NeuralLearner(method)


def method_summaries() -> dict[str, str]:
    """name -> what it is, for every method that people can type."""
    neural = {name: method.summary() for name, method in METHODS.items()}
    classical = {name.replace("_", "-"): first_line(cls) for name, cls in choices("classical").items()}
    return neural | classical
