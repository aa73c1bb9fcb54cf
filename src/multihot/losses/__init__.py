"""Losses: how far logits are from targets. Every name in ``__all__`` that ends in ``Loss`` can be used in a configuration."""

from .binary_cross_entropy import BinaryCrossEntropyLoss, binary_cross_entropy_loss
from .sparse_targets import pad_positives, sparse_binary_cross_entropy_loss, sparse_zlpr_loss
from .targets import check_targets
from .zlpr import ZLPRLoss, zlpr_loss

__all__ = [
    "BinaryCrossEntropyLoss",
    "ZLPRLoss",
    "binary_cross_entropy_loss",
    "check_targets",
    "pad_positives",
    "sparse_binary_cross_entropy_loss",
    "sparse_zlpr_loss",
    "zlpr_loss",
]
