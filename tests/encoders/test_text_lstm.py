"""The padded BiLSTM is the packed one."""

import pytest
import torch
from encoder_contract import TextEncoderContract
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from multihot.encoders import TextLSTMEncoder
from multihot.encoders.text_lstm import reversal_within_length


class TestTextLSTM(TextEncoderContract):
    def encoder(self) -> TextLSTMEncoder:
        return TextLSTMEncoder(vocabulary_size=20, embedding_size=6, hidden_size=4, layers=2)


def packed_twin(encoder: TextLSTMEncoder, embedding_size: int, hidden_size: int, layers: int) -> nn.LSTM:
    twin = nn.LSTM(embedding_size, hidden_size, layers, batch_first=True, bidirectional=True).double()
    with torch.no_grad():
        for layer in range(layers):
            for suffix, ours in (("", encoder.forwards[layer]), ("_reverse", encoder.backwards[layer])):
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(twin, f"{name}_l{layer}{suffix}").copy_(getattr(ours, f"{name}_l0"))
    return twin


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_states_last_states_and_gradients_equal_those_of_packed_sequences(layers: int) -> None:
    encoder = TextLSTMEncoder(vocabulary_size=20, embedding_size=6, hidden_size=4, layers=layers).double().eval()
    twin = packed_twin(encoder, 6, 4, layers)
    lengths = torch.tensor([5, 1, 7, 3])
    mask = torch.arange(7) < lengths[:, None]
    tokens = torch.randint(1, 20, (4, 7)) * mask

    encoding = encoder({"tokens": tokens, "mask": mask})
    words = encoder.embedding(tokens).detach().requires_grad_()
    packed, (last, _) = twin(pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False))
    states, _ = pad_packed_sequence(packed, batch_first=True)
    torch.testing.assert_close(encoding.states, states)
    torch.testing.assert_close(encoding.pooled, torch.cat([last[-2], last[-1]], dim=-1))

    weights = torch.randn_like(states)
    (encoding.states * weights).sum().backward()
    (states * weights).sum().backward()
    torch.testing.assert_close(encoder.backwards[0].weight_ih_l0.grad, twin.weight_ih_l0_reverse.grad)
    torch.testing.assert_close(encoder.forwards[0].weight_hh_l0.grad, twin.weight_hh_l0.grad)


def test_the_reversal_is_its_own_inverse() -> None:
    mask = torch.arange(6) < torch.tensor([6, 1, 4])[:, None]
    reversal = reversal_within_length(mask)
    assert torch.equal(reversal.gather(1, reversal), torch.arange(6).expand(3, 6))


def test_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="'layers' parameter must be at least 1, got 0"):
        TextLSTMEncoder(vocabulary_size=20, layers=0)
