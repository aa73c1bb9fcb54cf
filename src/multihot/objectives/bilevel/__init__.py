"""Hyperparameters of soft targets learned by gradients through training: the objective, its hypergradients, and spreads."""

from .objective import BilevelObjective

__all__ = ["BilevelObjective"]
