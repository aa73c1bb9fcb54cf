"""ThresholdDecoding: what it chooses is what its decision says of the loss's scores."""

import numpy as np
import pytest
import torch
from scipy import sparse
from toys import LABELS, ToyEncoder, toy_loader

from multihot.calibration import FixedDecision, GlobalDecision, TopKDecision
from multihot.components import allowing, build
from multihot.decoding import ThresholdDecoding
from multihot.decoding.threshold import KEEP, keep_best
from multihot.errors import ConfigurationError
from multihot.interfaces import Model
from multihot.losses import ZLPRLoss
from multihot.method import Method
from multihot.predictions import Prediction, load_prediction, save_prediction


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


@pytest.mark.parametrize("name", ["temperature", "platt", "isotonic"])
def test_a_calibration_comes_before_the_decision_and_is_never_applied_twice(model, name):
    batch = next(iter(toy_loader(64)))
    targets = batch.targets.numpy()
    logits = model.score(batch).detach().numpy()
    decoding = ThresholdDecoding(ZLPRLoss(), GlobalDecision(), build("calibration", {"name": name}))
    before = decoding(model, batch)
    assert before.uncalibrated is None
    assert (before.scores == logits).all()
    fitted = decoding.fit(before, targets)
    alone = build("calibration", {"name": name}).fit(logits, targets)
    assert (fitted.scores == alone(logits)).all()
    assert (fitted.uncalibrated == logits).all()
    assert (fitted.chosen == GlobalDecision().fit(alone(logits), targets)(alone(logits))).all()
    again = decoding.fit(decoding(model, batch), targets)  # as at every validation of a training
    assert (again.scores == fitted.scores).all()
    assert (decoding(model, batch).chosen == fitted.chosen).all()


@pytest.mark.parametrize("is_sparse", [False, True])
def test_scores_before_calibration_are_kept_with_the_prediction(tmp_path, is_sparse):
    scores = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    kept = sparse.csr_matrix(np.where(scores > -0.5, scores, 0)) if is_sparse else scores
    first, second = (
        Prediction(ids, 2 * part, part > 0, uncalibrated=part) for ids, part in ((["a", "b", "c"], kept[:3]), (["d", "e", "f"], kept[3:]))
    )
    whole = Prediction.concatenate([first, second]).reorder(list("fedcba"))
    save_prediction(tmp_path / "p.parquet", whole)
    found, _ = load_prediction(tmp_path / "p.parquet")
    dense = (lambda matrix: matrix.toarray()) if is_sparse else np.asarray
    assert (dense(found.uncalibrated) == dense(kept)[::-1]).all()
    assert (dense(found.scores) == 2 * dense(kept)[::-1]).all()
    assert (dense(found.chosen) == (dense(kept)[::-1] > 0)).all()


def test_a_decoding_without_calibration_refuses_one():
    class PlainDecoding(ThresholdDecoding):
        def __init__(self, loss, decision):
            super().__init__(loss, decision)

    path = f"{__name__}.PlainDecoding"
    globals()["PlainDecoding"] = PlainDecoding
    with allowing(__name__), pytest.raises(ConfigurationError, match="reads no calibrated scores"):
        Method(decoding=path, calibration="platt").check()
    assert Method(calibration="platt").check().calibration == "platt"
