"""Which rows an epoch of training consists of (the samplings), and which of them share a batch (``SimilarLengthSampler``)."""

from .class_aware import ClassAwareSampling, SquareRootSampling
from .instance_balanced import InstanceBalancedSampling
from .label_powerset import LabelPowersetSampling
from .repeat_factor import RepeatFactorSampling
from .similar_length import SimilarLengthSampler

__all__ = [
    "ClassAwareSampling",
    "InstanceBalancedSampling",
    "LabelPowersetSampling",
    "RepeatFactorSampling",
    "SimilarLengthSampler",
    "SquareRootSampling",
]
