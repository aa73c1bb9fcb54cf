"""What a run keeps of a decoder's attention: for some instances, the words and how much each emitted label looked at each of them."""

from __future__ import annotations

import hashlib
from typing import Any

from ..data.batches import make_loader
from ..decoding.attention import attended
from ..predictions import Prediction
from .predictor import PREDICTION_BATCH, NeuralPredictor

INSTANCES = 100  # kept, so that a run stays small; the same ones in every run on the same data
DIGITS = 3


def attention_kept(predictor: NeuralPredictor, rows: Any, prediction: Prediction) -> dict[str, Any]:
    """Words and attention of some instances.

    Args:
        predictor: the trained method.
        rows: a split.
        prediction: the predictor's, for these rows.

    Returns:
        id -> ``words`` and ``weights``, one list of weights over the words for each emitted label; empty where the method emits no labels
        one after another, its decoder keeps no attention, or the encoder's states are no words.
    """
    chosen = sorted(range(len(prediction)), key=lambda row: hashlib.sha256(prediction.ids[row].encode()).digest())[:INSTANCES]
    if prediction.sequences is None or predictor.processor.pieces(rows.select(chosen[:1])) is None:
        return {}
    shown = rows.select(chosen)
    said = {prediction.ids[row]: prediction.sequences[row] for row in chosen}
    pieces = dict(zip(shown["id"], predictor.processor.pieces(shown) or (), strict=True))
    loader = make_loader(predictor.processor.prepare(shown), predictor.processor, predictor.space, batch_size=PREDICTION_BATCH)
    device = next(predictor.model.parameters()).device
    found: dict[str, Any] = {}
    for batch in loader:
        weights = attended(predictor.model, batch.to(device), [said[name] for name in batch.ids])
        if weights is None:
            return {}
        for name, looked in zip(batch.ids, weights, strict=True):
            if looked.shape[1] == len(pieces[name]):  # a state a word
                found[name] = {"words": pieces[name], "weights": looked.round(DIGITS).tolist()}
    return {name: found[name] for name in said if name in found}
