"""DistributionDecoding: degrees are the softmax or what the loss says, and the chosen label is the one at, or nearest to, the reading."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import softmax
from torch import nn

from multihot.decoding import DistributionDecoding
from multihot.errors import ConfigurationError
from multihot.interfaces import Loss, Model
from multihot.labels import LabelSpace
from multihot.losses import OrdinalLoss
from multihot.predictions import Prediction, TrueDegrees, load_prediction, load_truth, save_prediction
from multihot.types import Batch, Encoding

AGES = LabelSpace(["20", "30", "40", "60"])


class Given(nn.Module):
    """The inputs are the logits."""

    def forward(self, inputs):
        return Encoding(inputs["logits"][:, None], torch.ones(len(inputs["logits"]), 1, dtype=torch.bool), inputs["logits"])


class Pooled(nn.Module):
    def forward(self, encoding):
        return encoding.pooled


def decode(logits, space=AGES, **options) -> Prediction:
    logits = torch.as_tensor(logits, dtype=torch.float32)
    batch = Batch(
        {"logits": logits}, torch.zeros_like(logits), torch.ones_like(logits, dtype=torch.bool), [f"n{i}" for i in range(len(logits))]
    )
    return DistributionDecoding(space, **options)(Model(Given(), Pooled()), batch)


def test_degrees_are_the_softmax_and_scores_their_logarithms():
    logits = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * 5
    found = decode(logits)
    np.testing.assert_allclose(found.degrees, softmax(logits.numpy().astype(np.float64), axis=1), rtol=1e-5)
    np.testing.assert_allclose(np.exp(found.scores), found.degrees, rtol=1e-5)
    assert found.ids == [f"n{i}" for i in range(50)]
    assert found.degrees.dtype == np.float32


@pytest.mark.parametrize(("read", "value", "label"), [("expectation", 37.0, 2), ("median", 30.0, 1), ("mode", 60.0, 3)])
def test_each_reading_and_the_label_nearest_to_it(read, value, label):
    found = decode(np.log([[0.35, 0.17, 0.03, 0.45]]) if read == "mode" else np.log([[0.3, 0.3, 0.1, 0.3]]), read=read)
    assert found.values.tolist() == [[pytest.approx(value)]]
    assert found.chosen.tolist() == [[i == label for i in range(4)]]


def test_on_two_axes_the_nearest_label_is_that_of_the_shortest_way():
    space = LabelSpace(["-15,0", "-15,30", "15,0", "15,30"])
    found = decode(np.log([[0.1, 0.2, 0.2, 0.5]]), space)
    assert found.values.tolist() == [[pytest.approx(6.0), pytest.approx(21.0)]]
    assert found.chosen.tolist() == [[False, False, False, True]]


def test_without_an_axis_the_mode_is_chosen_and_there_is_no_value():
    found = decode([[0.0, 3.0, 3.0]], LabelSpace(["calm", "glad", "sad"]))
    assert found.values is None
    assert found.chosen.tolist() == [[False, True, False]]


def test_a_loss_with_degrees_of_its_own_is_asked():
    class Squares(Loss):
        def forward(self, logits, targets, known=None):
            return logits.sum(1)

        def degrees(self, logits):
            return logits**2 / (logits**2).sum(1, keepdim=True)

    found = decode([[1.0, 2.0, 2.0, 4.0]], loss=Squares())
    np.testing.assert_allclose(found.degrees, [[0.04, 0.16, 0.16, 0.64]], rtol=1e-6)
    np.testing.assert_allclose(decode([[1.0, 2.0, 2.0, 4.0]], loss=OrdinalLoss(AGES)).degrees.sum(), 1, rtol=1e-6)


def test_many_labels_keep_their_degrees_and_their_best_scores():
    space = LabelSpace(map(str, range(1200)))
    found = decode(torch.randn(3, 1200, generator=torch.Generator().manual_seed(0)), space)
    assert sparse.issparse(found.scores)
    assert sparse.issparse(found.chosen)
    assert found.degrees.shape == (3, 1200)
    assert found.chosen.sum() == 3


@pytest.mark.parametrize(
    ("space", "read", "message"),
    [
        (AGES, "mean", "read must be one of expectation, median, mode, got 'mean'"),
        (LabelSpace(["20", "old"]), "expectation", "read: expectation needs labels that are numbers, but one is 'old'; use read: mode"),
        (LabelSpace(["0,1", "1,1"]), "median", "read: median needs labels on one axis, but they lie on two; use read: expectation"),
    ],
)
def test_readings_that_cannot_be_are_refused(space, read, message):
    with pytest.raises(ConfigurationError) as error:
        DistributionDecoding(space, read=read)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("space", [AGES, LabelSpace(["0,0", "0,5", "5,0", "5,5"]), LabelSpace("abcd")])
def test_degrees_survive_batches_orders_and_files(tmp_path, space):
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    whole = decode(logits, space)
    parts = [decode(logits[:2], space), decode(logits[2:], space)]
    parts[1].ids = [f"n{i}" for i in range(2, 6)]
    joined = Prediction.concatenate(parts[::-1]).reorder(whole.ids)
    truth = TrueDegrees(sparse.csr_matrix(np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 3, 3]]), space.positions)
    if space.positions is not None:
        truth.values, truth.spreads = space.positions[[0, 1, 2, 3, 3, 3]], np.array([1, 2, 3, 4, 5, np.nan])
    soft = TrueDegrees(sparse.csr_matrix(softmax(logits.numpy(), axis=1)), space.positions)
    for name, kept in (("hard", truth), ("soft", soft)):
        save_prediction(tmp_path / name, joined, truth.degrees, truth=kept)
        read, targets = load_prediction(tmp_path / name)
        np.testing.assert_array_equal(read.degrees, whole.degrees)
        assert (read.values is None) == (space.positions is None)
        assert (read.chosen == whole.chosen).all()
        assert whole.values is None or (read.values == whole.values).all()
        assert (targets.toarray() == truth.degrees.toarray().astype(bool)).all()
        again = load_truth(tmp_path / name, space.positions)
        np.testing.assert_allclose(again.degrees.toarray(), kept.degrees.toarray(), rtol=1e-6)
        for ours, theirs in ((again.values, kept.values), (again.spreads, kept.spreads)):
            assert (ours is None) == (theirs is None)
            np.testing.assert_array_equal([] if ours is None else ours, [] if theirs is None else theirs)


def test_a_prediction_without_degrees_keeps_none(tmp_path):
    save_prediction(tmp_path / "plain", Prediction(["a"], np.zeros((1, 2), dtype=np.float32), np.ones((1, 2), dtype=bool)))
    read, _ = load_prediction(tmp_path / "plain")
    assert read.degrees is None
    assert read.values is None
    assert load_truth(tmp_path / "plain") is None
