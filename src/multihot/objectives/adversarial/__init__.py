"""The game between a classifier and a discriminator of label sets: its objective, the discriminator, its penalties, and sampling."""

from .discriminator import Discriminator
from .gumbel import gumbel_sigmoid
from .objective import AdversarialObjective
from .penalty import gradient_penalty

__all__ = ["AdversarialObjective", "Discriminator", "gradient_penalty", "gumbel_sigmoid"]
