"""Where a decoder looked while it emitted each label of a sequence, whichever decoding found that sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..interfaces import Model
from ..types import Batch


@torch.no_grad()
def attended(model: Model, batch: Batch, sequences: Sequence[Sequence[int]]) -> list[np.ndarray] | None:
    """Attention weights ``alpha_tj`` (Tsai 2019, eq. 4.3) of every emitted label over the states, by feeding the decoder again.

    Args:
        model: with a decoder that keeps ``attention`` (B, S) in its state.
        batch: B instances.
        sequences: B lists of columns, in the order in which they were emitted.

    Returns:
        B arrays (labels of the sequence, states of the instance) whose rows sum to 1; None for a decoder that keeps no attention.
    """
    encoding = model.encode(batch)
    state, start = model.decoder.start(encoding), batch.targets.shape[1] + 1
    device = encoding.pooled.device
    fed = torch.nn.utils.rnn.pad_sequence([torch.tensor([start, *said], device=device) for said in sequences], batch_first=True)
    weights = []
    for previous in fed[:, :-1].T:  # nothing is emitted after the last label
        _, state = model.decoder.step(previous, state, encoding)
        if "attention" not in state:
            return None
        weights.append(state["attention"].float())
    lengths = encoding.mask.sum(-1).tolist()
    looked = torch.stack(weights, 1).cpu().numpy() if weights else np.zeros((len(batch), 0, encoding.mask.shape[1]))
    return [looked[row, : len(said), : lengths[row]] for row, said in enumerate(sequences)]
