"""Calibrations and decisions: from scores to probabilities that hold, and from scores to label sets.

What they learn, they learn from validation data, and it travels in the run folder.
"""

from .conformal import ConformalDecision
from .expected_f1 import ExpectedF1Decision
from .expected_utility import ExpectedUtilityDecision
from .fitting import fit_in_turn, half_of
from .fixed import FixedDecision, OwnRuleDecision, TopKDecision
from .isotonic import IsotonicCalibration
from .platt import PlattCalibration
from .ruled import build_decision, split_rules, with_at_least_one
from .shares import CardinalityDecision, ProportionalDecision
from .subset_correction import SubsetCorrectionDecision
from .temperature import TemperatureCalibration
from .tuned import GlobalDecision, PerLabelDecision

__all__ = [
    "CardinalityDecision",
    "ConformalDecision",
    "ExpectedF1Decision",
    "ExpectedUtilityDecision",
    "FixedDecision",
    "GlobalDecision",
    "IsotonicCalibration",
    "OwnRuleDecision",
    "PerLabelDecision",
    "PlattCalibration",
    "ProportionalDecision",
    "SubsetCorrectionDecision",
    "TemperatureCalibration",
    "TopKDecision",
    "build_decision",
    "fit_in_turn",
    "half_of",
    "split_rules",
    "with_at_least_one",
]
