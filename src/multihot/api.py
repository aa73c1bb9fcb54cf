"""The Python front door: ``multihot.fit`` and ``multihot.load``."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .components import allowing, dotted_paths
from .data import MultiLabelData
from .data.in_memory import from_rows
from .errors import ConfigurationError
from .experiments import Config, Run
from .experiments.config import override


def fit(
    source: str | Path | Mapping[str, str] | Sequence[str] | MultiLabelData,
    labels: str | Iterable[Iterable[str]] | None = None,
    *,
    out: str | Path,
    method: str | Mapping[str, Any] = "br",
    text: str | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    allow: Sequence[str] = (),
    say: Callable[[str], None] | None = None,
) -> Run:
    """Train a method, choose its decisions on validation data, measure it on test data.

    Args:
        source: a file, a folder, a named data set, files by split, ``MultiLabelData``, or N texts.
        labels: the column with the labels; with texts given as a list, their N label sets.
        out: the run folder to make.
        method: a method's name ("br", "linear-svm", ...) or its parts.
        text: the column with the text.
        settings: more settings by dotted key, such as ``{"training.epochs": 5, "method.loss": "zlpr"}``.
        seed: of initial weights, order of batches and sampling; the splits have ``data.split_seed``.
        overwrite: replace a run that is there.
        allow: packages and modules outside multihot whose classes the method may name, such as ``["my_package"]``; what ``method`` and
            ``settings`` name is allowed by being named here.
        say: told in short lines what was assumed and what happens, such as ``print``; None keeps silent. What makes figures doubtful comes
            as a ``multihot.errors.MultihotWarning``, whatever ``say`` is.

    Returns:
        The finished run, with ``run.metrics``, ``run.predict(...)`` and ``run.evaluate(...)``.

    Raises:
        MultihotError: in one line, what is wrong and how to mend it.

    Example:
        ``run = multihot.fit("train.csv", text="body", labels="tags", out="runs/first")``
    """
    from .experiments.fit import fit as fit_config

    _check_place(out, "out")
    if settings is not None and not (isinstance(settings, Mapping) and all(isinstance(key, str) for key in settings)):
        raise ConfigurationError(f"settings must map dotted keys to values, got {reprlib.repr(settings)}; such as {{'training.epochs': 5}}")
    content: dict[str, Any] = {"method": dict(method) if isinstance(method, Mapping) else method, "seed": seed, "data": {}}
    data = None
    if isinstance(source, MultiLabelData):
        data = source
    elif isinstance(source, (str, Path)):
        content["data"] = {"source": str(source), "text": text, "labels": labels}
    elif isinstance(source, Mapping):
        for split, path in source.items():
            _check_place(path, f"the file of split {split!r}")
        content["data"] = {"source": {split: str(path) for split, path in source.items()}, "text": text, "labels": labels}
    else:
        data = _from_texts(source, labels)
    for key, value in (settings or {}).items():
        content = _set(content, key, value)
    with allowing(*_names(allow), *dotted_paths([method, settings or {}])):
        return fit_config(Config.from_dict(content), out, data, overwrite=overwrite, say=say or _silent)


def load(folder: str | Path, *, allow: Sequence[str] = ()) -> Run:
    """Open a finished run.

    Args:
        folder: the run folder.
        allow: packages and modules outside multihot whose classes the run may name, such as ``["my_package"]``; a run that names others
            does not predict, and nothing that it names is imported.

    Returns:
        The run, with ``run.metrics``, ``run.labels``, ``run.predict(...)`` and ``run.evaluate(...)``.

    Raises:
        RunError: if there is no finished run in the folder.

    Example:
        ``multihot.load("runs/first").predict(["wheat prices rose"])``
    """
    _check_place(folder, "the run folder")
    with allowing(*_names(allow)):
        return Run(folder)


def _silent(line: str) -> None:
    """What happens is nobody's concern."""


def _names(allow: Sequence[str]) -> Sequence[str]:
    if not isinstance(allow, Iterable):
        raise ConfigurationError(f"allow must be a list of packages, got {reprlib.repr(allow)}; such as ['my_package']")
    return [allow] if isinstance(allow, str) else allow


def _check_place(place: object, what: str) -> None:
    if not isinstance(place, (str, Path)):
        raise ConfigurationError(f"{what} must be a path, got {type(place).__name__}; give a string or a pathlib.Path")


def _from_texts(texts: Any, labels: Any) -> MultiLabelData:
    """The data of N texts and their N label sets; whatever else was given is refused, saying how to give it."""
    if hasattr(texts, "columns") or not isinstance(texts, Iterable):
        raise ConfigurationError(
            f"the source is {type(texts).__name__}; give a file, a folder, the name of a data set, a list of texts with "
            "labels=[['a', 'b'], [], ...], or multihot.data.in_memory.from_rows([{'features': [...], 'labels': [...]}, ...])"
        )
    texts = list(texts)
    for number, given in enumerate(texts, 1):
        if not isinstance(given, str):
            raise ConfigurationError(
                f"text {number} is {type(given).__name__}, not a string; rows of numbers, pictures or mappings go through "
                "multihot.data.in_memory.from_rows([{'features': [...], 'labels': [...]}, ...])"
            )
    if not isinstance(labels, Iterable) or isinstance(labels, (str, bytes, Mapping)) or hasattr(labels, "columns"):
        raise ConfigurationError("texts given as a list need their label sets: multihot.fit(texts, labels=[['a', 'b'], [], ...], out=...)")
    sets = [_label_set(row, number) for number, row in enumerate(labels, 1)]
    if len(sets) != len(texts):
        raise ConfigurationError(f"{len(texts)} texts, but {len(sets)} label sets; give one label set a text")
    return from_rows([{"id": str(i), "text": t, "labels": row} for i, (t, row) in enumerate(zip(texts, sets, strict=True))])


def _label_set(row: Any, number: int) -> list[str]:
    """The names of one label set."""
    if isinstance(row, (str, bytes, Mapping)) or not isinstance(row, Iterable) or getattr(row, "ndim", 1) != 1:
        raise ConfigurationError(
            f"label set {number} is {type(row).__name__} {reprlib.repr(row)}; give a list of names, such as ['a', 'b']"
        )
    names = list(row)
    for name in names:
        if not isinstance(name, str):
            raise ConfigurationError(
                f"label set {number} holds {reprlib.repr(name)}, not a label's name; of a 0/1 matrix, give the names: "
                "multihot.labels.LabelSpace(names).decode(matrix)"
            )
    return names


def _set(content: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    marked = override(content, [f"{key}=null"])  # makes the place, then the value goes in as it is
    place = marked
    *path, last = key.split(".")
    for step in path:
        place = place[step]
    place[last] = value
    return marked
