"""``multihot demo``: what the library is for, on pictures that it draws itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .compare import shown
from .tables import print_tables, say

METHODS = ("br", "seq2seq", "ocd-mtl")  # each has a recipe, digit-scenes/multihot-METHOD-demo


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the three runs and the report.")] = Path("runs/demo"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the training pictures; by default those of the recipes.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Train three methods on pictures of handwritten digits and say what came out. No download; under three minutes on two cores.

    br decides label by label, seq2seq emits one label after another, ocd-mtl learns both on one encoder. One test picture in five shows
    digits in a combination that no training picture shows. The report opens with who leads, by how much, and whether that may be chance.
    """
    from ..experiments import Config, load_config, override
    from ..experiments.compare import compare
    from ..experiments.comparison_formats import tables_of
    from ..experiments.fit import fit
    from ..experiments.recipes import recipe_path, summary
    from ..report import write_report

    folders = []
    for method in METHODS:
        recipe = recipe_path(f"digit-scenes/multihot-{method}-demo")
        say(f"{method}: {summary(recipe)}")
        content = override(load_config(recipe), [f"seed={seed}", *([f"training.epochs={epochs}"] if epochs else [])])
        folders.append(fit(Config.from_dict(content), out / method, overwrite=True, say=say).folder)
    print_tables(*(part for table in tables_of(compare(folders)) for part in shown(table)))
    report = write_report(folders, out / "report.html")
    say(f"the report is in {report.resolve()}; open it in a browser")
