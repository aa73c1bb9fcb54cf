"""What the commands print: tables of measures on standard output, remarks on standard error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from ..errors import visible
from .errors import in_options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

SPLITS = ("validation", "test")


def say(line: str) -> None:
    """A remark for the person at the terminal."""
    typer.secho(visible(in_options(line)), fg=typer.colors.BRIGHT_BLACK, err=True)


def tell(text: str, **options: Any) -> None:
    """What was asked for, on standard output."""
    typer.secho(visible(text), **options)


def terminal(**options: Any) -> Console:
    """A console on which names from data are shown as they are: none is markup, and none steers the terminal."""
    from rich.console import Console
    from rich.segment import Segment

    class Terminal(Console):
        def render_str(self, text: str, **more: Any) -> Text:  # before rich takes some of them out
            return super().render_str(visible(text), **more)

        def render(self, *arguments: Any, **more: Any) -> Iterator[Segment]:
            for segment in super().render(*arguments, **more):
                yield segment if segment.control else Segment(visible(segment.text), segment.style)

    return Terminal(markup=False, emoji=False, **options)


def print_measures(runs: Mapping[str, Mapping[str, Any]]) -> None:
    """The headline measures of some runs side by side; ``runs`` maps a name to the content of its metrics.json."""
    from ..evaluation import telling, tells_label_sets
    from ..metrics.registry import headlines, title_of

    columns = {
        f"{name} {split}".strip(): (telling(metrics[split], tells_label_sets(metrics)), metrics)
        for name, metrics in runs.items()
        for split in SPLITS
        if split in metrics
    }
    table = make_table("measure", *columns)
    for measure in headlines():
        values = [measures.get(measure) for measures, _ in columns.values()]
        if any(value is not None for value in values):
            table.add_row(title_of(measure), *("" if value is None else f"{value:.4f}" for value in values))
    table.add_row("training seconds", *(f"{metrics['cost']['seconds']:.1f}" for _, metrics in columns.values()))
    print_tables(table)


def make_table(first: str, *others: str, title: str | None = None) -> Table:
    """A plain table: the first column names things, the others hold figures."""
    from rich.table import Table

    table = Table(title=title, box=None, header_style="bold", pad_edge=False, title_justify="left")
    table.add_column(first, no_wrap=True)
    for column in others:
        table.add_column(column, justify="right")
    return table


def print_tables(*tables: Any) -> None:
    """Print on standard output."""
    terminal().print(*tables)
