"""What a picture's labels hang on: against one gradient at a time, on a score that sees a corner only, and in whole runs."""

import numpy as np
import pytest
import torch
from torch import nn

from multihot.components import build
from multihot.experiments.config import Config
from multihot.experiments.fit import fit
from multihot.experiments.saliency import saliency_maps
from multihot.interfaces import Encoder, Model, Scorer
from multihot.types import Batch, Encoding

SETTINGS = {"epochs": 1, "batch_size": 16, "device": "cpu"}


def pictures(count, side=28):
    image = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0))
    return Batch({"image": image}, torch.zeros(count, 4), torch.ones(count, 4, dtype=torch.bool), [str(i) for i in range(count)])


class Corner(Encoder):
    """Sees the upper left quarter."""

    reads = "image"
    width = 3

    def forward(self, inputs):
        seen = inputs["image"][:, :, :14, :14].mean((2, 3))
        return Encoding(seen[:, None], torch.ones(len(seen), 1, dtype=torch.bool), seen)


class Sums(Scorer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, encoding):
        return self.linear(encoding.pooled)


def test_maps_are_the_gradients_of_one_label_at_a_time():
    torch.manual_seed(0)
    encoder = build("encoder", "image_cnn", image_shape=(3, 28, 28)).eval()
    model = Model(encoder, build("scorer", "binary_relevance", width=encoder.width, num_labels=4))
    batch, asked = pictures(3), [[2, 0], [], [3]]
    found = saliency_maps(model, batch, asked, grid=7)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert [maps.shape for maps in found] == [(2, 7, 7), (0, 7, 7), (1, 7, 7)]
    for row, labels in enumerate(asked):
        for place, label in enumerate(labels):
            image = batch.inputs["image"][row : row + 1].clone().requires_grad_()
            one = Batch({"image": image}, batch.targets[:1], batch.known[:1])
            model.score(one)[0, label].backward()
            steep = image.grad[0].abs().amax(0).numpy()
            cells = steep.reshape(7, 4, 7, 4).mean((1, 3))
            np.testing.assert_allclose(found[row][place], cells / cells.sum(), rtol=1e-3, atol=1e-7)


def test_a_score_that_sees_a_corner_has_its_map_there():
    maps = saliency_maps(Model(Corner(), Sums()), pictures(2), [[1], [0, 3]], grid=4)
    for map_ in np.concatenate(maps):
        assert map_[:2, :2].sum() == pytest.approx(1)
        np.testing.assert_array_equal(map_[2:], 0)


def test_a_frozen_network_has_maps_and_stays_frozen():
    pytest.importorskip("timm", reason="the networks are timm's: multihot[images]")
    encoder = build("encoder", {"name": "timm", "backbone": "test_resnet", "freeze": True}, image_shape=(3, 32, 32))
    model = Model(encoder, build("scorer", "binary_relevance", width=encoder.width, num_labels=4))
    maps = saliency_maps(model, pictures(2, 32), [[0], [1]], grid=4)
    assert all(one.sum() == pytest.approx(1, abs=1e-4) for one in np.concatenate(maps))
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("method", ["br", "ocd"])
def test_runs_on_pictures_keep_where_labels_looked(tmp_path, method):
    config = Config.from_dict(
        {"data": {"source": "digit-scenes", "limit": 64}, "method": {"name": method}, "training": SETTINGS | {"monitor": "loss"}}
    )
    run = fit(config, tmp_path / "run")
    prediction, _ = run.prediction("test")
    assert len(run.attention) <= 24
    if method == "ocd" and not run.attention:
        assert not any(prediction.sequences[:24]), "a decoder that emitted labels looked somewhere"
    for name, kept in run.attention.items():
        row = prediction.ids.index(name)
        rows, columns = kept["grid"]
        labels = kept["labels"] if method == "br" else prediction.sequences[row]
        assert [len(weights) for weights in kept["weights"]] == [rows * columns] * len(labels)
        assert set(labels) <= set(np.flatnonzero(prediction.chosen[row]))
