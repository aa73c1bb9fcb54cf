"""Train a scorer with a loss: binary relevance and everything else that scores all labels at once."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from ..interfaces import LabelDistribution, Loss, Model, Objective
from ..types import Batch, Encoding


class ScoringObjective(Objective):
    """Mean over the batch of ``loss(scorer(encoder(x)), y)``.

    Args:
        loss: what compares logits and targets.
        distribution: turns targets into soft targets first; None leaves them as they are.

    >>> from multihot.losses import ZLPRLoss
    >>> ScoringObjective(ZLPRLoss()).needs
    frozenset({'scorer'})
    """

    needs = frozenset({"scorer"})

    def __init__(self, loss: Loss, distribution: LabelDistribution | None = None):
        super().__init__()
        self.loss = loss
        self.distribution = distribution

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        logits = model.score(batch, encoding)
        targets = self.distribution(batch.targets) if self.distribution else batch.targets
        return self.loss(logits, targets, batch.known).mean()
