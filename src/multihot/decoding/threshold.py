"""Score all labels at once and choose those whose score is high enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool
from scipy import sparse

from ..calibration import OwnRuleDecision, fit_in_turn
from ..interfaces import Calibration, Decision, Decoding, Loss, Model
from ..predictions import DENSE_UP_TO, KEEP, Prediction, ScoreKind, Scores
from ..types import Batch


class ThresholdDecoding(Decoding):
    """The scorer's scores, calibrated where a calibration is given, and a decision that turns them into label sets.

    Args:
        loss: the loss that trained the scorer; it knows how to read its logits as scores.
        decision: which scores are high enough (a fixed threshold, one fitted on validation data, one a label, top-k, ...).
        calibration: what makes the scores the logits of probabilities that hold; None leaves them as they are.

    >>> from multihot.calibration import FixedDecision
    >>> from multihot.losses import ZLPRLoss
    >>> ThresholdDecoding(ZLPRLoss(), FixedDecision()).needs
    frozenset({'scorer'})
    """

    needs = frozenset({"scorer"})
    loss: Loss
    decision: Decision

    def __init__(self, loss: Loss, decision: Decision, calibration: Calibration | None = None):
        self.loss = loss
        self.decision = decision
        self.calibration = calibration
        self.own_rule = OwnRuleDecision(loss)

    @torch.no_grad()
    def __call__(self, model: Model, batch: Batch) -> Prediction:
        return self._decide(list(batch.ids), keep_best(self.loss.scores(model.score(batch)).float()))

    def fit(self, prediction: Prediction, targets: Any, known: Any = None, kept: Bool[np.ndarray, " N"] | None = None) -> Prediction:
        own = prediction.scores if prediction.uncalibrated is None else prediction.uncalibrated  # never calibrate what is calibrated
        fit_in_turn(self.calibration, self.decision, own, targets, known, kept)
        return self._decide(prediction.ids, own)

    @property
    def score_kind(self) -> ScoreKind:
        return "log_odds" if self.calibration is not None or self.loss.gives_log_odds else "margins"

    def _decide(self, ids: list[str], own: Scores) -> Prediction:
        scores = self.calibration(own) if self.calibration is not None and self.calibration.fitted else own
        decision = self.decision if self.decision.fitted else self.own_rule  # stands in until validation data has been seen
        chosen = decision(scores)
        return Prediction(ids, scores, chosen, uncalibrated=None if scores is own else own)


def keep_best(scores: torch.Tensor) -> np.ndarray | sparse.csr_matrix:
    """(B, L) scores as they are where labels are few; where they are many, the best 100 of each row, as a sparse matrix."""
    rows, num_labels = scores.shape
    if num_labels <= DENSE_UP_TO:
        return scores.cpu().numpy()
    values, columns = scores.topk(KEEP, dim=1)
    ends = np.arange(0, rows * KEEP + 1, KEEP)
    return sparse.csr_matrix((values.cpu().numpy().ravel(), columns.cpu().numpy().ravel(), ends), shape=(rows, num_labels))
