"""Greedy decoding: at each step the symbol that is likeliest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F

from ..constraints import Constraints
from ..interfaces import Decoding, Model
from ..labels import LabelSpace
from ..predictions import Prediction, ScoreKind
from ..types import Batch
from .sequences import sequence_prediction


class GreedyDecoding(Decoding):
    """``y_t = argmax_a p(a | y_<t, x)`` until stop; labels emitted before are masked (Tsai 2019, eqs. 4.8-4.9).

    A label's score is the highest probability that any step gave it.

    Args:
        label_space: the labels.
        constraints: arguments of ``Constraints``, such as ``{"at_most": 3}``.
        decoder: "first" or "second", of a pair of decoders; None is the second, or the only one there is.

    >>> GreedyDecoding(LabelSpace(["a", "b"])).needs
    frozenset({'decoder'})
    """

    needs = frozenset({"decoder"})

    def __init__(self, label_space: LabelSpace, constraints: Mapping[str, Any] | None = None, decoder: str | None = None):
        self.decoder = decoder
        self.num_labels = len(label_space)
        self.constraints = Constraints.from_config(label_space, constraints)

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        model = model.read_by(self.decoder)
        encoding = model.encode(batch)
        rows, stop = len(encoding.pooled), self.num_labels
        state = model.decoder.start(encoding)
        previous = torch.full((rows,), stop + 1, device=encoding.pooled.device)
        said = torch.zeros(rows, self.num_labels, dtype=torch.bool, device=previous.device)
        scores = torch.zeros(said.shape, device=previous.device)
        running, symbols = torch.ones_like(previous, dtype=torch.bool), []
        while running.any():
            logits, state = model.decoder.step(previous, state, encoding)
            shut = F.pad(said, (0, 1))
            probabilities = torch.softmax(logits.float().masked_fill(shut, -torch.inf), dim=-1)
            if self.constraints is not None:
                shut = shut | ~self.constraints.open(said)
            scores = torch.where(running[:, None], torch.maximum(scores, probabilities[:, :-1]), scores)
            previous = torch.where(running, probabilities.masked_fill(shut, -1).argmax(-1), stop)
            symbols.append(previous)
            said = said | F.one_hot(previous, stop + 1)[:, :-1].bool()
            running = running & (previous != stop)
        return sequence_prediction(batch.ids, torch.stack(symbols, 1), scores, said)

    @property
    def score_kind(self) -> ScoreKind:
        return "probabilities"

    @property
    def rule(self) -> str:
        return "Labels are emitted one after another, each time the likeliest, until the decoder stops; there is no threshold."
