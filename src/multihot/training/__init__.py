"""Training on Lightning. ``multihot.training.fit`` trains; what stands here is there without Lightning, so that commands start quickly."""

from .errors import TrainingDivergedError, TrainingInterruptedError
from .settings import TrainingSettings

__all__ = ["TrainingDivergedError", "TrainingInterruptedError", "TrainingSettings"]
