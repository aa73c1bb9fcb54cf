"""``multihot sweep``: methods x data sets x seeds, with a table of progress."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .tables import print_tables, say, terminal
from .trust import Trust, named

if TYPE_CHECKING:
    from ..experiments.sweep import Cell, Sweep

STYLES = {"waiting": "dim", "running": "yellow", "finished": "green", "failed": "bold red"}


def sweep(
    file: Annotated[Path, typer.Argument(help="A YAML file with data, methods and seeds.")],
    out: Annotated[Path | None, typer.Option(help="Folder of all runs; by default runs/<name of the file>.")] = None,
    measure: Annotated[str, typer.Option(help="The test measure that the table shows.")] = "micro_f1",
    settings: Annotated[
        list[str] | None, typer.Option("--set", callback=named, help="A setting of every run, such as data.folds=5, after the file's own.")
    ] = None,
    trust: Trust = None,
) -> None:
    """Run every method on every data set with every seed; run it again to go on where it was stopped.

    Examples:

      multihot sweep sweep.yaml --out runs/sweep

      multihot sweep sweep.yaml --set data.folds=5
    """
    from rich.live import Live

    from ..experiments.config import load_config
    from ..experiments.sweep import plan_sweep, run_sweep

    folder = out or Path("runs") / file.stem
    planned = plan_sweep(load_config(file), folder, where=str(file), settings=settings or ())
    console = terminal()
    try:
        if console.is_terminal:
            with Live(progress(planned, measure), console=console, refresh_per_second=1) as live:

                def show(cell: Cell) -> None:
                    live.update(progress(planned, measure), refresh=True)

                run_sweep(planned, show, live.console.print, moved=show)
        else:
            run_sweep(planned, lambda cell: _tell(planned, cell, measure), say)
            print_tables(progress(planned, measure))
    except KeyboardInterrupt:
        again = shlex.join(
            ["multihot", "sweep", str(file), *(["--out", str(out)] if out else []), *(f"--set={one}" for one in settings or ())]
        )
        raise KeyboardInterrupt(f"stopped; what is finished stays: `{again}` goes on") from None
    for cell in planned.failed:
        say(f"{cell.folder}: {cell.reason}")
    if planned.failed:
        say(f"{len(planned.failed)} of {len(planned.cells)} runs failed; the same command tries them again")
        raise typer.Exit(1)
    say(f"{len(planned.cells)} runs are in {folder}; `multihot compare {folder}` compares them")


def progress(sweep: Sweep, measure: str) -> Any:
    """One row a data set and method, one column a seed: the measure of what is finished, the state of what is not."""
    from rich.table import Table
    from rich.text import Text

    from ..metrics.registry import title_of

    finished = sum(cell.state == "finished" for cell in sweep.cells)
    title = f"{finished} of {len(sweep.cells)} runs finished, test {title_of(measure)}"
    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    seeds = sorted({cell.seed for cell in sweep.cells})
    for column in ("data", "method"):
        table.add_column(column, no_wrap=True)
    for seed in seeds:
        table.add_column(f"seed {seed}", justify="right")
    rows: dict[tuple[str, str], dict[int, list[Cell]]] = {}
    for cell in sweep.cells:
        rows.setdefault((cell.data, cell.method), {}).setdefault(cell.seed, []).append(cell)
    for (data, method), cells in rows.items():
        table.add_row(data, method, *(Text(*_shown(cells[seed], measure)) for seed in seeds))
    return table


def _shown(folds: list[Cell], measure: str) -> tuple[str, str]:
    """What is shown of a seed's runs, and how: the mean over its folds as far as they are finished, else the state of what is not."""
    unfinished = [cell for cell in folds if cell.state != "finished"]
    state = next((state for state in ("failed", "running", "waiting") if any(cell.state == state for cell in unfinished)), "finished")
    values = [cell.measures[measure] for cell in folds if measure in cell.measures]
    if not values:
        return next((cell.progress for cell in unfinished if cell.progress), state), STYLES[state]
    mean = f"{sum(values) / len(values):.4f}"
    return mean if not unfinished else f"{mean} ({len(values)} of {len(folds)} folds)", STYLES[state]


def _tell(sweep: Sweep, cell: Cell, measure: str) -> None:
    place = sweep.cells.index(cell) + 1
    value = cell.measures.get(measure)
    outcome = "" if value is None else f", {measure} {value:.4f}"
    say(f"[{place}/{len(sweep.cells)}] {cell.data}, {cell.method}, {cell.told}: {cell.state}{outcome}")
