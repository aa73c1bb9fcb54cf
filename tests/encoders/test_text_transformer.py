"""A tiny BERT, saved and loaded as a real one is."""

from pathlib import Path

import pytest
import torch
from encoder_contract import TextEncoderContract

from multihot.components import build
from multihot.encoders import TextTransformerEncoder
from multihot.errors import ConfigurationError

transformers = pytest.importorskip("transformers", reason="the extra multihot[transformers] is not installed")


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``save_pretrained`` leaves it."""
    folder = tmp_path_factory.mktemp("tiny-bert")
    sizes = {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12}
    transformers.BertModel(transformers.BertConfig(**sizes, max_position_embeddings=16)).save_pretrained(folder)
    return folder


class _Contract(TextEncoderContract):
    pooling = "mean"

    @pytest.fixture(autouse=True)
    def _model(self, tiny_bert: Path) -> None:
        self.folder = str(tiny_bert)

    def encoder(self) -> TextTransformerEncoder:
        return TextTransformerEncoder(self.folder, pooling=self.pooling)

    def test_every_parameter_that_may_learn_gets_a_gradient(self) -> None:
        encoder = self.encoder()
        encoding = encoder(self.inputs())
        (encoding.states.square().sum() + encoding.pooled.square().sum()).backward()
        without = [name for name, p in encoder.named_parameters() if p.grad is None and "pooler" not in name]
        assert without == []


class TestMeanPooling(_Contract):
    def test_pooled_is_the_mean_of_the_real_states(self) -> None:
        encoding = self.encode(self.inputs())
        expected = [states[mask].mean(0) for states, mask in zip(encoding.states, encoding.mask, strict=True)]
        torch.testing.assert_close(encoding.pooled, torch.stack(expected))


class TestFirstPooling(_Contract):
    pooling = "first"

    def test_pooled_is_the_first_state(self) -> None:
        encoding = self.encode(self.inputs())
        assert torch.equal(encoding.pooled, encoding.states[:, 0])


def test_states_are_those_of_the_model_itself(tiny_bert: Path) -> None:
    inputs = TestMeanPooling().inputs()
    encoding = build("encoder", "text_transformer", pretrained=str(tiny_bert)).eval()(inputs)
    model = transformers.BertModel.from_pretrained(tiny_bert).eval()
    for row, mask in enumerate(inputs["mask"]):
        alone = model(input_ids=inputs["tokens"][row : row + 1, mask]).last_hidden_state[0]
        torch.testing.assert_close(encoding.states[row, mask], alone, rtol=1e-4, atol=1e-5)


def test_a_frozen_model_neither_learns_nor_drops(tiny_bert: Path) -> None:
    encoder = TextTransformerEncoder(str(tiny_bert), freeze=True).train()
    first, second = (encoder(TestMeanPooling().inputs()).pooled for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert not any(p.requires_grad for p in encoder.parameters())


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot load '.*no-model'"):
        TextTransformerEncoder(str(tmp_path / "no-model"))
    with pytest.raises(ConfigurationError, match="'pooling' parameter must be 'mean' or 'first'"):
        build("encoder", {"name": "text_transformer", "pooling": "max"}, pretrained=str(tmp_path))
