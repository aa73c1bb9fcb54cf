"""``multihot list``: what there is to choose from."""

from __future__ import annotations

from typing import Annotated

import typer

from ..components import KINDS, choices, first_line
from ..errors import ConfigurationError, nearest
from .tables import print_tables


def list_components(
    kind: Annotated[str | None, typer.Argument(help='What to list: "methods", "losses", "encoders", ...; by default all.')] = None,
) -> None:
    """List methods and components by the names that configurations use.

    Example: multihot list losses
    """
    plurals = {_plural(name): name for name in KINDS}
    if kind is not None and kind not in {"methods", *plurals, *KINDS}:
        raise ConfigurationError(f"there is nothing called '{kind}' to list; {nearest(kind, ['methods', *plurals])}")
    for plural, singular in plurals.items():
        if kind in (None, plural, singular) and (found := choices(singular)):
            _print(plural, {name: first_line(cls) for name, cls in found.items()})
    if kind in (None, "methods"):
        from ..learners import method_summaries

        _print("methods", method_summaries())


def _plural(kind: str) -> str:
    return {"loss": "losses", "classical": "classical"}.get(kind, kind + "s")


def _print(title: str, entries: dict[str, str]) -> None:
    from rich.table import Table

    table = Table(title, "", box=None, header_style="bold", pad_edge=False)
    for name, summary in entries.items():
        table.add_row(name, summary)
    print_tables(table, "")
