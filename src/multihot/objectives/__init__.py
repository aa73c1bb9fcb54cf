"""Objectives: what training minimises. Every name in ``__all__`` that ends in ``Objective`` can be used in a configuration."""

from .adversarial import AdversarialObjective, Discriminator, gradient_penalty, gumbel_sigmoid
from .axis_regression import AxisRegressionObjective
from .bilevel import BilevelObjective
from .likelihood import LikelihoodObjective
from .multitask import MultitaskObjective
from .optimal_completion import OptimalCompletionObjective
from .order_free import OrderFreeObjective
from .pair import PairObjective
from .policy_gradient import PolicyGradientObjective
from .scheduled_sampling import ScheduledSamplingObjective
from .scoring import ScoringObjective

__all__ = [
    "AdversarialObjective",
    "AxisRegressionObjective",
    "BilevelObjective",
    "Discriminator",
    "LikelihoodObjective",
    "MultitaskObjective",
    "OptimalCompletionObjective",
    "OrderFreeObjective",
    "PairObjective",
    "PolicyGradientObjective",
    "ScheduledSamplingObjective",
    "ScoringObjective",
    "gradient_penalty",
    "gumbel_sigmoid",
]
