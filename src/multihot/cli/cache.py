"""``multihot cache list | clear``: what multihot keeps of the files that it has read, and how to be rid of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .tables import make_table, print_tables, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..data.cache_contents import Kept

app = typer.Typer(no_args_is_help=True, help="What is kept of files that were read, trained on or predicted: list it, clear it.")


@app.command("list")
def list_cache() -> None:
    """List what the cache holds: a row a data set, and one for all that was worked out from their rows.

    Example: multihot cache list
    """
    from ..data.cache import cache_root
    from ..data.cache_contents import contents

    found = contents()
    named = [kept for kept in found if kept.name]
    others = {kind: [kept for kept in found if not kept.name and kept.kind == kind] for kind in dict.fromkeys(kept.kind for kept in found)}
    table = make_table("what", "kind", "made", "MB")
    for kept in sorted(named, key=lambda kept: -kept.size):
        table.add_row(kept.name, kept.kind, _day(kept.made), _megabytes([kept]))
    for kind, some in others.items():
        if some:
            table.add_row(f"{len(some):,} files of {kind}", kind, _day(max(kept.made for kept in some)), _megabytes(some))
    if found:
        print_tables(table)
    tell(f"{_megabytes(found)} MB in {cache_root()}" + ("; `multihot cache clear --older-than 30` makes room" if found else ""))


@app.command("clear")
def clear_cache(
    older_than: Annotated[float, typer.Option(min=0, help="Only what was made so many days ago or before.")] = 0,
    downloads: Annotated[bool, typer.Option("--downloads", help="Data sets that were fetched, too.")] = False,
) -> None:
    """Remove what the cache holds, without asking; what is wanted again is made again. Runs are not touched: they lie elsewhere.

    Examples:

      multihot cache clear

      multihot cache clear --older-than 30
    """
    from ..data.cache import cache_root
    from ..data.cache_contents import clear, contents

    gone = clear(older_than, downloads)
    left = contents()
    tell(f"removed {_megabytes(gone)} MB ({len(gone):,} things); {_megabytes(left)} MB are left in {cache_root()}")


def _megabytes(some: Sequence[Kept]) -> str:
    return f"{sum(kept.size for kept in some) / 1e6:,.1f}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d")
