"""Beam search, alone and together with a scorer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..constraints import Constraints
from ..interfaces import Decoding, Loss, Model
from ..labels import LabelSpace
from ..predictions import Prediction, ScoreKind
from ..types import Batch, Encoding
from .search import beam_search
from .sequences import hypothesis_prediction


class BeamDecoding(Decoding):
    """The likeliest label sequence that beam search finds: ``P_path(H) = prod_t p(l_t | x, l_1..l_{t-1})`` (Tsai 2019, eq. 4.19).

    A label's score is the logarithm of the highest probability of a hypothesis that has just emitted it.

    Args:
        label_space: the labels.
        width: hypotheses kept, at least 1; 1 is greedy decoding.
        constraints: arguments of ``Constraints``, such as ``{"at_most": 3}``.
        decoder: "first" or "second", of a pair of decoders; None is the second, or the only one there is.

    Raises:
        ValueError: for a width below 1.

    >>> BeamDecoding(LabelSpace(["a", "b"])).width
    6
    """

    needs = frozenset({"decoder"})

    def __init__(self, label_space: LabelSpace, width: int = 6, constraints: Mapping[str, Any] | None = None, decoder: str | None = None):
        self.decoder = decoder
        self.width = check_width(width)
        self.num_labels = len(label_space)
        self.constraints = Constraints.from_config(label_space, constraints)

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        model = model.read_by(self.decoder)
        found = beam_search(model.decoder, model.encode(batch), self.num_labels, self.width, constraints=self.constraints)
        return hypothesis_prediction(batch.ids, found, found.scores)

    @property
    def score_kind(self) -> ScoreKind:
        return "log_probabilities"

    @property
    def rule(self) -> str:
        return f"The labels of the likeliest sequence that beam search of width {self.width} found are chosen; there is no threshold."


class RescoringDecoding(Decoding):
    """Logistic rescoring: of the hypotheses of beam search, the one whose label set the scorer likes best.

    Source: Tsai 2019, section 4.4.2, eq. 4.18.

    ``P_br(H) = prod_{l in H} p_br(l) prod_{l not in H} (1 - p_br(l))``, compared through ``sum_{l in H} log p_br(l) - log(1 - p_br(l))``.
    A label's score is that of beam search.

    Args:
        label_space: the labels.
        loss: of the scorer; its scores must be log-odds, which those of binary cross entropy are.
        width: hypotheses kept, at least 1.
        constraints: arguments of ``Constraints``.
        decoder: "first" or "second", of a pair of decoders; None is the second, or the only one there is.

    Raises:
        ValueError: for a width below 1.

    >>> from multihot.losses import BinaryCrossEntropyLoss
    >>> sorted(RescoringDecoding(LabelSpace(["a", "b"]), BinaryCrossEntropyLoss()).needs)
    ['decoder', 'scorer']
    """

    needs = frozenset({"decoder", "scorer"})
    loss: Loss

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        return "log_odds"

    def __init__(
        self,
        label_space: LabelSpace,
        loss: Loss,
        width: int = 6,
        constraints: Mapping[str, Any] | None = None,
        decoder: str | None = None,
    ):
        self.decoder = decoder
        self.loss = loss
        self.width = check_width(width)
        self.num_labels = len(label_space)
        self.constraints = Constraints.from_config(label_space, constraints)

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        model = model.read_by(self.decoder)
        encoding = model.encode(batch)
        found = beam_search(model.decoder, encoding, self.num_labels, self.width, constraints=self.constraints, whole=True)
        log_odds = scorer_log_odds(model, batch, encoding, self.loss)
        ranking = (found.label_sets() * log_odds[:, None]).sum(-1)
        return hypothesis_prediction(batch.ids, found, ranking)

    @property
    def score_kind(self) -> ScoreKind:
        return "log_probabilities"

    @property
    def rule(self) -> str:
        found = f"Of the sequences that beam search of width {self.width} found"
        return f"{found}, the one whose label set the scorer finds likeliest is chosen; there is no threshold."


class JointDecoding(Decoding):
    """Logistic joint decoding: beam search on the product of both decoders' probabilities, in one pass (Tsai 2019, eqs. 4.20-4.22).

    ``argmax_H prod_t p(l_t | x, l_<t) p_br(l_t) / (1 - p_br(l_t))``, with stop counting as probability 1/2 in the scorer. A label's
    score is the logarithm of the highest product of a hypothesis that has just emitted it.

    Args:
        label_space: the labels.
        loss: of the scorer; its scores must be log-odds, which those of binary cross entropy are.
        width: hypotheses kept, at least 1.
        constraints: arguments of ``Constraints``.
        decoder: "first" or "second", of a pair of decoders; None is the second, or the only one there is.

    Raises:
        ValueError: for a width below 1.

    >>> from multihot.losses import BinaryCrossEntropyLoss
    >>> sorted(JointDecoding(LabelSpace(["a", "b"]), BinaryCrossEntropyLoss()).needs)
    ['decoder', 'scorer']
    """

    needs = frozenset({"decoder", "scorer"})
    loss: Loss

    @classmethod
    def needs_scores(cls, **arguments: Any) -> str:
        return "log_odds"

    def __init__(
        self,
        label_space: LabelSpace,
        loss: Loss,
        width: int = 6,
        constraints: Mapping[str, Any] | None = None,
        decoder: str | None = None,
    ):
        self.decoder = decoder
        self.loss = loss
        self.width = check_width(width)
        self.num_labels = len(label_space)
        self.constraints = Constraints.from_config(label_space, constraints)

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        model = model.read_by(self.decoder)
        encoding = model.encode(batch)
        log_odds = scorer_log_odds(model, batch, encoding, self.loss)
        found = beam_search(model.decoder, encoding, self.num_labels, self.width, log_odds, self.constraints)
        return hypothesis_prediction(batch.ids, found, found.scores)

    @property
    def rule(self) -> str:
        judged = "by decoder and scorer together"
        return f"The labels of the best sequence {judged} that beam search of width {self.width} found are chosen; there is no threshold."


def scorer_log_odds(model: Model, batch: Batch, encoding: Encoding, loss: Loss) -> Float[Tensor, "B L"]:
    """``log p_br(l) - log(1 - p_br(l))`` of every label."""
    return loss.scores(model.score(batch, encoding)).float()


def check_width(width: int) -> int:
    """The width, if it is one."""
    if not isinstance(width, int) or width < 1:
        raise ValueError(f"the 'width' parameter must be a whole number, at least 1, got {width!r}")
    return width
