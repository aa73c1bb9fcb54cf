"""A comparison as tables, and tables as Markdown, LaTeX and HTML."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..metrics.registry import lower_is_better, of_distributions, title_of
from .compare import Comparison, DataResult, MethodResult, Ranking
from .outcome import SMALL_PRINT

TO = "\u2013"  # the dash between the ends of an interval
LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", TO: "--", "<": r"\textless{}",
    ">": r"\textgreater{}", **{letter: "\\" + letter for letter in "&%$#_{}"},
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """Some lines of text.

    Args:
        lines: one below another.
        best: whether the first line is the best of its column.
    """

    lines: tuple[str, ...] = ("",)
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table of any format.

    Args:
        title: above it.
        columns: headings; the first column names things, the others hold figures.
        rows: of cells.
        notes: sentences below it.
        lead: sentences before it.
    """

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str] = field(default_factory=list)
    lead: list[str] = field(default_factory=list)


def tables_of(comparison: Comparison) -> list[Table]:
    """What came out; measures, label sets and cost of every data set, then average ranks, then what was left out."""
    tables = []
    for data in comparison.data_sets:
        about_sets = not all(map(of_distributions, comparison.measures))
        tables += [_measures_table(data, comparison), *(_label_sets_table(data) if about_sets else []), _cost_table(data)]
    if comparison.ranking:
        tables.append(_ranks_table(comparison.ranking, comparison.measures))
    if comparison.left_out:
        tables[-1].notes.extend(comparison.left_out)
    tables[0].lead.extend(comparison.outcome)
    return tables


def _measures_table(data: DataResult, comparison: Comparison) -> Table:
    rows = []
    best = {name: _best({m.name: m.spread[name].mean for m in data.methods if name in m.spread}, name) for name in comparison.measures}
    for method in data.methods:
        counted = f"{method.trainings} seed{'s' if method.trainings > 1 else ''}" + (f", {method.folds} folds" if method.folds else "")
        cells = [_measure_cell(method, name, method.name in best[name]) for name in comparison.measures]
        rows.append([Cell((method.name, counted)), *cells])
    columns = ["method", *map(title_of, comparison.measures)]
    return Table(f"{data.name}: {data.rows:,} test instances", columns, rows, [*_legend(data, comparison), *data.remarks])


def _measure_cell(method: MethodResult, measure: str, best: bool) -> Cell:
    if measure not in method.spread:
        return Cell()
    found = method.spread[measure]
    lines = [f"{found.mean:.3f}" + ("" if math.isnan(found.deviation) else f" ±{found.deviation:.3f}")]
    if measure in method.intervals:
        lines.append(TO.join(f"{end:.3f}" for end in method.intervals[measure]))
    elif not math.isnan(found.low):
        lines.append("t " + TO.join(f"{end:.3f}" for end in (found.low, found.high)))
    if measure in method.p_values:
        lines.append(_p(method.p_values[measure]))
    if measure in method.published:
        lines.append(f"publ. {method.published[measure]:.3f}")
    return Cell(tuple(lines), best)


def _p(value: float) -> str:
    return "p <0.001" if value < 0.001 else f"p {value:.3f}"


def _best(values: dict[str, float], measure: str) -> set[str]:
    """The methods whose figure is the best as shown; none where there is nothing to choose."""
    if len(values) < 2:
        return set()
    top = (min if lower_is_better(measure) else max)(values.values())
    return {name for name, value in values.items() if f"{value:.3f}" == f"{top:.3f}"}


def _legend(data: DataResult, comparison: Comparison) -> list[str]:
    """What the figures are, as far as they occur."""
    methods, notes = data.methods, []
    if any(method.trainings > 1 for method in methods):
        notes.append("Mean ± standard deviation over seeds.")
    if any(method.intervals for method in methods):
        notes.append(f"Below: {comparison.level:.0%} bootstrap interval over test instances ({comparison.samples:,} draws).")
    if any(m.spread.keys() - m.intervals.keys() and m.trainings > 1 for m in methods):
        notes.append(f"t: {comparison.level:.0%} t-interval of the mean over seeds, where there is none over instances.")
    if any(method.folds for method in methods):
        notes.append("Folds: intervals and tests are over the rows of all folds, each a test row once, and so are metrics of label sets; ")
        notes[-1] += "metrics of rankings are means over the folds, weighted by their rows."
    pairs = {method.pairs for method in methods if method.p_values}
    if pairs:
        of = f"{min(pairs)}" if len(pairs) == 1 else f"{min(pairs)} to {max(pairs)}"
        notes.append(
            f"p: two-sided paired permutation test against {comparison.baseline} ({comparison.swaps:,} swaps of test instances, "
            f"{of} pair{'s' if max(pairs) > 1 else ''} of seeds), not corrected for the number of tests."
        )
    if len(methods) > 1:
        notes.append(SMALL_PRINT)
    notes += [f"Published figures of {method.name}: {method.published_in or 'no source given'}." for method in methods if method.published]
    return notes


def _label_sets_table(data: DataResult) -> list[Table]:
    """Label sets as wholes, where runs were broken down."""
    shown: dict[str, tuple[str, str]] = {
        "labels": ("labels an instance", ".2f"),
        "distinct": ("label sets", ",.0f"),
        "unseen": ("unseen sets", ",.0f"),
        "unseen_examples": ("instances with those", ",.0f"),
        **{
            f"{measure}_{part}": (f"{title_of(measure)}, {part}", ".3f")
            for part in ("seen", "unseen")
            for measure in ("micro_f1", "macro_f1_harmonic")
        },
    }
    if not any("distinct" in method.label_sets for method in data.methods):
        return []
    rows = [
        [
            Cell((method.name,)),
            *(Cell((format(method.label_sets[name], how),)) if name in method.label_sets else Cell() for name, (_, how) in shown.items()),
        ]
        for method in data.methods
    ]
    note = (
        "Unseen: label sets that no training instance carries; first those predicted, then the measures on instances whose true label "
        "set is seen or unseen. Means over seeds."
    )
    return [Table(f"{data.name}: label sets", ["method", *(title for title, _ in shown.values())], rows, [note])]


def _cost_table(data: DataResult) -> Table:
    shown: dict[str, tuple[str, Callable[[float], str]]] = {
        "seconds": ("training seconds", lambda value: f"{value:,.1f}"),
        "best_update": ("best update", lambda value: f"{value:,.0f}"),
        "peak_memory_bytes": ("peak memory, MiB", lambda value: f"{value / 2**20:,.0f}"),
        "parameters": ("parameters", lambda value: f"{value:,.0f}"),
        "predictions_per_second": ("predictions/s", lambda value: f"{value:,.0f}"),
    }
    shown = {name: how for name, how in shown.items() if any(name in method.cost for method in data.methods)}
    rows = [
        [
            Cell((method.name,)),
            *(Cell((write(method.cost[name]),)) if name in method.cost else Cell() for name, (_, write) in shown.items()),
        ]
        for method in data.methods
    ]
    return Table(f"{data.name}: cost", ["method", *(title for title, _ in shown.values())], rows)


def _ranks_table(ranking: Ranking, measures: list[str]) -> Table:
    shown = [name for name in measures if name in ranking.ranks]
    methods = list(ranking.ranks[shown[0]])
    lowest = {name: min(ranking.ranks[name].values()) for name in shown}
    rows = [
        [Cell((method,)), *(Cell((f"{ranking.ranks[name][method]:.2f}",), ranking.ranks[name][method] == lowest[name]) for name in shown)]
        for method in methods
    ]
    if ranking.friedman:
        rows.append([Cell(("Friedman",)), *(Cell((_p(ranking.friedman[name]),)) for name in shown)])
    apart = f"their average ranks are {ranking.difference:.2f} or more apart"
    notes = [f"1 is the best. Two methods differ at the 0.05 level (Nemenyi) where {apart}."]
    return Table(f"Average ranks over {ranking.data_sets} data sets", ["method", *map(title_of, shown)], rows, notes)


def to_markdown(tables: list[Table]) -> str:
    """GitHub-flavoured Markdown."""

    def plain(text: str) -> str:
        return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", " ".join(text.split()))

    parts = []
    for table in tables:
        lines = [f"### {plain(table.title)}", "", _pipe(map(plain, table.columns))]
        lines.append(_pipe(["---", *["---:"] * (len(table.columns) - 1)]))
        for row in table.rows:
            lines.append(_pipe("<br>".join(_first(cell, plain, lambda text: f"**{text}**")) for cell in row))
        lead = [f"{plain(sentence)}\n" for sentence in table.lead]
        parts.append("\n".join([*lead, *lines, "", *(f"{plain(note)}  " for note in table.notes)]).rstrip() + "\n")
    return "\n".join(parts)


def to_latex(tables: list[Table]) -> str:
    """LaTeX ``table`` environments that need no package."""

    def plain(text: str) -> str:
        return "".join(LATEX.get(letter, letter) for letter in " ".join(text.split()))

    parts = []
    for table in tables:
        head = " & ".join(map(plain, table.columns))
        rows = [" & ".join([_stack(row[0], plain, "l"), *(_stack(cell, plain, "r") for cell in row[1:])]) + r" \\" for row in table.rows]
        notes = [rf"\par\footnotesize {' '.join(map(plain, table.notes))}"] if table.notes else []
        lead = [f"{plain(sentence)}\n" for sentence in table.lead]
        begin = [*lead, r"\begin{table}", r"\centering", rf"\caption{{{plain(table.title)}}}"]
        begin += [rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}", r"\hline", head + r" \\", r"\hline"]
        lines = [*begin, *rows, r"\hline", r"\end{tabular}", *notes, r"\end{table}"]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def to_html(tables: list[Table]) -> str:
    """An HTML fragment without script or style."""
    parts = []
    for table in tables:
        head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in table.columns)
        lead = [f"<p><strong>{html.escape(sentence)}</strong></p>" for sentence in table.lead]
        lines = [*lead, f"<h3>{html.escape(table.title)}</h3>", "<table>", f"<thead><tr>{head}</tr></thead>", "<tbody>"]
        for first, *others in table.rows:
            texts = ["<br>".join(_first(cell, html.escape, lambda text: f"<strong>{text}</strong>")) for cell in (first, *others)]
            lines.append(f'<tr><th scope="row">{texts[0]}</th>' + "".join(f"<td>{text}</td>" for text in texts[1:]) + "</tr>")
        lines += ["</tbody>", "</table>", *(f"<p>{html.escape(note)}</p>" for note in table.notes)]
        parts.append("\n".join(['<section class="comparison">', *lines, "</section>"]) + "\n")
    return "\n".join(parts)


FORMATS: dict[str, Callable[[list[Table]], str]] = {"markdown": to_markdown, "latex": to_latex, "html": to_html}


def _first(cell: Cell, plain: Callable[[str], str], strong: Callable[[str], str]) -> list[str]:
    """The escaped lines of a cell; the first one strong where it is the best."""
    lines = [plain(line) for line in cell.lines]
    return [strong(lines[0]), *lines[1:]] if cell.best else lines


def _stack(cell: Cell, plain: Callable[[str], str], side: str) -> str:
    lines = _first(cell, plain, lambda text: rf"\textbf{{{text}}}")
    return lines[0] if len(lines) == 1 else rf"\shortstack[{side}]{{" + r" \\ ".join(lines) + "}"


def _pipe(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
