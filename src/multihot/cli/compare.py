"""``multihot compare``: methods side by side, with error bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigurationError, nearest, visible
from ..storage import check_target, write_text
from .tables import print_tables, say, tell

if TYPE_CHECKING:
    from ..experiments.comparison_formats import Cell, Table


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders that hold some.")],
    baseline: Annotated[str | None, typer.Option(help="The method that all others are tested against.")] = None,
    measures: Annotated[
        str | None,
        typer.Option(
            help="Which measures, separated by commas; by default micro_f1,macro_f1,example_f1,subset_accuracy,map, or those of label "
            "distributions where every run predicts some."
        ),
    ] = None,
    format: Annotated[str | None, typer.Option(help="terminal, markdown, latex or html; by default what --out ends in.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file (.md, .tex, .html).")] = None,
) -> None:
    """Compare runs: what came out in a sentence, spread over seeds, intervals over test instances, paired tests, ranks and cost.

    Examples:

      multihot compare runs/sweep --baseline svm

      multihot compare runs/first runs/second --format latex --out table.tex
    """
    from ..experiments.compare import compare as compare_runs
    from ..experiments.comparison_formats import FORMATS, tables_of

    endings = {".md": "markdown", ".tex": "latex", ".html": "html"}
    wanted = format or (endings.get(out.suffix) if out else "terminal")
    if wanted is None:
        raise ConfigurationError(f"--out {out} does not say which format it is; end it in .md, .tex or .html, or give --format")
    if wanted not in ("terminal", *FORMATS):
        raise ConfigurationError(f"there is no format '{wanted}'; {nearest(wanted, ['terminal', *FORMATS])}")
    if wanted == "terminal" and out is not None:
        raise ConfigurationError(f"--format terminal prints; leave out --out {out}, or give --format markdown, latex or html")
    if out is not None:
        check_target(out)
    names = None if measures is None else [name.strip() for name in measures.split(",") if name.strip()]
    tables = tables_of(compare_runs(runs, baseline, names))
    if wanted == "terminal":
        print_tables(*(part for table in tables for part in shown(table)))
    elif out is None:
        tell(FORMATS[wanted](tables), nl=False)
    else:
        write_text(out, FORMATS[wanted](tables))
        say(f"the comparison is in {out}")


def shown(table: Table) -> list[Any]:
    """A table, what stands before it and its notes for the terminal."""
    from rich.table import Table as RichTable
    from rich.text import Text

    shown = RichTable(title=Text(table.title), box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0), title_justify="left")
    for number, column in enumerate(table.columns):
        shown.add_column(Text(visible(column)), justify="right" if number else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*map(_lines, row))
    lead = [Text(visible(sentence) + "\n", style="bold") for sentence in table.lead]
    return [*lead, shown, *(Text(visible(note), style="dim") for note in table.notes), Text("")]


def _lines(cell: Cell) -> Any:
    from rich.text import Text

    first, *others = map(visible, cell.lines)
    return Text.assemble((first, "bold green" if cell.best else ""), *((f"\n{line}", "dim") for line in others))
