"""What the commands print: tables of measures on standard output, remarks on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

HEADLINE = ("micro_f1", "macro_f1", "macro_f1_harmonic", "example_f1", "subset_accuracy", "hamming_accuracy", "map")


def say(line: str) -> None:
    """A remark for the person at the terminal."""
    typer.secho(line, fg=typer.colors.BRIGHT_BLACK, err=True)


def print_measures(runs: Mapping[str, Mapping[str, Any]]) -> None:
    """The headline measures of some runs side by side; ``runs`` maps a name to the content of its metrics.json."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("run", "split"):
        table.add_column(column, overflow="fold")
    for measure in (*HEADLINE, "seconds"):
        table.add_column(measure.replace("_", " "), justify="right")
    for name, metrics in runs.items():
        for split in ("validation", "test"):
            if split in metrics:
                values = [metrics[split].get(measure) for measure in HEADLINE]
                cells = ["" if value is None else f"{value:.4f}" for value in values]
                table.add_row(name, split, *cells, f"{metrics['cost']['seconds']:.1f}")
    Console().print(table)
