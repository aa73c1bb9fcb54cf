"""Decisions: from scores to label sets. What a decision learns, it learns from validation data, and it travels in the run folder."""

from .fixed import FixedDecision, OwnRuleDecision, TopKDecision
from .tuned import GlobalDecision, PerLabelDecision

__all__ = ["FixedDecision", "GlobalDecision", "OwnRuleDecision", "PerLabelDecision", "TopKDecision"]
