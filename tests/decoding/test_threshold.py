"""ThresholdDecoding: what it chooses is what its decision says of the loss's scores."""

import numpy as np
import pytest
import torch
from scipy import sparse
from toys import LABELS, ToyEncoder, toy_loader

from multihot.calibration import FixedDecision, GlobalDecision, TopKDecision
from multihot.components import build
from multihot.decoding import ThresholdDecoding
from multihot.decoding.threshold import KEEP, keep_best
from multihot.interfaces import Model
from multihot.losses import ZLPRLoss


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model(ToyEncoder(), build("scorer", "binary_relevance", num_labels=LABELS, width=32)).eval()


def test_it_applies_its_decision_to_the_logits(model):
    batch = next(iter(toy_loader(32)))
    logits = model.score(batch).detach().numpy()
    prediction = ThresholdDecoding(ZLPRLoss(), FixedDecision(0.01))(model, batch)
    np.testing.assert_allclose(prediction.scores, logits, rtol=1e-6)
    assert (prediction.chosen == (logits >= 0.01)).all()
    assert prediction.ids == list(batch.ids)
    top = ThresholdDecoding(ZLPRLoss(), TopKDecision(1))(model, batch)
    assert (top.chosen.argmax(1) == logits.argmax(1)).all()


def test_until_the_decision_is_fitted_the_losses_own_rule_stands_in(model):
    batch = next(iter(toy_loader(32)))
    decoding = ThresholdDecoding(ZLPRLoss(), GlobalDecision())
    before = decoding(model, batch)
    assert (before.chosen == (before.scores > 0)).all()
    fitted = decoding.fit(before, batch.targets.numpy())
    assert (decoding(model, batch).chosen == fitted.chosen).all()
    assert (fitted.chosen == (before.scores >= decoding.decision.threshold)).all()


def test_many_labels_keep_their_best_scores_only():
    scores = torch.randn(3, 2000, generator=torch.Generator().manual_seed(0))
    kept = keep_best(scores)
    assert sparse.issparse(kept)
    for row, values in zip(kept, scores.numpy(), strict=True):
        assert set(row.indices) == set(np.argsort(-values)[:KEEP])
    assert isinstance(keep_best(scores[:, :1000]), np.ndarray)
