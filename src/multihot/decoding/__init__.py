"""Reading label sets out of a trained model."""

from .beam import BeamDecoding, JointDecoding, RescoringDecoding
from .constraints import Constraints
from .greedy import GreedyDecoding
from .threshold import ThresholdDecoding

__all__ = ["BeamDecoding", "Constraints", "GreedyDecoding", "JointDecoding", "RescoringDecoding", "ThresholdDecoding"]
