"""``multihot list``: what there is to choose from."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from ..components import KINDS, choices
from ..errors import ConfigurationError, nearest


def list_components(
    kind: Annotated[str | None, typer.Argument(help='What to list: "methods", "losses", "encoders", ...; by default all.')] = None,
) -> None:
    """List methods and components by the names that configurations use.

    Example: multihot list losses
    """
    from rich.console import Console
    from rich.table import Table

    plurals = {_plural(name): name for name in KINDS}
    if kind is not None and kind not in {"methods", *plurals, *KINDS}:
        raise ConfigurationError(f"there is nothing called '{kind}' to list; {nearest(kind, ['methods', *plurals])}")
    console = Console()
    for plural, singular in plurals.items():
        if kind in (None, plural, singular) and (found := choices(singular)):
            table = Table(plural, "", box=None, header_style="bold", pad_edge=False)
            for name, cls in found.items():
                table.add_row(name, _first_line(cls))
            console.print(table, "")
    if kind in (None, "methods"):
        from ..experiments.methods import method_summaries

        table = Table("methods", "", box=None, header_style="bold", pad_edge=False)
        for name, summary in method_summaries().items():
            table.add_row(name, summary)
        console.print(table)


def _plural(kind: str) -> str:
    return {"loss": "losses", "classical": "classical"}.get(kind, kind + "s")


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").split("\n")[0]
