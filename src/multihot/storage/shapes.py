"""What the JSON files of a run folder must hold, so that an altered one is named before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# a shape is a type or several, a list with the shape of its items, a mapping of names to shapes ("name?" may be missing, others may be
# there), or a mapping of ``str`` to the shape of all values
Shape = Any
NUMBER = (int, float)
MEASURES = {str: NUMBER}

MAPPING: Shape = {str: object}
STATISTICS = {"num_labels": int, "sets": [[int]], "multiplicity": [int]}
LABELS: Shape = {
    "names": [str],
    "modality": str,
    "reading": {str: object},
    "statistics": STATISTICS,
    "whole_statistics?": STATISTICS,
}
METRICS: Shape = {
    "validation?": MEASURES,
    "test?": MEASURES,
    "breakdowns": {
        str: {
            "per_label": [
                {
                    "label": str,
                    "training_count": int,
                    **{name: (*NUMBER, type(None)) for name in ("chosen", "precision", "recall", "f1")},
                    str: (*NUMBER, str, type(None)),
                }
            ],
            **{name: {str: {str: (*NUMBER, type(None))}} for name in ("by_frequency", "seen_unseen")},
            "by_set_frequency?": [{str: (*NUMBER, str, type(None))}],
            "label_sets_produced?": {str: (*NUMBER, type(None))},
        }
    },
    "predictions?": {"label_sets?": bool, str: object},
    "cost": {"seconds": NUMBER, str: (*NUMBER, type(None))},
    "data": {"name": str, "rows": {str: int}, "unseen_labels": {str: {str: int}}},
}
ATTENTION: Shape = {str: {"words?": [str], "grid?": [int], "weights": [[NUMBER]], "labels?": [int]}}
FEATURE_MAP: Shape = {"points": {str: [NUMBER]}, "explained": [NUMBER]}


def misfit(content: Any, shape: Shape) -> str:
    """The first place where content has not the shape it must have, in words; nothing if it has it.

    >>> misfit({"names": ["a", 3]}, {"names": [str]})
    'names.1 must be a string, got 3'
    >>> misfit({}, {"names": [str]}), misfit({"more": 1}, {"names?": [str]})
    ('names is missing', '')
    """
    return next(_misfits(content, shape, ""), "")


def _misfits(content: Any, shape: Shape, where: str) -> Iterator[str]:
    if isinstance(shape, list):
        if not isinstance(content, list):
            yield _wrong(where, "a list", content)
            return
        for number, item in enumerate(content):
            yield from _misfits(item, shape[0], f"{where}.{number}")
    elif isinstance(shape, Mapping):
        if not isinstance(content, Mapping):
            yield _wrong(where, "an object", content)
            return
        yield from (f"{_name(f'{where}.{key}')} is missing" for key in _needed(shape) if key not in content)
        for key, value in content.items():
            inner = shape.get(key, shape.get(f"{key}?", shape.get(str, object)))
            yield from _misfits(value, inner, f"{where}.{key}")
    else:
        kinds = shape if isinstance(shape, tuple) else (shape,)
        if not isinstance(content, kinds) or (isinstance(content, bool) and object not in kinds and bool not in kinds):
            yield _wrong(where, " or ".join(dict.fromkeys(NAMES.get(kind, kind.__name__) for kind in kinds)), content)


NAMES = {str: "a string", int: "a number", float: "a number", type(None): "null"}


def _needed(shape: Mapping[Any, Shape]) -> list[str]:
    return [key for key in shape if isinstance(key, str) and not key.endswith("?")]


def _wrong(where: str, wanted: str, content: Any) -> str:
    got = content if content is None or isinstance(content, (str, int, float)) else type(content).__name__
    return f"{_name(where)} must be {wanted}, got {str(got)[:80]}"


def _name(where: str) -> str:
    return where.removeprefix(".") or "the content"
