"""A decoder and a scorer trained together on one encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor

from ..components import build
from ..interfaces import Loss, Model, Objective
from ..labels import LabelSpace, LabelStatistics
from ..types import Batch, Encoding
from .scoring import ScoringObjective


class MultitaskObjective(Objective):
    """``L_decoder + weight * L_scorer``: the encoder is shared, and each helps it see what the other needs (Tsai 2019, eq. 4.17).

    Args:
        loss: of the scorer.
        statistics: label statistics of the training split.
        label_space: the labels' names.
        sequence: the decoder's objective, a name or a mapping with its arguments.
        weight: lambda, at least 0.

    Raises:
        ValueError: for a negative weight.

    >>> from multihot.losses import BinaryCrossEntropyLoss
    >>> objective = MultitaskObjective(BinaryCrossEntropyLoss(), LabelStatistics.from_targets([[1, 0], [1, 1]]))
    >>> sorted(objective.needs)
    ['decoder', 'scorer']
    """

    needs = frozenset({"scorer", "decoder"})
    inner: ClassVar[Mapping[str, str]] = {"sequence": "objective"}

    def __init__(
        self,
        loss: Loss,
        statistics: LabelStatistics,
        label_space: LabelSpace | None = None,
        sequence: str | dict[str, Any] = "optimal_completion",
        weight: float = 1.0,
    ):
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"the 'weight' parameter must be at least 0, got {weight!r}")
        self.scoring = ScoringObjective(loss)
        self.sequence: Objective = build("objective", sequence, statistics=statistics, label_space=label_space)
        self.weight = weight

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        sequence = self.sequence(model, batch, turn, encoding)
        scoring = self.scoring(model, batch, turn, encoding)
        self.report(sequence=sequence, scoring=scoring)
        return sequence + self.weight * scoring
