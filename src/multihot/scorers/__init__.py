"""Scorers: an encoding in, one logit a label out. Every class in ``__all__`` can be used in a configuration."""

from .axis_value import AxisValueScorer
from .binary_relevance import BinaryRelevanceScorer
from .label_attention import LabelAttentionScorer
from .label_graph import LabelGraphScorer
from .linear import LinearScorer
from .regional import RegionalScorer

__all__ = ["AxisValueScorer", "BinaryRelevanceScorer", "LabelAttentionScorer", "LabelGraphScorer", "LinearScorer", "RegionalScorer"]
