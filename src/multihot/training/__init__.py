"""Training on Lightning."""

from .callbacks import TrainingInterruptedError
from .fit import TrainingOutcome, seed_everything, train
from .module import TrainingDivergedError
from .settings import TrainingSettings

__all__ = ["TrainingDivergedError", "TrainingInterruptedError", "TrainingOutcome", "TrainingSettings", "seed_everything", "train"]
