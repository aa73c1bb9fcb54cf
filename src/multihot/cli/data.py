"""``multihot data list | get | stats | longtail``: the catalogue, what a data set is like, and a long-tailed cut of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import warn
from ..storage import check_target
from .tables import make_table, print_tables, say, tell, terminal

app = typer.Typer(no_args_is_help=True, help="Named data sets: list them, get them, and look at what a data set holds.")


@app.command("list")
def list_data() -> None:
    """List the data sets of the catalogue, with their published sizes."""
    from rich.table import Table

    from ..data import catalog

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("name", "modality"):
        table.add_column(column, no_wrap=True, min_width=max(len(column), *(len(getattr(e, column)) for e in catalog.ENTRIES.values())))
    for column in ("rows", "labels", "a row"):
        table.add_column(column, justify="right", no_wrap=True, min_width=6)
    table.add_column("title", overflow="fold")
    for entry in catalog.ENTRIES.values():
        cardinality = "" if entry.cardinality is None else f"{entry.cardinality:.3f}"
        table.add_row(entry.name, entry.modality, f"{sum(entry.rows.values()):,}", str(entry.labels), cardinality, entry.title)
    print_tables(table)
    say("`multihot data get NAME` fetches one; `multihot train NAME` trains on it")


@app.command("get")
def get_data(
    name: Annotated[str, typer.Argument(help="A name that `multihot data list` shows.")],
    copy: Annotated[
        Path | None, typer.Option("--from", help="A copy at hand: a file, its folder, or the folder of many data sets.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Where to put the files; the cache by default.")] = None,
) -> None:
    """Fetch a data set, check its digests, and prepare it.

    Examples:

      multihot data get goemotions

      multihot data get mulan/emotions --from ~/datasets
    """
    from ..data import catalog, load

    entry = catalog.get(name)
    say(f"{name}: {entry.name}") if name != entry.name else None
    if not entry.made_by:
        folder = catalog.obtain(entry, copy, to)
        say(f"{entry.title}; terms: {entry.licence}; cite: {entry.citation}")
        say(entry.note) if entry.note else None
        if to is not None:
            tell(str(folder))
            return
    data = load(entry.name, from_path=copy)
    rows = ", ".join(f"{len(rows):,} {split}" for split, rows in data.splits.items())
    tell(f"{entry.name}: {rows}; {len(data.label_space())} labels")


@app.command("stats")
def show_statistics(
    source: Annotated[str, typer.Argument(help="A file, a folder, or a named data set.")],
    picture: Annotated[Path | None, typer.Option(help="Draw the statistics into this file (.png, .svg, .pdf).")] = None,
    text: Annotated[str | None, typer.Option(help="Column with the text.")] = None,
    labels: Annotated[str | None, typer.Option(help="Column with the labels, or the 0/1 columns: a,b,c or first:last.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Column with the instances' names.")] = None,
    features: Annotated[str | None, typer.Option(help="Numeric columns of a table, written like --labels.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="What separates the labels in their column.")] = None,
    format: Annotated[str | None, typer.Option(help="How the file is written, if its name and content do not tell.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the characters; UTF-8 by default.")] = None,
    missing: Annotated[str, typer.Option(help="Rows whose picture is not there: error or skip.")] = "error",
    distribution: Annotated[
        str | None, typer.Option(help="How rows give a label distribution, if they do: degrees, votes or mean_spread.")
    ] = None,
    header: Annotated[bool, typer.Option("--header/--no-header", help="Whether the first line of a table names its columns.")] = True,
) -> None:
    """Show cardinality, density, diversity, imbalance, head and tail, and which labels occur together.

    Examples:

      multihot data stats reuters21578 --picture reuters.png

      multihot data stats train.csv --text body --labels tags
    """
    from ..data import load
    from ..data.assumed import assumed, doubts
    from ..data.describe import describe

    if picture is not None:
        check_target(picture)
    data = load(
        source, format=format, text=text, labels=labels, id=id_column, features=features, delimiter=delimiter, encoding=encoding,
        missing=missing, distribution=distribution, header=header,
    )  # fmt: skip
    space = data.label_space()
    for line in assumed(data, space):
        say(line)
    for line in doubts(data, space):
        warn(line)
    description = describe(data)
    description.print(terminal())
    if picture is not None:
        description.draw(picture)
        say(f"the picture is in {picture}")


@app.command("longtail")
def cut_long_tail(
    source: Annotated[str, typer.Argument(help="A file, a folder, or a named data set.")],
    out: Annotated[Path, typer.Option(help="The folder to write; `multihot train FOLDER` trains on it.")],
    alpha: Annotated[float, typer.Option(help="Power of the Pareto curve; the larger, the faster it falls.")] = 6.0,
    largest: Annotated[int | None, typer.Option(help="Training rows of the most frequent label; all by default.")] = None,
    smallest: Annotated[int, typer.Option(help="What the curve falls towards.")] = 1,
    seed: Annotated[int, typer.Option(help="Decides which rows are drawn.")] = 0,
    text: Annotated[str | None, typer.Option(help="Column with the text.")] = None,
    labels: Annotated[str | None, typer.Option(help="Column with the labels, or the 0/1 columns: a,b,c or first:last.")] = None,
    copy: Annotated[Path | None, typer.Option("--from", help="A copy of a named data set at hand.")] = None,
) -> None:
    """Draw a long-tailed training split along a Pareto curve, as VOC-MLT and COCO-MLT were drawn; other splits stay whole.

    Examples:

      multihot data longtail ucmerced --out ucmerced-lt --largest 400

      multihot data longtail train.csv --labels tags --out train-lt --alpha 6 --seed 1
    """
    from ..data import load
    from ..data.long_tail import cut_long_tail
    from ..data.writing import write_folder

    cut = cut_long_tail(load(source, text=text, labels=labels, from_path=copy), alpha, largest, smallest, seed)
    write_folder(cut.data, out)
    group = {int(label): name for name, members in cut.statistics.split_by_frequency().items() for label in members}
    table = make_table("label", "source", "wanted", "got", "group")
    for label in cut.before.argsort(kind="stable")[::-1]:
        counts = (cut.before[label], cut.wanted[label], cut.statistics.counts[label])
        table.add_row(cut.space.names[label], *(f"{count:,}" for count in counts), group[int(label)])
    print_tables(table)
    sizes = ", ".join(f"{len(members)} {name}" for name, members in cut.statistics.split_by_frequency().items())
    over = int((cut.statistics.counts > cut.wanted).sum())
    tell(f"{cut.statistics.num_examples:,} training rows; labels: {sizes}; {over} above the curve, by the company of rarer labels")
    say(f"the data set is in {out}; `multihot train {out}` trains on it")
    if "test" not in cut.data.splits:
        say("the source has no test split, so training will cut one off the long-tailed rows; rare labels may be missing from it")
