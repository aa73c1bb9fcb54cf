"""Losses where labels are so many that no batch has a column for each: positives as padded lists, negatives drawn."""

from .sampled_negatives import NegativeSampler, SampledOutputLayer, sampled_binary_cross_entropy_loss, sampled_zlpr_loss
from .sparse_targets import pad_positives, sparse_binary_cross_entropy_loss, sparse_zlpr_loss

__all__ = [
    "NegativeSampler",
    "SampledOutputLayer",
    "pad_positives",
    "sampled_binary_cross_entropy_loss",
    "sampled_zlpr_loss",
    "sparse_binary_cross_entropy_loss",
    "sparse_zlpr_loss",
]
