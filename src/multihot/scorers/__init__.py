"""Scorers: an encoding in, one logit a label out. Every class in ``__all__`` can be used in a configuration."""

from .binary_relevance import BinaryRelevanceScorer
from .label_attention import LabelAttentionScorer
from .label_graph import LabelGraphScorer
from .linear import LinearScorer
from .regional import RegionalScorer

__all__ = ["BinaryRelevanceScorer", "LabelAttentionScorer", "LabelGraphScorer", "LinearScorer", "RegionalScorer"]
