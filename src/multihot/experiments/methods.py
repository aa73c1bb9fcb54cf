"""What is checked and pinned of an experiment before any data is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from scipy import sparse

from ..components import build
from ..data.word_vectors import VectorFile
from ..learners import learner_of
from ..method import ENCODER_FOR
from ..metrics.registry import check_monitored
from ..training.settings import AUTO, FAMILY
from .config import Config, flatten

ONE_ROW = sparse.csr_matrix([[True]])


def check_experiment(config: Config) -> None:
    """Refuse an experiment whose method, sampler or readings cannot work, before any data is read."""
    learner = learner_of(config.method)
    learner.check()
    learner.check_readings(config.training)
    check_monitored(config.training.monitor)
    build("sampler", config.training.sampler, targets=ONE_ROW)


def pin_vectors(method: Mapping[str, Any]) -> dict[str, Any]:
    """The method with the checksum and the size of each file of word vectors that it names, so that a run stays bound to it.

    Raises:
        DataError: if there is no such file, or it is not the one whose checksum the method states.
    """
    return _with_files(method, lambda kind, file: file.pinned())


def settled_like(config: Config, other: Config) -> Config:
    """The same experiment with what each setting left open came to in another one, if it could have come to that."""
    learner = learner_of(config.method)
    family = asdict(config.training.for_decoder(learner.emits_labels))
    could: dict[str, tuple[Any, ...]] = {name: AUTO.get(name, (family[name],)) for name in (*AUTO, *FAMILY)}
    found = {name: getattr(other.training, name) for name in could if getattr(config.training, name) in ("auto", None)}
    training = replace(config.training, **{name: value for name, value in found.items() if value in could[name]})
    return replace(config, training=training, method=_method_like(vectors_like(config.method, other.method), other.method))


def _method_like(method: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Of all that a method can come to on some data, what differs least from another one."""
    short = [method, learner_of(method).never_empty()]
    whole = [learner_of(one).spelt_out(modality) for one in short for modality in ENCODER_FOR]
    theirs = set(map(repr, flatten({"method": other}).items()))
    return min([*short, *whole], key=lambda one: len(theirs ^ set(map(repr, flatten({"method": one}).items()))))


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
