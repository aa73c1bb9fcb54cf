"""What a picture's labels hang on: against one gradient at a time, on a score that sees a corner only, and in whole runs."""

import io

import datasets
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from multihot.components import build
from multihot.data import MultiLabelData
from multihot.data.processors import ImageProcessor
from multihot.experiments.config import Config
from multihot.experiments.fit import fit
from multihot.interfaces import Encoder, Model, Scorer
from multihot.learners.explain.attention import grid_of
from multihot.learners.explain.previews import excerpts
from multihot.learners.explain.saliency import saliency_maps
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


@pytest.mark.parametrize("size", [(28, 28), (32, 80), (75, 40), (50, 50), (33, 90)])
@pytest.mark.parametrize("backbone", [None, "test_resnet"])
def test_the_grid_of_a_feature_map_follows_the_shape_of_the_picture(backbone, size):
    """Against the feature map itself, which the encoder flattens row by row."""
    maps = []
    if backbone is None:
        encoder = build("encoder", "image_cnn", image_shape=(3, *size)).eval()
        final = [part for part in encoder.modules() if isinstance(part, nn.MaxPool2d)][-1]
    else:
        pytest.importorskip("timm", reason="the networks are timm's: multihot[images]")
        encoder = build("encoder", {"name": "timm", "backbone": backbone}, image_shape=(3, *size)).eval()
        final = encoder.backbone.layer4
    final.register_forward_hook(lambda module, given, made: maps.append(tuple(made.shape[2:])))
    states = encoder({"image": torch.rand(1, 3, *size)}).states.shape[1]
    ((rows, columns),) = maps
    assert rows * columns == states
    assert grid_of(states, *size) == ((rows, columns) if states > 1 else None)


@pytest.mark.parametrize("augment", [None, "random_crop", "five_positions"])
@pytest.mark.parametrize("size", [(60, 120), (120, 60), (40, 40)])
def test_a_prediction_sees_the_whole_picture_that_a_report_shows(augment, size):
    """Whatever training cut out, each quarter of what the network reads is that quarter of the thumbnail, on which grids lie."""
    if augment:
        pytest.importorskip("torchvision", reason="augmentations are torchvision's: multihot[images]")
    quarters = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(quarters.repeat(size[0] // 2, axis=0).repeat(size[1] // 2, axis=1)).save(file, format="PNG")
    rows = datasets.Dataset.from_dict({"id": ["a"], "image": [file.getvalue()]})
    read = ImageProcessor(size=32, augment=augment).fit(rows).collate(list(rows))["image"]
    np.testing.assert_allclose(nn.functional.adaptive_avg_pool2d(read, 2)[0].permute(1, 2, 0) * 255, quarters, atol=8)
    (shown,) = excerpts(rows, MultiLabelData("a", "image", {"test": rows}, ["b"], "", "image"))
    thumbnail = Image.open(io.BytesIO(shown))
    assert thumbnail.width / thumbnail.height == pytest.approx(size[1] / size[0])
    assert [thumbnail.getpixel((x * thumbnail.width // 4, y * thumbnail.height // 4)) for y in (1, 3) for x in (1, 3)] == [
        pytest.approx(tuple(colour), abs=8) for colour in quarters.reshape(4, 3).tolist()
    ]


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
