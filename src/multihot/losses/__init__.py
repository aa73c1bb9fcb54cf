"""Losses: how far logits are from targets. Every name in ``__all__`` that ends in ``Loss`` can be used in a configuration."""

from .asymmetric import AsymmetricLoss, asymmetric_loss
from .binary_cross_entropy import BinaryCrossEntropyLoss, binary_cross_entropy_loss
from .circle import CircleLoss, circle_loss
from .class_balanced import ClassBalancedLoss, class_balanced_loss
from .dab import DABLoss, dab_loss
from .distribution_balanced import DistributionBalancedLoss, distribution_balanced_loss
from .elementary_symmetric import log_elementary_symmetric, newton_log_elementary_symmetric
from .focal import FocalLoss, focal_loss
from .hill import HillLoss, hill_loss
from .label_distribution import LabelDistributionLoss, label_distribution_loss
from .lsep import LSEPLoss, lsep_loss
from .ordinal import OrdinalLoss, ordinal_loss
from .pairwise_log_sum_exp import PairwiseLogSumExpLoss, pairwise_log_sum_exp_loss
from .pairwise_ranking import PairwiseRankingLoss, pairwise_ranking_loss
from .sampled_negatives import NegativeSampler, SampledOutputLayer, sampled_binary_cross_entropy_loss, sampled_zlpr_loss
from .sparse_targets import pad_positives, sparse_binary_cross_entropy_loss, sparse_zlpr_loss
from .splc import SPLCLoss, splc_loss
from .subset_softmax import SubsetSoftmaxLoss, subset_softmax_loss
from .targets import check_targets
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
    "NegativeSampler",
    "OrdinalLoss",
    "PairwiseLogSumExpLoss",
    "PairwiseRankingLoss",
    "SPLCLoss",
    "SampledOutputLayer",
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
    "pad_positives",
    "pairwise_log_sum_exp_loss",
    "pairwise_ranking_loss",
    "sampled_binary_cross_entropy_loss",
    "sampled_zlpr_loss",
    "sparse_binary_cross_entropy_loss",
    "sparse_zlpr_loss",
    "splc_loss",
    "subset_softmax_loss",
    "threshold_label_loss",
    "two_way_loss",
    "warp_loss",
    "zlpr_loss",
]
