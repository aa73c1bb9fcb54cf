"""Decoders: label sets emitted one label after another. Every class in ``__all__`` can be used in a configuration."""

from .recurrent import RecurrentDecoder

__all__ = ["RecurrentDecoder"]
