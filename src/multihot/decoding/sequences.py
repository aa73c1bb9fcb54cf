"""From emitted symbols to a prediction."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from torch import Tensor

from ..predictions import DENSE_UP_TO, Prediction
from .search import Hypotheses
from .threshold import keep_best


def sequence_prediction(
    ids: Sequence[str], symbols: Int[Tensor, "B T"], scores: Float[Tensor, "B L"], chosen: Bool[Tensor, "B L"]
) -> Prediction:
    """The prediction of a batch, with the labels in the order in which they were emitted."""
    stop = chosen.shape[1]
    sequences = [[symbol for symbol in row if symbol < stop] for row in symbols.tolist()]
    kept = chosen.cpu().numpy()
    return Prediction(list(ids), keep_best(scores), sparse.csr_matrix(kept) if stop > DENSE_UP_TO else kept, sequences)


def hypothesis_prediction(ids: Sequence[str], found: Hypotheses, ranking: Float[Tensor, "B K"]) -> Prediction:
    """The best hypothesis by a ranking."""
    best = ranking.masked_fill(found.scores == -torch.inf, -torch.inf).argmax(-1)
    rows = torch.arange(len(best), device=best.device)
    return sequence_prediction(ids, found.symbols[rows, best], found.reached, found.label_sets()[rows, best])
