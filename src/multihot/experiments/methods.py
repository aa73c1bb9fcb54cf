"""Every method that people can type, neural and classical, under one roof."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy import sparse

from ..components import build, choices, first_line
from ..errors import ConfigurationError, nearest
from ..method import METHODS, Method
from .config import Config

ONE_ROW = sparse.csr_matrix([[True]])


def classical_names() -> list[str]:
    """Names of the classical methods, as the command line writes them."""
    return [name.replace("_", "-") for name in choices("classical")]


def is_classical(method: Mapping[str, Any]) -> bool:
    """Whether a method's configuration names a classical one."""
    return str(method.get("name", "")).replace("_", "-") in classical_names()


def check_method(method: Mapping[str, Any]) -> None:
    """Refuse a method that cannot work, before any data is read."""
    name = str(method.get("name", "br"))
    if is_classical(method):
        from ..classical import check_classical

        check_classical(method)
    elif name not in METHODS:
        raise ConfigurationError(f"there is no method '{name}'; {nearest(name, [*METHODS, *classical_names()])}")
    else:
        Method.from_config(method).check()


def check_experiment(config: Config) -> None:
    """Refuse an experiment whose method or sampler cannot work, before any data is read."""
    check_method(config.method)
    build("sampler", config.training.sampler, targets=ONE_ROW)


def method_summaries() -> dict[str, str]:
    """name -> what it is, for every method that people can type."""
    neural = {name: method.summary() for name, method in METHODS.items()}
    classical = {name.replace("_", "-"): first_line(cls) for name, cls in choices("classical").items()}
    return neural | classical
