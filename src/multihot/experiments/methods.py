"""Every method that people can type, neural and classical, under one roof."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from scipy import sparse

from ..calibration import split_rules
from ..components import build, choices, find, first_line, split_config
from ..data.word_vectors import VectorFile
from ..errors import ConfigurationError, nearest
from ..labels import LabelStatistics
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
        whole = Method.from_config(method).check()
        decoding, _ = split_config("decoding", whole.decoding)
        for kind in ("decision", "calibration"):
            if method.get(kind) is not None and kind not in inspect.signature(find("decoding", decoding)).parameters:
                raise ConfigurationError(f"method.{kind} has no effect: decoding '{decoding}' takes none; leave it out, or set null")


def check_experiment(config: Config) -> None:
    """Refuse an experiment whose method, sampler or readings cannot work, before any data is read."""
    from .readings import readings_of

    check_method(config.method)
    readings_of(config)
    build("sampler", config.training.sampler, targets=ONE_ROW)


def emits_labels(method: Mapping[str, Any]) -> bool:
    """Whether a method has a decoder that emits labels one after another."""
    return not is_classical(method) and Method.from_config(method).decoder is not None


def pin_vectors(method: Mapping[str, Any]) -> dict[str, Any]:
    """The method with the checksum and the size of each file of word vectors that it names, so that a run stays bound to it.

    Raises:
        DataError: if there is no such file, or it is not the one whose checksum the method states.
    """
    return _with_files(method, lambda kind, file: file.pinned())


def vectors_like(method: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The method with the checksums and sizes that another method states for the same files of word vectors."""
    theirs: dict[str, VectorFile] = {}
    _with_files(other, lambda kind, file: theirs.setdefault(kind, file))
    return _with_files(method, lambda kind, file: theirs[kind] if kind in theirs and file.may_be(theirs[kind]) else file)


def _with_files(method: Mapping[str, Any], change: Callable[[str, VectorFile], VectorFile]) -> dict[str, Any]:
    """The method with each file of word vectors that a part names changed."""
    found = dict(method)
    for kind, part in method.items():
        if kind in ("encoder", "scorer") and isinstance(part, Mapping) and part.get("word_vectors") is not None:
            found[kind] = {**part, "word_vectors": change(kind, VectorFile.of(part["word_vectors"])).to_dict()}
    return found


def never_empty(method: Mapping[str, Any], statistics: LabelStatistics) -> dict[str, Any]:
    """The method as ``with_fewest`` has it where every training row carries a label, and as it is elsewhere."""
    return with_fewest(method) if statistics.num_examples and statistics.set_sizes.all() else dict(method)


def with_fewest(method: Mapping[str, Any]) -> dict[str, Any]:
    """The method with ``at_least: 1`` among the rules of its label sets, unless it says another ``at_least``.

    The rules stand in the decision of methods that score labels, and in the constraints of decodings that walk a decoder. Methods that
    choose one label by themselves have neither.
    """
    if is_classical(method):
        from ..classical import decision_of, takes_decisions

        return dict(method) | ({"decision": _with_fewest(decision_of(method))} if takes_decisions(method) else {})
    whole = Method.from_config(method)
    name, arguments = split_config("decoding", whole.decoding)
    taken = inspect.signature(find("decoding", name)).parameters
    if "decision" in taken and whole.decision is not None:
        return dict(method) | {"decision": _with_fewest(whole.decision)}
    if "constraints" in taken:
        constraints = {"at_least": 1} | dict(arguments.get("constraints") or {})
        return dict(method) | {"decoding": {"name": name} | arguments | {"constraints": constraints}}
    return dict(method)


def _with_fewest(decision: Any) -> dict[str, Any]:
    plain, rules = split_rules(decision)
    return plain | {"at_least": 1} | rules


def method_summaries() -> dict[str, str]:
    """name -> what it is, for every method that people can type."""
    neural = {name: method.summary() for name, method in METHODS.items()}
    classical = {name.replace("_", "-"): first_line(cls) for name, cls in choices("classical").items()}
    return neural | classical
