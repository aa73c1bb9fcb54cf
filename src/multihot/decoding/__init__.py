"""Reading label sets out of a trained model."""

from .threshold import ThresholdDecoding

__all__ = ["ThresholdDecoding"]
