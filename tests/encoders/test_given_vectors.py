"""Encoders that start from given word vectors."""

import pytest
import torch
from encoder_contract import TextEncoderContract

from multihot.components import build
from multihot.interfaces import Encoder

NAN = float("nan")
GIVEN = torch.randn(20, 6, generator=torch.Generator().manual_seed(0))
GIVEN[[0, 1, 5]] = NAN
SIZES = {"text_bag": {"width": 6}, "text_cnn": {"embedding_size": 6, "width": 8}, "text_lstm": {"embedding_size": 6, "hidden_size": 4}}


def built(name: str, **settings: object) -> Encoder:
    torch.manual_seed(0)
    return build("encoder", {"name": name, **SIZES[name], **settings}, vocabulary_size=20)


class TestFrozenVectors(TextEncoderContract):
    def encoder(self) -> Encoder:
        return build("encoder", {"name": "text_lstm", **SIZES["text_lstm"]}, vocabulary_size=20, word_vectors=GIVEN, freeze_vectors=True)


@pytest.mark.parametrize("name", SIZES)
def test_known_words_start_where_they_are_given_and_all_else_as_without(name: str) -> None:
    plain, given = built(name), built(name, word_vectors=GIVEN)
    without = GIVEN.isnan().any(1)
    assert torch.equal(given.embedding.weight[~without], GIVEN[~without])
    assert torch.equal(given.embedding.weight[without], plain.embedding.weight[without])
    assert not given.embedding.weight[0].any()
    rest = {key: value for key, value in plain.state_dict().items() if key != "embedding.weight"}
    assert all(torch.equal(given.state_dict()[key], value) for key, value in rest.items())


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("frozen", [False, True])
def test_vectors_are_tuned_unless_they_are_frozen(name: str, frozen: bool) -> None:
    encoder = built(name, word_vectors=GIVEN, freeze_vectors=frozen)
    before = encoder.embedding.weight.detach().clone()
    above = torch.nn.Linear(encoder.width, 1)
    learning = [one for one in (*encoder.parameters(), *above.parameters()) if one.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=0.1, weight_decay=0.1)
    tokens = torch.tensor([[2, 3, 4, 5]])
    above(encoder({"tokens": tokens, "mask": tokens > 0}).states).square().sum().backward()
    optimiser.step()
    assert torch.equal(encoder.embedding.weight, before) == frozen


@pytest.mark.parametrize("name", SIZES)
def test_vectors_of_another_size_and_nothing_to_freeze_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="the word vectors hold 5 numbers, but 6 are asked for"):
        built(name, word_vectors=GIVEN[:, :5])
    with pytest.raises(ValueError, match="name a file of them by 'word_vectors'"):
        built(name, freeze_vectors=True)
