"""The convolution over words against sums written out word by word."""

import pytest
import torch
from encoder_contract import TextEncoderContract

from multihot.encoders import TextCNNEncoder


class TestTextCNN(TextEncoderContract):
    def encoder(self) -> TextCNNEncoder:
        return TextCNNEncoder(vocabulary_size=20, embedding_size=6, width=8)


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_states_are_sums_over_neighbours_and_pooled_is_their_maximum(kernel_size: int) -> None:
    encoder = TextCNNEncoder(vocabulary_size=20, embedding_size=6, width=4, kernel_size=kernel_size).double().eval()
    tokens = torch.tensor([[3, 9, 4, 7, 2], [8, 5, 0, 0, 0]])
    encoding = encoder({"tokens": tokens, "mask": tokens > 0})
    weight, bias = encoder.convolution.weight, encoder.convolution.bias
    for row, length in enumerate((5, 2)):
        words = encoder.embedding.weight[tokens[row, :length]]
        for place in range(length):
            reach = kernel_size // 2
            near = [(k, place + k - reach) for k in range(kernel_size) if 0 <= place + k - reach < length]
            expected = torch.relu(bias + sum(weight[:, :, k] @ words[neighbour] for k, neighbour in near))
            torch.testing.assert_close(encoding.states[row, place], expected)
        torch.testing.assert_close(encoding.pooled[row], encoding.states[row, :length].amax(0))


@pytest.mark.parametrize("kernel_size", [0, 2])
def test_a_kernel_without_a_middle_is_refused(kernel_size: int) -> None:
    with pytest.raises(ValueError, match="'kernel_size' parameter must be an odd number"):
        TextCNNEncoder(vocabulary_size=20, kernel_size=kernel_size)
