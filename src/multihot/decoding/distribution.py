"""Read a scorer's logits as a distribution over the labels, and choose the one label that stands for it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor

from ..errors import ConfigurationError
from ..interfaces import Decoding, Loss, Model
from ..labels import LabelSpace
from ..metrics.axis_values import READINGS
from ..predictions import Prediction, ScoreKind
from ..types import Batch
from .threshold import keep_best


class DistributionDecoding(Decoding):
    """The softmax of the logits as a label distribution; the label at, or nearest to, its expectation, median or mode is chosen.

    Source: Gao et al. 2017.

    Scores are the logarithms of the degrees. On an axis, ``Prediction.values`` is the reading itself, which may lie between labels.

    Args:
        label_space: the labels; their names say where they lie on an axis.
        read: "mode", "expectation" or "median"; the last two need labels that are numbers, and the median one axis. None is the expectation
            where labels lie on an axis, else the mode.
        loss: a loss with a method ``degrees(logits) -> (B, L)`` is asked for the distribution in place of the softmax.

    Raises:
        ConfigurationError: for another reading, or one that the labels do not allow.

    >>> DistributionDecoding(LabelSpace(["20", "30"])).read, DistributionDecoding(LabelSpace(["calm", "glad"])).read
    ('expectation', 'mode')
    """

    needs = frozenset({"scorer"})
    predicts_degrees = True

    def __init__(self, label_space: LabelSpace, read: str | None = None, loss: Loss | None = None):
        self.label_space = label_space
        self.axis = label_space.positions
        self.read = read or ("mode" if self.axis is None else "expectation")
        self.loss = loss
        if self.read not in READINGS:
            raise ConfigurationError(f"distribution: read must be one of {', '.join(READINGS)}, got {read!r}")
        if self.axis is None and self.read != "mode":
            name = next(name for name in label_space.names if LabelSpace([name]).positions is None)
            raise ConfigurationError(f"distribution: read: {self.read} needs labels that are numbers, but one is '{name}'; use read: mode")
        if self.axis is not None and self.axis.shape[1] > 1 and self.read == "median":
            raise ConfigurationError("distribution: read: median needs labels on one axis, but they lie on two; use read: expectation")

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        logarithms = self._log_degrees(model.score(batch))
        degrees = logarithms.exp().cpu().numpy()
        values = None if self.axis is None else READINGS[self.read](degrees, self.axis)
        columns = degrees.argmax(axis=1) if values is None or self.read == "mode" else self._nearest(values)
        chosen = sparse.csr_matrix((np.ones(len(columns), dtype=bool), (np.arange(len(columns)), columns)), shape=degrees.shape)
        scores = keep_best(logarithms.float())
        return Prediction(
            list(batch.ids),
            scores,
            chosen if sparse.issparse(scores) else chosen.toarray(),
            degrees=degrees.astype(np.float32),
            values=values,
        )

    @property
    def score_kind(self) -> ScoreKind:
        return "log_probabilities"

    @property
    def rule(self) -> str:
        chosen = "with the largest degree" if self.read == "mode" else f"nearest to the {self.read} of the predicted distribution"
        return f"The label {chosen} is chosen; there is no threshold."

    def _log_degrees(self, logits: Float[Tensor, "B E"]) -> Float[Tensor, "B L"]:
        """In 64 bits, so that rows sum to one whatever precision the model computed in."""
        wide = logits.to("cpu" if logits.device.type == "mps" else logits.device).double()
        of_loss = getattr(self.loss, "degrees", None)
        return wide.log_softmax(dim=1) if of_loss is None else of_loss(wide).log()

    def _nearest(self, values: Float[np.ndarray, "N d"]) -> np.ndarray:
        """The column of the label nearest to each value, the first of ties."""
        assert self.axis is not None, "a value comes from an axis"
        return ((values[:, None, :] - self.axis) ** 2).sum(axis=2).argmin(axis=1)
