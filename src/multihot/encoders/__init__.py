"""Encoders: text, tables and images as states, mask and one pooled vector. Every class in ``__all__`` can be used in a configuration."""

from .image_cnn import ImageCNNEncoder
from .tabular import TabularEncoder
from .text_bag import TextBagEncoder
from .text_cnn import TextCNNEncoder
from .text_lstm import TextLSTMEncoder
from .text_transformer import TextTransformerEncoder

__all__ = ["ImageCNNEncoder", "TabularEncoder", "TextBagEncoder", "TextCNNEncoder", "TextLSTMEncoder", "TextTransformerEncoder"]
