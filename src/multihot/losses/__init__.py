"""Losses: how far logits are from targets. Every name in ``__all__`` that ends in ``Loss`` can be used in a configuration.

What they share is in ``kernels``, losses for very many labels are in ``many_labels``.
"""

import warnings
from importlib import import_module
from typing import Any

from .asymmetric import AsymmetricLoss, asymmetric_loss
from .binary_cross_entropy import BinaryCrossEntropyLoss, binary_cross_entropy_loss
from .circle import CircleLoss, circle_loss
from .class_balanced import ClassBalancedLoss, class_balanced_loss
from .dab import DABLoss, dab_loss
from .distribution_balanced import DistributionBalancedLoss, distribution_balanced_loss
from .focal import FocalLoss, focal_loss
from .hill import HillLoss, hill_loss
from .kernels.elementary_symmetric import log_elementary_symmetric, newton_log_elementary_symmetric
from .kernels.targets import check_targets
from .label_distribution import LabelDistributionLoss, label_distribution_loss
from .lsep import LSEPLoss, lsep_loss
from .ordinal import OrdinalLoss, ordinal_loss
from .pairwise_log_sum_exp import PairwiseLogSumExpLoss, pairwise_log_sum_exp_loss
from .pairwise_ranking import PairwiseRankingLoss, pairwise_ranking_loss
from .splc import SPLCLoss, splc_loss
from .subset_softmax import SubsetSoftmaxLoss, subset_softmax_loss
from .threshold_label import ThresholdLabelLoss, threshold_label_loss
from .two_way import TwoWayLoss, two_way_loss
from .warp import WARPLoss, warp_loss
from .zlpr import ZLPRLoss, zlpr_loss

__all__ = [
    "AsymmetricLoss",
    "BinaryCrossEntropyLoss",
    "CircleLoss",
    "ClassBalancedLoss",
    "DABLoss",
    "DistributionBalancedLoss",
    "FocalLoss",
    "HillLoss",
    "LSEPLoss",
    "LabelDistributionLoss",
    "OrdinalLoss",
    "PairwiseLogSumExpLoss",
    "PairwiseRankingLoss",
    "SPLCLoss",
    "SubsetSoftmaxLoss",
    "ThresholdLabelLoss",
    "TwoWayLoss",
    "WARPLoss",
    "ZLPRLoss",
    "asymmetric_loss",
    "binary_cross_entropy_loss",
    "check_targets",
    "circle_loss",
    "class_balanced_loss",
    "dab_loss",
    "distribution_balanced_loss",
    "focal_loss",
    "hill_loss",
    "label_distribution_loss",
    "log_elementary_symmetric",
    "lsep_loss",
    "newton_log_elementary_symmetric",
    "ordinal_loss",
    "pairwise_log_sum_exp_loss",
    "pairwise_ranking_loss",
    "splc_loss",
    "subset_softmax_loss",
    "threshold_label_loss",
    "two_way_loss",
    "warp_loss",
    "zlpr_loss",
]


def __getattr__(name: str) -> Any:
    """Names that moved, for one version."""
    many_labels = import_module(f"{__name__}.many_labels")
    if name not in many_labels.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"multihot.losses.{name} is now multihot.losses.many_labels.{name}", DeprecationWarning, stacklevel=2)
    return getattr(many_labels, name)
