"""``multihot report``: one HTML file about a run, or about several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .tables import say


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, or folders that hold some; several runs are compared.")],
    out: Annotated[Path, typer.Option(help="The HTML file to write.")] = Path("report.html"),
    split: Annotated[str | None, typer.Option(help='"test" or "validation"; by default test, where all runs were measured on it.')] = None,
) -> None:
    """Write a report that opens in any browser without a network, and with what came out in one sentence.

    Examples:

      multihot report runs/first

      multihot report runs/demo/br runs/demo/ocd-mtl --out comparison.html
    """
    from ..experiments.grouping import find_runs
    from ..report import write_report

    folders = find_runs(runs)
    path = write_report(folders, out, split)
    what = f"{len(folders)} runs" if len(folders) > 1 else str(folders[0])
    say(f"the report of {what} is in {path} ({path.stat().st_size / 1e6:.1f} MB); open it in a browser")
