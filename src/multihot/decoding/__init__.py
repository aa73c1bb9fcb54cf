"""Reading label sets out of a trained model."""

from .beam import BeamDecoding, JointDecoding, RescoringDecoding
from .distribution import DistributionDecoding
from .greedy import GreedyDecoding
from .threshold import ThresholdDecoding

__all__ = [
    "BeamDecoding",
    "DistributionDecoding",
    "GreedyDecoding",
    "JointDecoding",
    "RescoringDecoding",
    "ThresholdDecoding",
]
