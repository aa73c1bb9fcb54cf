"""Label distributions: targets in, soft targets that sum to 1 out. Every class in ``__all__`` can be used in a configuration."""

from .gaussian import GaussianDistribution, gaussian

__all__ = ["GaussianDistribution", "gaussian"]
