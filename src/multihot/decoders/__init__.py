"""Decoders: label sets emitted one label after another. Every class in ``__all__`` can be used in a configuration."""

from .pair import PairDecoder
from .recurrent import RecurrentDecoder

__all__ = ["PairDecoder", "RecurrentDecoder"]
