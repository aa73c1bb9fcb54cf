"""Whether encoders need their pretrained weights, or get others right after they are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_following: ContextVar[bool] = ContextVar("weights follow", default=False)


@contextmanager
def weights_follow() -> Iterator[None]:
    """Within, encoders are made without loading pretrained weights: those of a run folder follow, which needs no others to be at hand.

    >>> with weights_follow():
    ...     needs_weights()
    False
    """
    token = _following.set(True)
    try:
        yield
    finally:
        _following.reset(token)


def needs_weights() -> bool:
    """Whether pretrained weights are to be loaded."""
    return not _following.get()
