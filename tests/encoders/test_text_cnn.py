"""The convolution over words against sums written out word by word."""

from typing import Any

import pytest
import torch
from encoder_contract import TextEncoderContract

from multihot.encoders import TextCNNEncoder


class TestTextCNN(TextEncoderContract):
    def encoder(self) -> TextCNNEncoder:
        return TextCNNEncoder(vocabulary_size=20, embedding_size=6, width=8)


@pytest.mark.parametrize("kernel_sizes", [(1,), (3,), (1, 5)])
def test_states_are_sums_over_neighbours_and_pooled_is_their_maximum_and_a_bag(kernel_sizes: tuple[int, ...]) -> None:
    encoder = TextCNNEncoder(vocabulary_size=20, embedding_size=6, width=4, kernel_sizes=kernel_sizes).double().eval()
    tokens = torch.tensor([[3, 9, 4, 7, 2], [8, 5, 0, 0, 0]])
    encoding = encoder({"tokens": tokens, "mask": tokens > 0})
    for row, length in enumerate((5, 2)):
        words = encoder.embedding.weight[tokens[row, :length]]
        for place in range(length):
            parts = []
            for size, convolution in zip(kernel_sizes, encoder.convolutions, strict=True):
                near = [(k, place + k - size // 2) for k in range(size) if 0 <= place + k - size // 2 < length]
                parts.append(convolution.bias + sum(convolution.weight[:, :, k] @ words[neighbour] for k, neighbour in near))
            torch.testing.assert_close(encoding.states[row, place], torch.relu(torch.cat(parts)))
        bag = encoder.bag.weight @ sum(words) / length**0.5
        torch.testing.assert_close(encoding.pooled[row], encoding.states[row, :length].amax(0) + bag)


def test_word_dropout_puts_the_unknown_word_in_place_of_some_words_in_training_only() -> None:
    encoder = TextCNNEncoder(vocabulary_size=20, embedding_size=6, width=4, dropout=0.0, pooled_dropout=0.0, word_dropout=0.999999)
    tokens = torch.tensor([[3, 9, 4, 7, 2], [8, 5, 0, 0, 0]])
    all_unknown = torch.where(tokens > 0, 1, 0)
    trained = encoder.train()({"tokens": tokens, "mask": tokens > 0})
    expected = encoder.eval()({"tokens": all_unknown, "mask": tokens > 0})
    torch.testing.assert_close(trained.pooled, expected.pooled)
    assert not torch.allclose(encoder({"tokens": tokens, "mask": tokens > 0}).pooled, expected.pooled)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_sizes": (0,)}, "'kernel_sizes' parameter must hold odd numbers"),
        ({"kernel_sizes": (3, 2)}, "'kernel_sizes' parameter must hold odd numbers"),
        ({"kernel_sizes": ()}, "'kernel_sizes' parameter must hold odd numbers"),
        ({"kernel_sizes": (1, 3), "width": 5}, "'width' parameter must be a multiple of the 2 kernel sizes, got 5"),
    ],
)
def test_kernels_that_cannot_be_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TextCNNEncoder(vocabulary_size=20, **arguments)
