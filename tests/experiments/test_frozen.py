"""A frozen network run once gives what it gives every time, and the run folder still reads pictures."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from multihot.components import build
from multihot.data.batches import make_loader
from multihot.data.in_memory import from_rows
from multihot.data.processors import ImageProcessor
from multihot.errors import ConfigurationError
from multihot.experiments import Config, Run
from multihot.experiments.fit import fit
from multihot.learners.feature_cache import encode_once

timm = pytest.importorskip("timm", reason='timm is not installed; pip install "multihot[images]"')


def pictures(count=24):
    """Red, green, both or neither."""
    random, rows = np.random.default_rng(0), []
    for number in range(count):
        shown = (number % 2, number // 2 % 2)
        pixels = random.integers(0, 40, (36, 40, 3), dtype=np.uint8)
        pixels[..., 0] += np.uint8(200 * shown[0])
        pixels[..., 1] += np.uint8(200 * shown[1])
        Image.fromarray(pixels).save(file := io.BytesIO(), format="PNG")
        rows.append({"image": file.getvalue(), "labels": [name for name, there in zip(("red", "green"), shown, strict=True) if there]})
    return from_rows(rows)


@pytest.mark.parametrize("pooling", ["max", "head"])
def test_kept_encodings_are_the_encodings(pooling):
    data = pictures(5)
    processor = ImageProcessor(size=64).fit(data.split("train"))
    config = {"name": "timm", "backbone": "test_resnet", "freeze": True, "pooling": pooling, "cache": True}
    encoder = build("encoder", config, **processor.provides())
    rows = encode_once(encoder, processor, data.split("train"), "cpu")
    assert "image" not in rows.column_names
    assert encoder.training  # Lightning would leave it as it is
    batch = next(iter(make_loader(rows, processor, data.label_space(), batch_size=8)))
    plain = next(iter(make_loader(data.split("train"), processor, data.label_space(), batch_size=8)))
    encoder.train()
    found, expected = encoder(batch.inputs), encoder(plain.inputs)
    assert found.states.shape == (5, 4, encoder.width)
    torch.testing.assert_close(found.states, expected.states)
    torch.testing.assert_close(found.pooled, expected.pooled)
    assert torch.equal(batch.targets, plain.targets)


def test_what_cannot_be_kept_is_refused():
    data = pictures(2)
    processor = ImageProcessor(size=28, augment="random_crop").fit(data.split("train"))
    encoder = build("encoder", {"name": "timm", "backbone": "test_resnet", "freeze": True, "cache": True}, **processor.provides())
    with pytest.raises(ConfigurationError, match="sees every picture once, unaugmented"):
        encode_once(encoder, processor, data.split("train"))
    with pytest.raises(ConfigurationError, match="add freeze: true"):
        build("encoder", {"name": "timm", "backbone": "test_resnet", "cache": True}, **processor.provides())
    small = build("encoder", "image_cnn", image_shape=(3, 16, 16))
    assert encode_once(small, processor, data.split("train")) is data.split("train")


def test_a_run_on_kept_encodings_equals_one_on_pictures_and_needs_no_other_weights(tmp_path):
    torch.manual_seed(1)
    torch.save(timm.create_model("test_resnet").state_dict(), tmp_path / "weights.pth")
    runs = []
    for cache in (True, False):
        encoder = {
            "name": "timm", "backbone": "test_resnet", "pretrained": str(tmp_path / "weights.pth"), "freeze": True, "cache": cache,
        }  # fmt: skip
        content = {
            "method": {"encoder": encoder, "processor": {"size": 32}},
            "training": {"epochs": 2, "batch_size": 8, "device": "cpu", "precision": "32-true"},
        }
        runs.append(fit(Config.from_dict(content), tmp_path / f"run-{cache}", pictures()))
    (tmp_path / "weights.pth").unlink()
    shown = [{"image": row["image"]} for row in pictures(6).split("train")]
    kept, plain = (Run(run.folder).predict(shown).scores for run in runs)
    np.testing.assert_allclose(kept, plain, atol=1e-4)
