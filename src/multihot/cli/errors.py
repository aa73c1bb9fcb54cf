"""What the user sees when something cannot go on: one line, and an exit code that is not zero."""

from __future__ import annotations

import itertools
import logging
import os
import re
import reprlib
import shlex
import sys
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar, copy_context
from typing import Any

import typer
from typer.core import TyperGroup

from ..components import UntrustedError
from ..errors import MultihotError, MultihotWarning, nearest, visible
from ..storage import CLOSED, FULL

INTERRUPTED = 130  # what shells use for Ctrl-C
QUOTES = "'\""
# an argument of multihot.data.load as messages of the library write it: labels=, encoding='latin-1'
ARGUMENT = re.compile(
    r"(?<![\w.\-'\"])(?P<name>text|labels|id|features|delimiter|format|encoding|image|missing|distribution|uncertain|blank)=(?P<value>'[^']*')?(?![\w\[])"
)
USAGE: Any = typer.BadParameter.__bases__[0]  # of errors in how a command was called
_offered: ContextVar[frozenset[str]] = ContextVar("options of the command that runs", default=frozenset())
WORDS = "multihot.words"  # where a call keeps the words it was typed with


class OneLineErrors(TyperGroup):
    """Commands whose errors of the user's making come out as one line on standard error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _told_in_lines():
                return copy_context().run(self._invoke, ctx)  # what this call is allowed to run ends with it
        except KeyboardInterrupt as stop:
            _say(str(stop) or "stopped")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # `multihot predict ... | head` closed the pipe: nothing is wrong
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except USAGE as error:
            if type(error).__name__ != "NoSuchOption":
                raise
            _say(_no_option(error.option_name, ctx))
            raise typer.Exit(2) from error
        except UntrustedError as error:
            words = ["multihot", *ctx.meta[WORDS], "--trust", error.package]
            _say(f"{error}; the command is then: {shlex.join(words)}")
            raise typer.Exit(2) from error
        except MultihotError as error:
            _say(as_options(" ".join(str(error).split()), _options(ctx)))
            raise typer.Exit(INTERRUPTED if type(error).__name__ == "TrainingInterruptedError" else 2) from error
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and "allocate memory" not in str(error):  # how PyTorch says it
                raise
            _say("not enough memory for what the file or the settings ask for; make that smaller, or free memory")
            raise typer.Exit(2) from error
        except OSError as error:
            place = error.filename2 or error.filename  # of a copy, the second is where it was to go
            if error.errno not in (*FULL, *CLOSED):
                if place is None or error.errno is None:
                    raise
                _say(f"{os.strerror(error.errno)}: {reprlib.repr(os.fsdecode(place))}; choose another name or place")
                raise typer.Exit(2) from error
            where = f" ({place})" if place else ""
            reason = "the disk is full" if error.errno in FULL else "no permission to write or read there"
            _say(f"{reason}{where}; nothing that was finished is lost; make room or choose another place")
            raise typer.Exit(2) from error

    def _invoke(self, ctx: Any) -> Any:
        _offered.set(_options(ctx))
        return super().invoke(ctx)


class Lines(logging.Handler):
    """What the library remarks on, a line each, for whoever typed the command."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.secho(visible(in_options(record.getMessage())), fg=typer.colors.BRIGHT_BLACK, err=True)


@contextmanager
def _told_in_lines() -> Iterator[None]:
    """A doubt or a remark of multihot's own is a line, a doubt once each; warnings of others stay as they are."""
    library, remarks = logging.getLogger("multihot"), Lines(logging.WARNING)
    library.addHandler(remarks)
    with warnings.catch_warnings(), ExitStack() as after:
        after.callback(library.removeHandler, remarks)
        shown = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, MultihotWarning):
                typer.secho(visible(f"warning: {in_options(str(message))}"), fg=typer.colors.YELLOW, err=True)
            else:
                shown(message, category, *place, **more)

        warnings.simplefilter("once", MultihotWarning)
        warnings.showwarning = show
        yield


@contextmanager
def stopped_in_one_line() -> Iterator[None]:
    """Ctrl-C before a command has begun, while its words are read, ends in one line too."""
    try:
        yield
    except KeyboardInterrupt:
        _say("stopped")
        sys.exit(INTERRUPTED)


def as_options(message: str, options: Collection[str]) -> str:
    """A message with the arguments of Python that it names written as options of the command line.

    Args:
        message: as the library gives it.
        options: those that the command has, such as ``--labels``; others are written as settings, where it has --set, and are left out of
            remarks in brackets where it has not.

    >>> as_options("name it with text=, say encoding='latin-1', or id='' for numbers", {"--text", "--id", "--set"})
    "name it with --text, say --set data.encoding=latin-1, or --id '' for numbers"
    >>> as_options("there is no column 'a' (features=)", {"--out"})
    "there is no column 'a'"
    """

    def written(match: re.Match[str]) -> str:
        name, value = match["name"], match["value"]
        if f"--{name}" not in options:
            return match[0] if "--set" not in options else f"--set data.{name}={(value or '').strip(QUOTES)}"
        return f"--{name}" if value is None else f"--{name} {shlex.quote(value.strip(QUOTES))}"

    return re.sub(r" \(\w+=\)", "", ARGUMENT.sub(written, message))


def in_options(line: str) -> str:
    """A line of the library's for whoever typed the command that is running."""
    return as_options(line, _offered.get())


def _no_option(name: str, ctx: Any) -> str:
    """What to type in place of an option that there is not: the setting of that name, or the nearest option."""
    from ..experiments.config import settings_called

    offered, words = _options(ctx), ctx.meta[WORDS]
    meant = settings_called(name.lstrip("-").replace("-", "_")) if "--set" in offered else []
    if meant:
        settings = [f"--set {shlex.quote(f'{key}={_value_of(name, words)}')}" for key in meant]
        return f"there is no option {name}; write {' or '.join(settings)}"
    command = " ".join(["multihot", *itertools.takewhile(str.isalpha, words[:2])])
    return f"there is no option {name}; {nearest(name, offered, f'{command} --help')}"


def _value_of(option: str, words: Sequence[str]) -> str:
    """What was typed behind an option."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.partition("=")[0] == option:
            return word.partition("=")[2] or following or "VALUE"
    return "VALUE"


def _options(ctx: Any) -> frozenset[str]:
    """The options of the command that was called."""
    command = ctx.command
    for word in ctx.meta[WORDS]:
        command = getattr(command, "commands", {}).get(word, command)
    return frozenset(option for parameter in command.params for option in parameter.opts)


def _say(line: str) -> None:
    typer.secho(visible(f"multihot: {line}"), fg=typer.colors.RED, err=True)
