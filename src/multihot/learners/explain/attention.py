"""What a run keeps of where a model looked: words or parts of pictures, for some instances and each of their labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from ...data.batches import make_loader
from ...decoding.attention import attended
from ...predictions import Prediction
from ...types import Batch
from ..neural_predictor import PREDICTION_BATCH, NeuralPredictor
from .previews import chosen_by_name
from .saliency import saliency_maps

INSTANCES = 100  # texts kept, so that a run stays small; the same ones in every run on the same data
PICTURES = 24  # pictures kept: a map costs a pass back through the network
LABELS = 4  # of a picture, the best scored of its chosen labels
DIGITS = 3


def attention_kept(predictor: NeuralPredictor, rows: Any, prediction: Prediction) -> dict[str, Any]:
    """Where the model looked for each label of some instances.

    Texts, of a decoder with attention: its weights over the words. Pictures: a decoder's weights over the positions of the feature map;
    of a scorer, what its chosen labels' scores hang on (see ``saliency_maps``).

    Args:
        predictor: the trained method.
        rows: a split.
        prediction: the predictor's, for these rows.

    Returns:
        id -> ``words``, or ``grid``, the rows and columns of a picture's parts; ``weights``, one list over words or parts for each label;
        and ``labels``, their columns, where they are not those emitted, in that order. Empty where a model keeps no attention, or its
        states are neither words nor a map of the picture.
    """
    pictures = predictor.processor.modality == "image"
    if prediction.sequences is None:
        return _salient(predictor, rows, prediction) if pictures and predictor.model.scorer is not None else {}
    shown, numbers = _some(rows, prediction, PICTURES if pictures else INSTANCES)
    pieces = predictor.processor.pieces(shown)
    if pieces is None and not pictures:
        return {}
    shape = predictor.processor.provides()["image_shape"][1:] if pictures else None
    said = {prediction.ids[row]: prediction.sequences[row] for row in numbers}
    words = dict(zip(shown["id"], pieces, strict=True)) if pieces is not None else {}
    found: dict[str, Any] = {}
    for batch in _batches(predictor, shown):
        weights = attended(predictor.model.read_by(predictor.decoding.decoder), batch, [said[name] for name in batch.ids])
        if weights is None:
            return {}
        for name, looked in zip(batch.ids, weights, strict=True):
            place = _place(words.get(name), shape, looked.shape[1])
            if place:
                found[name] = place | {"weights": looked.round(DIGITS).tolist()}
    return {name: found[name] for name in said if name in found}


def _salient(predictor: NeuralPredictor, rows: Any, prediction: Prediction) -> dict[str, Any]:
    shown, numbers = _some(rows, prediction, PICTURES)
    asked = {prediction.ids[row]: _best_chosen(prediction, row) for row in numbers}
    found: dict[str, Any] = {}
    for batch in _batches(predictor, shown):
        for name, maps in zip(batch.ids, saliency_maps(predictor.model, batch, [asked[name] for name in batch.ids]), strict=True):
            if len(maps):
                weights = maps.reshape(len(maps), -1).round(DIGITS + 1).tolist()
                found[name] = {"grid": list(maps.shape[1:]), "labels": asked[name], "weights": weights}
    return {name: found[name] for name in asked if name in found}


def _some(rows: Any, prediction: Prediction, count: int) -> tuple[Any, list[int]]:
    """The rows of some instances, and their numbers."""
    numbers = chosen_by_name(prediction.ids, count)
    return rows.select(numbers), numbers


def _batches(predictor: NeuralPredictor, shown: Any) -> list[Batch]:
    size = PICTURES // 3 if predictor.processor.modality == "image" else PREDICTION_BATCH  # what goes back through a network needs room
    loader = make_loader(predictor.processor.prepare(shown), predictor.processor, predictor.space, batch_size=size)
    device = next(predictor.model.parameters()).device
    return [batch.to(device) for batch in loader]


def _best_chosen(prediction: Prediction, row: int) -> list[int]:
    """The columns of the chosen labels with the best scores."""
    chosen, scores = (sparse.csr_matrix(part[[row]]).toarray().ravel() for part in (prediction.chosen, prediction.scores))
    columns = np.flatnonzero(chosen)
    return columns[np.argsort(-scores[columns], kind="stable")][:LABELS].tolist()


def _place(words: list[str] | None, shape: Sequence[int] | None, states: int) -> dict[str, Any]:
    """What the states stand for, words or parts of pictures of a height and width; empty where that cannot be said."""
    if words is not None:
        return {"words": words} if len(words) == states else {}
    grid = None if shape is None else grid_of(states, *shape)
    return {} if grid is None else {"grid": list(grid)}


def grid_of(states: int, height: int, width: int) -> tuple[int, int] | None:
    """Rows and columns of a feature map over a picture: its cells are squares of pixels, the last ones cut off or filled up.

    Args:
        states: rows times columns.
        height: of the picture, in pixels.
        width: of the picture, in pixels.

    Returns:
        (rows, columns), as near to the picture's shape as can be; None for a single state, or where no such map has so many cells.

    >>> grid_of(36, 48, 48), grid_of(36, 64, 144), grid_of(1, 48, 48), grid_of(37, 48, 48)
    ((6, 6), (4, 9), None, None)
    """

    def fits(rows: int, columns: int) -> bool:
        """Whether one length s of a side gives ``height / s`` rows and ``width / s`` columns, rounded up or down."""
        return height * (columns - 1) < width * (rows + 1) and width * (rows - 1) < height * (columns + 1)

    pairs = [(rows, states // rows) for rows in range(1, states + 1) if states % rows == 0 and fits(rows, states // rows)]
    return min(pairs, key=lambda pair: abs(math.log(pair[0] * width / (pair[1] * height)))) if pairs and states > 1 else None
