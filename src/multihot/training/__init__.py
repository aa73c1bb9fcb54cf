"""Training on Lightning."""

from .callbacks import TrainingInterruptedError
from .fit import TrainingOutcome, train
from .module import TrainingDivergedError
from .settings import TrainingSettings

__all__ = ["TrainingDivergedError", "TrainingInterruptedError", "TrainingOutcome", "TrainingSettings", "train"]
