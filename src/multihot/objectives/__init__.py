"""What training minimises."""

from .scoring import ScoringObjective

__all__ = ["ScoringObjective"]
