"""What the user sees when something cannot go on: one line, and an exit code that is not zero."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from ..errors import MultihotError
from ..storage import CLOSED, FULL

INTERRUPTED = 130  # what shells use for Ctrl-C


class OneLineErrors(TyperGroup):
    """Commands whose errors of the user's making come out as one line on standard error."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _say("stopped")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # `multihot predict ... | head` closed the pipe: nothing is wrong
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except MultihotError as error:
            _say(" ".join(str(error).split()))
            raise typer.Exit(INTERRUPTED if type(error).__name__ == "TrainingInterruptedError" else 2) from error
        except OSError as error:
            if error.errno not in (*FULL, *CLOSED):
                raise
            place = error.filename2 or error.filename  # of a copy, the second is where it was to go
            where = f" ({place})" if place else ""
            reason = "the disk is full" if error.errno in FULL else "no permission to write or read there"
            _say(f"{reason}{where}; nothing that was finished is lost; make room or choose another place")
            raise typer.Exit(2) from error


def _say(line: str) -> None:
    typer.secho(f"multihot: {line}", fg=typer.colors.RED, err=True)
