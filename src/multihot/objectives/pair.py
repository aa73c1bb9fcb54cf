"""Two decoders on one encoder, each with an objective of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor

from ..components import build
from ..interfaces import Model, Objective
from ..labels import LabelSpace, LabelStatistics
from ..types import Batch, Encoding
from .scheduled_sampling import check_share


class PairObjective(Objective):
    """``(1 - weight) L_first + weight L_second``: both decoders of a pair learn at once, and so does the encoder below them.

    With maximum likelihood for the first and policy gradient for the second it is the joint loss of Seq2set,
    ``(1 - lambda) L_MLE + lambda L_RL`` (Yang et al. 2018, arXiv 1809.03118).

    Args:
        statistics: label statistics of the training split.
        label_space: the labels' names.
        first: the first decoder's objective, a name or a mapping with its arguments.
        second: the second decoder's.
        weight: lambda, in [0, 1].

    Raises:
        ValueError: for a weight out of range, or an objective that does not train a decoder alone.

    >>> objective = PairObjective(LabelStatistics.from_targets([[1, 0], [1, 1]]), second="policy_gradient")
    >>> objective.needs == {"decoder", "pair"}
    True
    """

    needs = frozenset({"decoder", "pair"})
    inner: ClassVar[Mapping[str, str]] = {"first": "objective", "second": "objective"}

    def __init__(
        self,
        statistics: LabelStatistics,
        label_space: LabelSpace | None = None,
        first: str | dict[str, Any] = "likelihood",
        second: str | dict[str, Any] = "optimal_completion",
        weight: float = 0.5,
    ):
        super().__init__()
        self.first: Objective = build("objective", first, statistics=statistics, label_space=label_space)
        self.second: Objective = build("objective", second, statistics=statistics, label_space=label_space)
        self.weight = check_share("weight", weight)
        for name, part, given in (("first", self.first, first), ("second", self.second, second)):
            if part.needs != {"decoder"}:
                raise ValueError(f"the '{name}' parameter must be an objective that trains one decoder, such as likelihood, got {given!r}")

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        encoding = encoding if encoding is not None else model.encode(batch)
        first = self.first(model.read_by("first"), batch, turn, encoding)
        second = self.second(model.read_by("second"), batch, turn, encoding)
        self.report(first=first, second=second)
        self.report(**self.first.reported, **self.second.reported)
        return (1 - self.weight) * first + self.weight * second
