"""Two levels of attention over frames, against their equations."""

import numpy as np
import pytest
import torch
from encoder_contract import EncoderContract, assert_same
from torch import Tensor

from multihot.components import build
from multihot.encoders import AudioAttentionEncoder
from multihot.errors import ConfigurationError


class TestAudioAttention(EncoderContract):
    def encoder(self) -> AudioAttentionEncoder:
        return AudioAttentionEncoder(num_features=6, num_labels=5, hidden_size=8, layers=3)

    def inputs(self) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(0)
        mask = torch.arange(4) < torch.tensor([4, 1, 3])[:, None]
        return {"frames": torch.randn(3, 4, 6, generator=generator) * mask[..., None], "mask": mask}

    def test_appended_padding_changes_nothing(self) -> None:
        inputs = self.inputs()
        padded = {
            "frames": torch.nn.functional.pad(inputs["frames"], (0, 0, 0, 2), value=9.0),
            "mask": torch.nn.functional.pad(inputs["mask"], (0, 2)),
        }
        assert_same(self.encode(padded), self.encode(inputs))

    def test_padding_does_not_count_in_batch_normalisation(self) -> None:
        inputs, runs = self.inputs(), []
        for value in (0.0, 50.0):
            torch.manual_seed(0)
            encoder = self.encoder().train()
            encoder({"frames": torch.where(inputs["mask"][..., None], inputs["frames"], value), "mask": inputs["mask"]})
            runs.append(encoder.norms[0].running_mean)
        assert torch.equal(*runs)
        assert runs[0].abs().max() > 0


def test_a_last_batch_of_one_frame_is_normalised_by_what_was_seen_before() -> None:
    torch.manual_seed(0)
    encoder = AudioAttentionEncoder(num_features=3, num_labels=2, hidden_size=4, dropout=0.0)
    single = {"frames": torch.randn(1, 1, 3), "mask": torch.ones(1, 1, dtype=torch.bool)}
    torch.testing.assert_close(encoder.train()(single).pooled, encoder.eval()(single).pooled)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def test_one_recording_by_hand() -> None:
    torch.manual_seed(1)
    encoder = AudioAttentionEncoder(num_features=3, num_labels=4, hidden_size=5, layers=3, levels=2).double().eval()
    for norm in encoder.norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2.0)
    frames = torch.randn(1, 6, 3, dtype=torch.float64)
    weight = {name: value.detach().numpy() for name, value in encoder.state_dict().items()}
    hidden, levels = frames[0].numpy(), []
    for i in range(3):
        linear = hidden @ weight[f"layers.{i}.weight"].T + weight[f"layers.{i}.bias"]
        scaled = (linear - weight[f"norms.{i}.running_mean"]) / np.sqrt(weight[f"norms.{i}.running_var"] + 1e-5)
        hidden = np.maximum(scaled * weight[f"norms.{i}.weight"] + weight[f"norms.{i}.bias"], 0)
        levels.append(hidden)
    expected = []
    for i, level in enumerate(levels[1:]):
        f = sigmoid(level @ weight[f"values.{i}.weight"].T + weight[f"values.{i}.bias"])
        v = np.exp(level @ weight[f"weights.{i}.weight"].T + weight[f"weights.{i}.bias"])
        v /= v.sum(axis=1, keepdims=True)
        expected.append((v * f).sum(0) / v.sum(0))
    found = encoder({"frames": frames, "mask": torch.ones(1, 6, dtype=torch.bool)}).pooled
    np.testing.assert_allclose(found[0].detach().numpy(), np.concatenate(expected), rtol=1e-12)


def test_its_width_follows_from_the_labels_unless_said() -> None:
    assert build("encoder", "audio_attention", num_features=3, num_labels=527).width == 2 * 527
    assert build("encoder", {"name": "audio_attention", "attention_size": 8, "levels": 3}, num_features=3, num_labels=527).width == 24


@pytest.mark.parametrize("levels", [0, 5])
def test_levels_that_are_not_there_are_refused(levels: int) -> None:
    with pytest.raises(ConfigurationError, match="'levels' parameter must be from 1 to the 4 layers"):
        build("encoder", {"name": "audio_attention", "levels": levels}, num_features=3, num_labels=2)
