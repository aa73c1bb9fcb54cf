"""What a method cannot make sense of in some data, said before it is trained; and a training that came to nothing, said after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..components import split_config
from ..data import MultiLabelData
from ..errors import DataError
from ..labels import LabelSpace
from ..learners import learner_of
from ..predictions import Prediction

VALUES = 3  # numbers from which on labels may be values on a scale


def check_rows(method: Mapping[str, Any], data: MultiLabelData, space: LabelSpace) -> None:
    """Refuse label sets for a method that learns one label distribution a row.

    Raises:
        DataError: saying how many rows carry several labels or none, and what is meant then.
    """
    if data.degrees == "distribution" or learner_of(method).takes_label_sets(space):
        return
    for split in ("train", "validation"):
        sizes = _sizes(data, split, space)
        other = sizes[sizes != 1]
        if len(other):
            what = "several labels" if other.all() else "no label" if not other.any() else "several labels or none"
            name = method.get("name", "br")
            raise DataError(
                f"{data.name}: {len(other):,} of {len(sizes):,} {split} rows carry {what}, but '{name}' learns one label "
                "distribution a row; if a row's labels are votes of several annotators, say distribution='votes'; for label sets use "
                "a method of label sets, such as br"
            )


def labels_are(data: MultiLabelData, space: LabelSpace) -> str:
    """What labels seem to be besides names, by the training rows.

    Returns:
        "distribution" where rows say so; "values" where they are numbers, one a row, and "votes", several a row; else "".
    """
    if data.degrees == "distribution":
        return "distribution"
    named = not data.options or isinstance(data.options.get("labels"), str)  # names of labels, not numbers of columns in a sparse file
    if not named or len(space) < VALUES or space.positions is None:
        return ""
    return "values" if _sizes(data, "train", space).max(initial=0) <= 1 else "votes"


def doubts_of_method(method: Mapping[str, Any], data: MultiLabelData, space: LabelSpace) -> list[str]:
    """What a method leaves unused: of labels that are numbers or distributions, and of weights that others have trained.

    Args:
        method: its configuration.
        data: what it is to be trained on.
        space: the labels.
    """
    return [*_of_encoder(method), *([] if learner_of(method).predicts_degrees else _of_labels(method, data, space))]


def _of_encoder(method: Mapping[str, Any]) -> list[str]:
    if method.get("encoder") is None:
        return []
    name, arguments = split_config("encoder", method["encoder"])
    if name != "timm" or arguments.get("pretrained"):
        return []
    return [
        "the network of encoder 'timm' starts from random weights; method.encoder.pretrained=true downloads trained ones, a path reads some"
    ]


def _of_labels(method: Mapping[str, Any], data: MultiLabelData, space: LabelSpace) -> list[str]:
    name = method.get("name", "br")
    found = {
        "distribution": f"rows are label distributions, and '{name}' learns the largest label of each alone; method ldl learns them whole",
        "values": f"labels are numbers, one a row: if they are values, such as ages, '{name}' knows not which are near; method dldl does",
        "votes": "labels are numbers, several a row: if they are votes of several annotators, say distribution='votes' and use method ldl, "
        f"which learns how many voted for what; '{name}' learns which were named at all",
    }.get(labels_are(data, space))
    return [found] if found else []


def nothing_chosen(prediction: Prediction, split: str) -> str | None:
    """A word on a prediction that chooses no label for any row; None where it chooses some."""
    chosen = prediction.chosen
    if chosen.nnz if hasattr(chosen, "nnz") else chosen.any():
        return None
    return (
        f"no label was chosen for any of {len(prediction):,} {split} rows, so measures of label sets say nothing; train longer, or read "
        "the run by another decision with `multihot decode`"
    )


def _sizes(data: MultiLabelData, split: str, space: LabelSpace) -> np.ndarray:
    """How many labels each row of a split carries that somebody annotated."""
    if split not in data.splits:
        return np.zeros(0, dtype=np.int64)
    targets, unknown = data.targets(split, space)
    sizes = np.diff(targets.indptr)
    return sizes if unknown is None else sizes[np.diff(unknown.indptr) < len(space)]
