"""Objectives: what training minimises. Every name in ``__all__`` that ends in ``Objective`` can be used in a configuration."""

from .likelihood import LikelihoodObjective
from .multitask import MultitaskObjective
from .optimal_completion import OptimalCompletionObjective
from .order_free import OrderFreeObjective
from .policy_gradient import PolicyGradientObjective
from .scheduled_sampling import ScheduledSamplingObjective
from .scoring import ScoringObjective

__all__ = [
    "LikelihoodObjective",
    "MultitaskObjective",
    "OptimalCompletionObjective",
    "OrderFreeObjective",
    "PolicyGradientObjective",
    "ScheduledSamplingObjective",
    "ScoringObjective",
]
