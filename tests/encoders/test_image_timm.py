"""Picture networks of timm: states in their places, weights from files, a frozen network that stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from encoder_contract import EncoderContract
from torch import Tensor

from multihot.components import build
from multihot.encoders import TimmEncoder
from multihot.encoders.pretrained import weights_follow
from multihot.errors import ConfigurationError
from multihot.method import Method

timm = pytest.importorskip("timm", reason='timm is not installed; pip install "multihot[images]"')


def pictures(channels: int = 3, side: int = 32) -> Tensor:
    return torch.rand(3, channels, side, side, generator=torch.Generator().manual_seed(0))


class TestTimm(EncoderContract):
    def encoder(self) -> TimmEncoder:
        return TimmEncoder((3, 64, 32), backbone="test_resnet")

    def inputs(self) -> dict[str, Tensor]:
        return {"image": torch.rand(3, 3, 64, 32, generator=torch.Generator().manual_seed(0))}


def own_positions(network: torch.nn.Module, image: Tensor) -> Tensor:
    """The feature map by hooks and plain indexing: (B, H * W, D), row by row."""
    features = network.forward_features(image)
    height, width = features.shape[2:]
    return torch.stack([features[:, :, y, x] for y in range(height) for x in range(width)], dim=1)


def test_states_are_positions_row_by_row_of_normalised_pictures() -> None:
    encoder = TimmEncoder((3, 64, 96), backbone="test_resnet").eval()
    image = torch.rand(2, 3, 64, 96)
    mean, std = (torch.tensor(encoder.backbone.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        encoding, expected = encoder({"image": image}), own_positions(encoder.backbone, (image - mean) / std)
    torch.testing.assert_close(encoding.states, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(encoding.pooled, expected.mean(1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("backbone", "side", "width", "states"),
    [("test_vit", 160, 64, 100), ("resnet18", 64, 512, 4), ("vgg11", 32, 512, 1), ("swin_tiny_patch4_window7_224", 32, 768, 1)],
)
def test_any_order_of_axes_becomes_states(backbone: str, side: int, width: int, states: int) -> None:
    with torch.device("meta"):
        encoder = TimmEncoder((3, side, side), backbone=backbone).eval()
        encoding = encoder({"image": torch.rand(2, 3, side, side)})
    assert encoder.width == width
    assert encoding.states.shape == (2, states, width)


def test_the_head_of_vgg_is_its_fully_connected_layers() -> None:
    with torch.device("meta"):
        encoder = TimmEncoder((3, 32, 32), backbone="vgg11", pooling="head").eval()
        encoding = encoder({"image": torch.rand(2, 3, 32, 32)})
    assert encoding.states.shape == (2, 1, 4096)
    assert encoding.pooled.shape == (2, 4096)


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_weights_come_from_a_file_with_a_classifier(tmp_path: Path, ending: str) -> None:
    from safetensors.torch import save_file

    torch.manual_seed(3)
    trained = timm.create_model("test_resnet", num_classes=7).eval()
    path = tmp_path / f"weights.{ending}"
    save_file(trained.state_dict(), path) if ending == "safetensors" else torch.save(trained.state_dict(), path)
    encoder = build("encoder", {"name": "timm", "backbone": "test_resnet", "pretrained": str(path)}, image_shape=(3, 32, 32)).eval()
    mean, std = encoder.mean, encoder.std
    with torch.no_grad():
        found, expected = encoder({"image": pictures()}), own_positions(trained, (pictures() - mean) / std)
    torch.testing.assert_close(found.states, expected, atol=1e-5, rtol=1e-4)
    path.unlink()
    with weights_follow():  # a run folder brings its own
        assert TimmEncoder((3, 32, 32), "test_resnet", pretrained=str(path)).width == encoder.width
    with pytest.raises(ConfigurationError, match=r"there is no file of weights .*weights"):
        TimmEncoder((3, 32, 32), "test_resnet", pretrained=str(path))


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    trained = timm.create_model("test_resnet").state_dict()
    for state, message in (
        ({"x": torch.zeros(1)}, r"these weights leave \d+ of \d+ tensors of 'test_resnet' random \(conv1.0.weight, "),
        (
            {name: value for name, value in trained.items() if name != "layer1.0.conv1.weight"},
            r"1 of \d+ tensors .*\(layer1.0.conv1.weight\)",
        ),
        (trained | {"conv1.0.weight": torch.zeros(2, 2)}, "'test_resnet' does not take these weights: "),
    ):
        torch.save(state, tmp_path / "other.pth")
        with pytest.raises(ConfigurationError, match=message):
            TimmEncoder((3, 32, 32), "test_resnet", pretrained=str(tmp_path / "other.pth"))


@pytest.mark.parametrize("told", [True, False])  # Lightning does not call train() on what it gets
def test_a_frozen_network_never_changes(told: bool) -> None:
    encoder = TimmEncoder((3, 32, 32), "test_resnet", freeze=True, dropout=0.5)
    encoder = encoder.train() if told else encoder
    assert encoder.dropout.training
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    encoding = encoder({"image": pictures()})
    assert not encoding.states.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    thawed = TimmEncoder((3, 32, 32), "test_resnet").train()
    thawed({"image": pictures()})
    assert any("running_mean" in name and value.any() for name, value in thawed.state_dict().items())


def test_grey_pictures_are_read_with_averaged_normalisation() -> None:
    encoder = TimmEncoder((1, 32, 32), "test_resnet").eval()
    assert encoder({"image": pictures(1)}).pooled.shape == (3, encoder.width)
    assert encoder.mean.shape == (1, 1, 1, 1)
    assert float(encoder.mean) == pytest.approx(sum(encoder.backbone.pretrained_cfg["mean"]) / 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "resnet1"}, r"there is no backbone 'resnet1'; did you mean 'resnet18'"),
        ({"backbone": "zzz"}, r"there is no backbone 'zzz'; timm.list_models\(\)"),
        ({"pooling": "median"}, "the 'pooling' parameter must be one of mean, max, head, got 'median'"),
    ],
)
def test_what_cannot_work_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build("encoder", {"name": "timm", **arguments}, image_shape=(3, 32, 32))


def test_pictures_come_in_the_size_that_the_network_was_made_for():
    stated = timm.get_pretrained_cfg("test_resnet").input_size[1:]
    assert Method(encoder={"name": "timm", "backbone": "test_resnet"}).build_processor().usual_size == stated != (64, 64)
    assert Method(encoder="timm").build_processor().usual_size == timm.get_pretrained_cfg("resnet50").input_size[1:]
    assert Method(encoder={"name": "timm", "backbone": "no such network"}).build_processor().usual_size == (64, 64)
    assert Method(encoder="image_cnn").build_processor().usual_size == (64, 64)
