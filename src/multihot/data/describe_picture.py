"""The figures of a data set as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .describe import Description

COLOURS = {"head": "#2f6db3", "medium": "#4fb3a5", "tail": "#e0a030"}
INK, FAINT = "#333333", "#999999"
MOST_CELLS = 20  # labels in the heat map
NAMED_BARS = 30  # up to so many labels the bars carry names


def figure_of(description: Description) -> Figure:
    """Three panels: label frequencies, label-set sizes, and which labels occur together.

    Raises:
        ConfigurationError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigurationError('the picture needs matplotlib; install it with pip install "multihot[plots]"') from error

    figure = Figure(figsize=(15, 5.2), layout="constrained", facecolor="white")
    frequencies, sizes, together = figure.subplots(1, 3, width_ratios=(1.25, 0.85, 1.1))
    training = description.splits["train"]
    title = f"{description.name}:  {training.labelled:,} training rows, {len(description.space):,} labels, "
    figure.suptitle(f"{title}{training.cardinality:.2f} labels a row", fontsize=13, color=INK, x=0.01, ha="left", weight="bold")
    _draw_frequencies(frequencies, description)
    _draw_sizes(sizes, training.sizes)
    _draw_together(together, description)
    for axes in (frequencies, sizes):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e8e8e8", linewidth=0.8)
        axes.set_axisbelow(True)
    for axes in (frequencies, sizes, together):
        axes.tick_params(colors=INK, labelsize=9)
    return figure


def _draw_frequencies(axes: Axes, description: Description) -> None:
    statistics = description.statistics
    place = np.empty(len(statistics.counts), dtype=np.int64)
    place[statistics.frequency_order] = np.arange(len(place))
    for group, labels in statistics.split_by_frequency().items():
        if not len(labels):
            continue
        legend = f"{group}: {len(labels):,} label{'s' * (len(labels) != 1)}"
        heights = statistics.counts[labels]
        if len(place) <= 200:
            axes.bar(place[labels], heights, width=0.85, color=COLOURS[group], label=legend)
        else:
            ranks, heights = np.sort(place[labels]), -np.sort(-heights)
            axes.fill_between(ranks, heights, 0.5, step="mid", color=COLOURS[group], label=legend, linewidth=0)
    axes.set_yscale("log")
    axes.set_ylim(0.5, max(statistics.counts.max(), 1) * 5)  # room for the legend
    axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    axes.set_xlim(-0.7, len(place) - 0.3)
    if len(place) <= NAMED_BARS:
        axes.set_xticks(
            range(len(place)), [_short(description.space.names[i]) for i in statistics.frequency_order], rotation=60, ha="right"
        )
    else:
        axes.xaxis.set_major_formatter(lambda rank, _: f"{rank:,.0f}")
        axes.set_xlabel("labels, the most frequent first", color=INK)
    figures = f"MeanIR {description.imbalance.mean:,.1f}, SCUMBLE {description.imbalance.scumble:.3f}"
    axes.set_title(f"how often each label occurs\n({figures})", fontsize=11, color=INK, loc="left")
    axes.set_ylabel("training rows (log scale)", color=INK)
    axes.legend(frameon=False, fontsize=9, loc="upper right", ncols=3, columnspacing=1.2, handlelength=1.2)


def _draw_sizes(axes: Axes, sizes: list[int]) -> None:
    shares = np.asarray(sizes) / max(sum(sizes), 1)
    shown = 1 + int(np.searchsorted(np.cumsum(shares), 0.999)) if len(shares) > 12 else len(shares)
    shown = min(max(shown, 1), len(shares))
    axes.bar(range(shown), shares[:shown], width=0.85, color="#7a6fb0")
    if shown <= 15:
        axes.set_xticks(range(shown))
        for size, share in enumerate(shares[:shown]):
            if share:
                axes.annotate(f"{share:.0%}" if share >= 0.01 else "<1%", (size, share), ha="center", va="bottom", fontsize=8, color=INK)
    rest = "" if shown == len(shares) else f", {shares[shown:].sum():.1%} have more"
    axes.set_xlabel(f"labels a row carries{rest}", color=INK)
    axes.set_title("label-set sizes", fontsize=11, color=INK, loc="left")
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_ylabel("share of the training rows", color=INK)


def _draw_together(axes: Axes, description: Description) -> None:
    statistics = description.statistics
    order = statistics.frequency_order[:MOST_CELLS]
    counts = statistics.counts[order]
    together = statistics.co_occurrence[order][:, order].toarray() / np.maximum(counts, 1)[:, None]
    np.fill_diagonal(together, np.nan)
    most = max(float(np.nanmax(together)), 0.01) if len(order) > 1 else 1.0
    picture = axes.imshow(together, cmap=_with_grey("BuPu"), vmin=0, vmax=most, aspect="equal")
    names = [_short(description.space.names[i]) for i in order]
    axes.set_xticks(range(len(order)), names, rotation=60, ha="right")
    axes.set_yticks(range(len(order)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    which = "all labels" if len(order) == len(statistics.counts) else f"{len(order)} most frequent labels"
    axes.set_title(f"share of the left label's rows that carry the lower label\n({which})", fontsize=11, color=INK, loc="left")
    bar = axes.figure.colorbar(picture, ax=axes, shrink=0.75, format=lambda share, _: f"{share:.0%}")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=INK)


def _with_grey(name: str) -> Any:
    """A colour map that shows what is not a number, here the diagonal, in grey."""
    from matplotlib import colormaps

    return colormaps[name].with_extremes(bad="#e4e4e4")


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
