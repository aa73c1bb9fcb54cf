"""What a run keeps of its encoder's view: the pooled vectors of some instances, drawn onto their two principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from ...data.batches import make_loader
from ..neural_predictor import PREDICTION_BATCH, NeuralPredictor
from .previews import chosen_by_name

INSTANCES = 1000  # kept; the same ones in every run on the same data
DIGITS = 4


@torch.no_grad()
def feature_map(predictor: NeuralPredictor, rows: Any) -> dict[str, Any]:
    """Where the encoder puts some instances, in two dimensions.

    Args:
        predictor: the trained method.
        rows: a split.

    Returns:
        ``points``: id -> two coordinates; ``explained``: the share of the pooled vectors' variance along each.
    """
    ids = list(rows["id"])
    chosen = chosen_by_name(ids, INSTANCES)
    prepared = predictor.processor.prepare(rows.select(chosen))
    model = predictor.model.eval()
    device = next(model.parameters()).device
    found: dict[str, np.ndarray] = {}
    for batch in make_loader(prepared, predictor.processor, predictor.space, batch_size=PREDICTION_BATCH):
        pooled = model.encode(batch.to(device)).pooled.double().cpu().numpy()
        found |= dict(zip(batch.ids, pooled, strict=True))
    names = [ids[row] for row in chosen]
    points, explained = principal_components(np.stack([found[name] for name in names]))
    numbers = [[float(f"{value:.{DIGITS}g}") for value in point] for point in points.tolist()]
    return {"points": dict(zip(names, numbers, strict=True)), "explained": explained.round(DIGITS).tolist()}


def principal_components(vectors: Float[np.ndarray, "N D"]) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " 2"]]:
    """Vectors along the two orthogonal directions in which they vary most, ``(v - mean) u_k``, and each one's share of their variance.

    A direction's sign is the one that makes its largest entry positive, so that the same vectors always give the same drawing; a
    direction that does not exist gives zeros.

    >>> points, explained = principal_components(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]]))
    >>> points.tolist(), explained.tolist()
    ([[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]], [1.0, 0.0])
    """
    centred = vectors - vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    kept = directions[:2] * np.sign(directions[np.arange(len(directions[:2])), np.abs(directions[:2]).argmax(axis=1)])[:, None]
    points, shares = np.zeros((len(vectors), 2)), np.zeros(2)
    points[:, : len(kept)] = centred @ kept.T
    shares[: len(kept)] = sizes[:2] ** 2 / max(float((sizes**2).sum()), np.finfo(np.float64).tiny)
    return points, shares
