"""The command line: ``multihot train | advise | sweep | decode | compare | report | predict | evaluate | ...``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from . import advise, cache, cite, compare, data, decode, demo, evaluate, few_shot, listing, predict, recipes, report, segment, sweep, train
from .errors import OneLineErrors, stopped_in_one_line

app = typer.Typer(
    name="multihot",
    cls=OneLineErrors,
    help="Multi-label learning: train, decide, measure and predict, from a file of instances with label sets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("train")(train.train)
app.command("advise")(advise.advise)
app.command("sweep")(sweep.sweep)
app.command("few-shot")(few_shot.few_shot)
app.command("decode")(decode.decode)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("segment")(segment.segment)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(data.app, name="data")
app.add_typer(recipes.app, name="recipes")
app.add_typer(cache.app, name="cache")
app.command("list")(listing.list_components)
app.command("cite")(cite.cite)
app.command("demo")(demo.demo)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        from .. import __version__

        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """The entry point of the ``multihot`` command."""
    # PyTorch's threads spin while they wait for each other; where another program wants the cores too, that makes a step of training
    # five to ten times as slow, while sleeping costs next to nothing where none does
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with stopped_in_one_line():
        app()


def main_of_module() -> None:
    """The same for ``python -m multihot`` and ``python -m multihot.cli``."""
    if not sys.flags.safe_path:  # with -m, Python puts the working folder first: what lies there by accident is no module of ours
        del sys.path[0]
    main()
