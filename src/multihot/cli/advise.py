"""``multihot advise``: which loss, sampler, decision, initial bias and methods a data set asks for, and whether measuring agrees."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigurationError
from ..storage import check_target
from .errors import in_options
from .tables import make_table, print_tables, say, tell
from .trust import named

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from ..experiments.ablation import Ablation
    from ..experiments.advise import Advice
    from ..experiments.candidates import Candidate


def advise(
    source: Annotated[str, typer.Argument(help="A file, a folder, or a named data set.")],
    measure: Annotated[str, typer.Option(help="What is wanted: micro_f1, macro_f1, example_f1, subset_accuracy or map.")] = "micro_f1",
    missing: Annotated[bool, typer.Option("--missing", help="An absent label may only not have been annotated.")] = False,
    text: Annotated[str | None, typer.Option(help="Column with the text.")] = None,
    labels: Annotated[str | None, typer.Option(help="Column with the labels.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Column with the instances' names.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="What separates the labels in their column.")] = None,
    distribution: Annotated[
        str | None, typer.Option(help="How rows give a label distribution, if they do: degrees, votes or mean_spread.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", callback=named, help="A setting that goes before the advice, as in train.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the configuration that `multihot train` reads (.yaml).")] = None,
    check: Annotated[bool, typer.Option("--check", help="Train the advised settings and their rivals, and compare.")] = False,
    seeds: Annotated[str, typer.Option(help="Of the check, separated by commas.")] = "0,1,2",
    limit: Annotated[int, typer.Option(min=1, help="Training rows that the check draws.")] = 2000,
    runs: Annotated[Path | None, typer.Option(help="Folder of the check's runs; by default runs/advise-<data>-<measure>.")] = None,
) -> None:
    """Recommend a loss and its parameters, a sampler, a decision and the initial bias, and name methods to try, with reasons.

    Examples:

      multihot advise mulan/yeast --measure macro_f1

      multihot advise train.csv --text body --labels tags --out advice.yaml

      multihot advise mulan/yeast --check --seeds 0,1,2
    """
    from ..data import load
    from ..experiments import Config, override
    from ..experiments.advise import advise as advise_on
    from ..experiments.config import save_config
    from ..learners import learner_of

    if out is not None and out.suffix not in (".yaml", ".yml"):
        raise ConfigurationError(f"--out {out} must end in .yaml or .yml, for that is what `multihot train` takes for a configuration")
    if out is not None:
        check_target(out)
    chosen_seeds = _seeds(seeds)
    given = {"text": text, "labels": labels, "id": id_column, "delimiter": delimiter, "distribution": distribution}
    reading = {name: value for name, value in given.items() if value is not None}
    data = load(source, **reading)  # type: ignore[arg-type]
    advice = advise_on(data, measure, missing)
    content = override(advice.to_config(data={"source": source, **reading}), settings or [])
    config = Config.from_dict(content)
    learner_of(config.method).check()
    _show(advice, data.name)
    for candidate in advice.candidates:
        tell(command_line(candidate, source, reading, settings or []))
    if out is not None:
        save_config(out, config)
        say(f"the configuration is in {out}; `multihot train {out}` trains with it")
    if check:
        folder = runs or Path("runs") / f"advise-{Path(data.name).name.split('.')[0]}-{measure}"
        _check(advice, content, data, folder, chosen_seeds, limit)


def command_line(candidate: Candidate, source: str, reading: dict[str, str], settings: list[str]) -> str:
    """The call of ``multihot train`` that tries a method; settings of the user's that are of the method go to binary relevance alone."""
    start = ["multihot", "train", source, "--method", candidate.method]
    words = [*start, *(word for name, value in reading.items() for word in (f"--{name}", value))]
    advised = [f"{key}={_written(value)}" for key, value in candidate.settings.items()]
    own = [setting for setting in settings if candidate.method == "br" or not setting.startswith("method.")]
    return shlex.join([*words, *(word for setting in [*advised, *own] for word in ("--set", setting))])


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _seeds(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words) or len(set(words)) != len(words):
        raise ConfigurationError(f"--seeds takes different whole numbers separated by commas, got '{text}'; for example --seeds 0,1,2")
    return [int(word) for word in words]


def _show(advice: Advice, name: str) -> None:
    figures = advice.figures
    title = (
        f"{name}: {figures.rows:,} rows, {figures.labels:,} labels, {figures.cardinality:.2f} a row (density {figures.density:.3f}), "
        f"MeanIR {figures.mean_imbalance:.2f}, SCUMBLE {figures.scumble:.3f}, {figures.tail} tail labels"
    )
    chosen = [(choice.key, _written(choice.value), choice.reason) for choice in advice.choices]
    print_tables(
        _table(chosen, "setting", "advice", "because", title=title),
        "",
        _table(advice.rejected.items(), "other loss", "why not"),
        "",
        _table([(candidate.method, candidate.reason) for candidate in advice.candidates], "method to try", "because"),
        *(["", _table(advice.others.items(), "other method", "why not")] if advice.others else []),
        *(f"\n{in_options(note)}" for note in advice.notes),
        "",
    )


def _table(rows: Iterable[Sequence[str]], *columns: str, title: str | None = None) -> RichTable:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=not number, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _check(advice: Advice, content: dict[str, Any], data: Any, folder: Path, seeds: list[int], limit: int) -> None:
    from ..experiments.ablation import held_out, plan_ablation, run_ablation

    planned = plan_ablation(advice, content, folder, seeds)
    found = run_ablation(planned, held_out(data, limit), advice.measure, say)
    _show_ablation(found)
    say(f"{len(planned.cells)} runs are in {folder}; `multihot compare {folder}` shows more measures")


def _show_ablation(found: Ablation) -> None:
    from ..metrics.registry import title_of

    name = title_of(found.measure)
    table = make_table("settings", name, "over seeds", "over instances", "p", title=f"{found.comparison.data_sets[0].rows:,} held-out rows")
    for one in found.ranking:
        seeds = one.spread[found.measure]
        interval, p = one.intervals.get(found.measure), one.p_values.get(found.measure)
        table.add_row(
            one.name,
            f"{seeds.mean:.4f}",
            f"±{seeds.deviation:.4f}" if seeds.seeds > 1 else "",
            f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "",
            f"{p:.3f}" if p is not None else "",
        )
    print_tables(table)
    best = found.ranking[0].name
    if best == "advised":
        tell("The check agrees: the advised settings come first.")
    elif found.agrees:
        tell(f"The check agrees: '{best}' comes first, but not significantly.")
    else:
        tell(f"The check disagrees: '{best}' is significantly better than the advised settings; prefer it.")
