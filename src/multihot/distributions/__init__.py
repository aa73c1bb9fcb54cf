"""Label distributions: targets in, soft targets that sum to 1 out. Every class in ``__all__`` can be used in a configuration."""

from .embeddings import co_occurrence_positions
from .gaussian import GaussianDistribution, gaussian
from .gaussian_grid import GaussianGridDistribution, gaussian_grid
from .hard import OneHotDistribution, UniformSmoothingDistribution, one_hot, uniform_smoothing
from .mixture import MixtureDistribution, mixture
from .smooth_mask import SmoothMaskDistribution, smooth_mask
from .three_levels import ThreeLevelsDistribution, three_levels

__all__ = [
    "GaussianDistribution",
    "GaussianGridDistribution",
    "MixtureDistribution",
    "OneHotDistribution",
    "SmoothMaskDistribution",
    "ThreeLevelsDistribution",
    "UniformSmoothingDistribution",
    "co_occurrence_positions",
    "gaussian",
    "gaussian_grid",
    "mixture",
    "one_hot",
    "smooth_mask",
    "three_levels",
    "uniform_smoothing",
]
