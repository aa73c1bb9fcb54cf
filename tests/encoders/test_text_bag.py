"""The bag of words against a sum written out word by word."""

import torch
from encoder_contract import TextEncoderContract

from multihot.encoders import TextBagEncoder


class TestTextBag(TextEncoderContract):
    def encoder(self) -> TextBagEncoder:
        return TextBagEncoder(vocabulary_size=20, width=8)


def test_pooled_is_the_sum_of_the_words_over_the_root_of_their_number() -> None:
    encoder = TextBagEncoder(vocabulary_size=20, width=4).double().eval()
    tokens = torch.tensor([[3, 9, 4, 7, 3], [8, 5, 0, 0, 0]])
    encoding = encoder({"tokens": tokens, "mask": tokens > 0})
    for row, length in enumerate((5, 2)):
        words = [encoder.embedding.weight[token] for token in tokens[row, :length]]
        torch.testing.assert_close(encoding.pooled[row], sum(words) / length**0.5)


def test_the_order_of_words_does_not_matter() -> None:
    encoder = TextBagEncoder(vocabulary_size=20, width=4).eval()
    tokens = torch.tensor([[3, 9, 4], [4, 3, 9]])
    pooled = encoder({"tokens": tokens, "mask": tokens > 0}).pooled
    torch.testing.assert_close(pooled[0], pooled[1])


def test_word_dropout_puts_the_unknown_word_in_place_in_training_only() -> None:
    encoder = TextBagEncoder(vocabulary_size=20, width=4, dropout=0.0, word_dropout=0.999999)
    tokens = torch.tensor([[3, 9, 4], [8, 5, 0]])
    trained = encoder.train()({"tokens": tokens, "mask": tokens > 0}).pooled
    unknown = torch.where(tokens > 0, 1, 0)
    torch.testing.assert_close(trained, encoder.eval()({"tokens": unknown, "mask": tokens > 0}).pooled)
