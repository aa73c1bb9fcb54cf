"""Which code outside multihot a command may run: what ``--trust`` allows, and what the user names on the command line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..components import allow, dotted_paths


def named(value: Any) -> Any:
    """Allow the classes that an option's value names: whoever types a name wants it."""
    from ..experiments.config import override

    allow(*dotted_paths(override({}, value) if isinstance(value, list) else value))
    return value


def _trusted(value: list[str] | None) -> list[str] | None:
    allow(*(value or ()))
    return value


Trust = Annotated[
    list[str] | None,
    typer.Option(
        "--trust", callback=_trusted, help="A package or module outside multihot whose classes the file or run may name; repeat for more."
    ),
]
