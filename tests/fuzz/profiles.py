"""How many examples the fuzzing draws: few and always the same ones in the quick suite, many and new ones in the slow one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]


def quick(examples: int) -> settings:
    """The same few examples in every run, without a database."""
    return settings(max_examples=examples, derandomize=True, database=None, deadline=20_000, suppress_health_check=CHECKS)


def slow(examples: int) -> Callable[[Any], Any]:
    """Many examples, new ones in every run; marked so that the quick suite leaves them out."""
    drawn = settings(max_examples=examples, database=None, deadline=20_000, suppress_health_check=CHECKS, print_blob=True)
    return lambda test: pytest.mark.slow(drawn(test))


def one_line(error: Exception, name: str = "") -> str:
    """The message of an error that the user can mend, which is one line and names what it is about."""
    message = str(error)
    assert message, type(error)
    assert len(message.splitlines()) == 1, message
    assert name in message, message
    return message
