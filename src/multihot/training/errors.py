"""How a training can end before its time."""

from ..errors import MultihotError


class TrainingInterruptedError(MultihotError):
    """The user stopped the training; the last checkpoint is safe."""


class TrainingDivergedError(MultihotError):
    """A loss became infinite or not a number."""
