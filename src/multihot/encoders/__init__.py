"""Encoders: text, tables, images and audio as states, mask and one pooled vector; ``__all__`` holds those that a configuration can name."""

from .audio_attention import AudioAttentionEncoder
from .image_cnn import ImageCNNEncoder
from .image_timm import TimmEncoder
from .tabular import TabularEncoder
from .text_bag import TextBagEncoder
from .text_cnn import TextCNNEncoder
from .text_lstm import TextLSTMEncoder
from .text_transformer import TextTransformerEncoder

__all__ = [
    "AudioAttentionEncoder",
    "ImageCNNEncoder",
    "TabularEncoder",
    "TextBagEncoder",
    "TextCNNEncoder",
    "TextLSTMEncoder",
    "TextTransformerEncoder",
    "TimmEncoder",
]
