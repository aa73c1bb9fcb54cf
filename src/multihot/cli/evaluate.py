"""``multihot evaluate``: measure a run on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigurationError
from ..storage import check_target
from .tables import make_table, print_tables, say
from .trust import Trust

GROUPS = {"by_frequency": "labels", "seen_unseen": "label sets"}
SIZES = ("num_examples", "num_labels")


def evaluate(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    source: Annotated[
        str | None, typer.Argument(help="A labelled file or a named data set; by default, the measures of the training.")
    ] = None,
    split: Annotated[str | None, typer.Option(help='Which split of it; by default "test", or the only one.')] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the measures and breakdowns to this JSON file.")] = None,
    trust: Trust = None,
) -> None:
    """Measure a run: every measure, and breakdowns by label frequency, seen and unseen label sets.

    Example: multihot evaluate runs/first more.csv
    """
    from ..evaluation import telling, tells_label_sets
    from ..experiments import Run
    from ..storage.json_files import write_json

    if out is not None:
        check_target(out)
    opened = Run(run)
    if source is None:
        split = split or ("test" if "test" in opened.metrics else "validation")
        if split not in opened.metrics:
            raise ConfigurationError(f"{run} was not measured on '{split}'; give a labelled file to measure it on")
        result = {"measures": opened.metrics[split], "breakdowns": opened.metrics["breakdowns"][split]}
    else:
        result = opened.evaluate(source, split)
        for label, count in list(result["unseen_labels"].items())[:5]:
            say(f"label '{label}' ({count} times) is not one of the run's labels and is left out")
    label_sets = tells_label_sets(opened.metrics)
    table = make_table("measure", "value")
    for name, value in telling(result["measures"], label_sets).items():
        table.add_row(name, f"{value:.4f}")
    print_tables(table)
    if label_sets:
        _print_groups(result["breakdowns"])
    if out is not None:
        write_json(out, result)
        say(f"measures and breakdowns are in {out}")


def _print_groups(breakdowns: dict[str, Any]) -> None:
    from ..metrics.registry import compared_by_default, title_of

    for key, title in GROUPS.items():
        groups = breakdowns[key]
        present = {column for group in groups.values() for column in group}
        shown = [column for column in (*SIZES, *compared_by_default("label sets", "scores")) if column in present]
        table = make_table(title, *map(title_of, shown))
        for name, group in groups.items():
            cells = [group.get(column) for column in shown]
            table.add_row(name, *("" if c is None else f"{c:,}" if isinstance(c, int) else f"{c:.4f}" for c in cells))
        print_tables("", table)
