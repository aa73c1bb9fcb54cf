"""Reading label sets out of a trained model."""

from .beam import BeamDecoding, JointDecoding, RescoringDecoding
from .constraints import Constraints
from .distribution import DistributionDecoding
from .greedy import GreedyDecoding
from .threshold import ThresholdDecoding

__all__ = [
    "BeamDecoding",
    "Constraints",
    "DistributionDecoding",
    "GreedyDecoding",
    "JointDecoding",
    "RescoringDecoding",
    "ThresholdDecoding",
]
