"""The figures of a data set for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..errors import visible

if TYPE_CHECKING:
    from .describe import Description

BAR = 24  # characters
MOST_LABELS = 10
MOST_SIZES = 9  # label-set sizes shown; larger ones are put together
COLOURS = {"head": "blue", "medium": "cyan", "tail": "yellow"}
SPLIT_FIGURES = (
    ("rows", "rows", "{:,}"),
    ("labelled", "labelled rows", "{:,}"),
    ("empty", "with the empty label set", "{:,}"),
    ("labels", "labels that occur", "{:,}"),
    ("cardinality", "cardinality", "{:.3f}"),
    ("density", "density", "{:.4f}"),
    ("label_sets", "distinct label sets", "{:,}"),
    ("diversity", "diversity", "{:.4f}"),
    ("unseen_sets", "label sets unseen in training", "{:.1%}"),
    ("unseen_rows", "rows with such a label set", "{:.1%}"),
    ("outside", "labels outside the label space", "{:,}"),
    ("mean_words", "mean words", "{:,.2f}"),
    ("median_words", "median words", "{:,.0f}"),
    ("most_words", "most words", "{:,.0f}"),
    ("empty_texts", "empty texts", "{:,.0f}"),
    ("features", "features", "{:,.0f}"),
    ("nonzero_share", "features that are not zero", "{:.1%}"),
)


def tables_of(description: Description) -> list[Any]:
    """What ``Description.print`` shows, from top to bottom."""
    title = f"{description.name}  {description.modality}, {len(description.space):,} labels"
    return [
        Rule(title, align="left", style="dim"),
        _splits(description),
        Rule("label-set sizes (training)", align="left", style="dim"),
        _sizes(description.splits["train"].sizes),
        Rule("labels (training)", align="left", style="dim"),
        _groups(description),
        _labels(description),
        *_pairs(description),
    ]


def _splits(description: Description) -> Table:
    rows = description.to_rows()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    for row in rows:
        table.add_column(row["split"], justify="right")
    for key, words, form in SPLIT_FIGURES:
        if any(row.get(key) for row in rows):
            table.add_row(words, *(form.format(row[key]) if key in row else "" for row in rows))
    return table


def _sizes(sizes: list[int]) -> Table:
    shown = [(str(size), rows) for size, rows in enumerate(sizes[:MOST_SIZES])]
    if len(sizes) > MOST_SIZES:
        shown.append((f"{MOST_SIZES} to {len(sizes) - 1}", sum(sizes[MOST_SIZES:])))
    return _bars([(name, rows, "green") for name, rows in shown if rows], total=sum(sizes))


def _groups(description: Description) -> Group:
    limits = {"head": "100 rows and more", "medium": "20 to 99", "tail": "fewer than 20"}
    groups = description.frequency_groups
    bars = _bars([(f"{name} ({limits[name]})", groups[name], COLOURS[name]) for name in groups], total=len(description.space))
    figures = description.imbalance
    lines = (
        f"imbalance: mean {figures.mean:,.1f} (MeanIR), most to least frequent {figures.largest:,.1f}, "
        f"variation {figures.variation:.2f} (CVIR)",
        f"rare beside frequent labels in one row: {figures.scumble:.3f} (SCUMBLE)",
    )
    return Group(bars, *(Text(line) for line in lines), Text())


def _labels(description: Description) -> Table:
    """The most frequent labels, and the rarest ones where there are too many for all."""
    statistics, order = description.statistics, description.statistics.frequency_order
    group = {label: name for name, labels in statistics.split_by_frequency().items() for label in labels.tolist()}
    all_fit = len(order) <= 2 * MOST_LABELS
    shown = [*order] if all_fit else [*order[:MOST_LABELS], None, *order[-3:]]
    lines = [("...", None, "") if i is None else (description.space.names[i], int(statistics.counts[i]), COLOURS[group[i]]) for i in shown]
    return _bars(lines, total=statistics.num_examples)


def _pairs(description: Description) -> list[Any]:
    if not description.pairs:
        return []
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading, side in (("labels", "left"), ("rows", "right"), ("times chance", "right")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    for pair in description.pairs:
        table.add_row(Text(visible(f"{pair.first} + {pair.second}")), f"{pair.rows:,}", f"{pair.lift:.1f}")
    return [Rule("labels that occur together most often (training)", align="left", style="dim"), table]


def _bars(lines: Sequence[tuple[str, int | None, str]], total: int) -> Table:
    """Names with a bar, a count and its share of the total."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="ellipsis", no_wrap=True, max_width=40)
    table.add_column(width=BAR)
    table.add_column(justify="right")
    table.add_column(justify="right", style="dim")
    largest = max((count or 0 for _, count, _ in lines), default=0)
    for name, count, colour in lines:
        if count is None:
            table.add_row(name, "", "", "")
            continue
        bar = Text("━" * max(round(BAR * count / max(largest, 1)), count > 0), style=colour)
        table.add_row(Text(visible(name)), bar, f"{count:,}", f"{count / max(total, 1):.1%}")
    return table
