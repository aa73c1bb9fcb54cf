"""``multihot few-shot``: labels never seen in training, told apart from a few rows of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigurationError
from ..storage import check_target
from .tables import make_table, print_tables, say, terminal

TITLES = {"accuracy": "accuracy", "mean_absolute_error": "MAE"}


def few_shot(
    source: Annotated[str, typer.Argument(help="A file, a folder, or a named data set.")],
    shots: Annotated[str, typer.Option(help="Rows of each novel label to learn from, separated by commas.")] = "1,5,10",
    episodes: Annotated[int, typer.Option(help="Novel episodes for each number of shots and seed.")] = 200,
    form: Annotated[str, typer.Option(help="prototypical or fine-tuning.")] = "prototypical",
    distribution: Annotated[str, typer.Option(help="What labels become: gaussian, mixture, one_hot, ...; several by commas.")] = "gaussian",
    sigma: Annotated[float | None, typer.Option(help="Spread of the distributions that have one, in the unit of the axis.")] = None,
    ways: Annotated[int, typer.Option(help="Labels an episode.")] = 5,
    queries: Annotated[int, typer.Option(help="Rows of each label to be tested on.")] = 5,
    updates: Annotated[int, typer.Option(help="Updates of the training on base labels.")] = 400,
    novel: Annotated[float, typer.Option(help="Share of the labels kept for testing.")] = 0.4,
    encoder: Annotated[str | None, typer.Option(help="An encoder's name; by default that of the data's modality.")] = None,
    seeds: Annotated[str, typer.Option(help="Each with its own base and novel labels, separated by commas.")] = "0,1,2",
    text: Annotated[str | None, typer.Option(help="Column with the text.")] = None,
    labels: Annotated[str | None, typer.Option(help="Column with the labels.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Column with the instances' names.")] = None,
    copy: Annotated[Path | None, typer.Option("--from", help="A copy of a named data set at hand.")] = None,
    out: Annotated[Path | None, typer.Option(help="The JSON file to write; by default runs/few-shot-<data>-<form>.json.")] = None,
) -> None:
    """Train on some labels with label distributions as the signal, and test on others with a few rows of each.

    Examples:

      multihot few-shot ages.csv --labels age --distribution gaussian,one_hot --sigma 3

      multihot few-shot ages.csv --labels age --form fine-tuning --shots 1,5 --episodes 100
    """
    from ..experiments.few_shot import FewShotSettings
    from ..experiments.few_shot import few_shot as run
    from ..storage.json_files import write_json

    settings = FewShotSettings(
        shots=_numbers("shots", shots), distributions=_distributions(distribution, sigma), form=form, episodes=episodes, ways=ways,
        queries=queries, updates=updates, novel=novel, encoder=encoder, seeds=_numbers("seeds", seeds),
    )  # fmt: skip
    from ..data import load

    data = load(source, text=text, labels=labels, id=id_column, from_path=copy)
    path = out or Path("runs") / f"few-shot-{Path(data.name).name.split('.')[0]}-{form}.json"
    check_target(path)
    found = _watched(lambda advance: run(data, settings, advance), settings.total())
    write_json(path, found)
    _show(found, data.name, settings)
    say(f"every figure is in {path}")


def _numbers(name: str, text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words) or len(set(words)) != len(words):
        raise ConfigurationError(f"--{name} takes different whole numbers separated by commas, got '{text}'; for example --{name} 1,5")
    return [int(word) for word in words]


def _distributions(text: str, sigma: float | None) -> list[str | dict[str, Any]]:
    from ..experiments.few_shot import takes_sigma

    names = [name.strip() for name in text.split(",")]
    if sigma is None:
        return list(names)
    if not any(takes_sigma(name) for name in names):
        raise ConfigurationError(f"--sigma {sigma:g} is for distributions that have a spread, and {text} has none; leave --sigma out")
    return [{"name": name, "sigma": sigma} if takes_sigma(name) else name for name in names]


def _watched(work: Any, total: int) -> Any:
    """Do the work under a progress bar where somebody watches."""
    from rich.progress import Progress

    console = terminal(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("few-shot", total=total)
        return work(lambda count: progress.advance(task, count))


def _show(found: dict[str, Any], name: str, settings: Any) -> None:
    measures = [measure for measure in TITLES if measure in found["results"][0]]
    columns = [column for measure in measures for column in (TITLES[measure], "episodes", "seeds")]
    title = f"{name}: {settings.ways} ways, {settings.episodes} episodes, {len(settings.seeds)} seeds, {settings.form}"
    table = make_table("distribution", "shots", *columns, title=title)
    for row in found["results"]:
        part = row["distribution"]
        label = (
            part if isinstance(part, str) else " ".join([part["name"], *(f"{key}={value}" for key, value in part.items() if key != "name")])
        )
        table.add_row(label, str(row["shots"]), *(cell for measure in measures for cell in _cells(row[measure])))
    print_tables(table)


def _cells(figures: dict[str, Any]) -> list[str]:
    """The mean, and half of what its intervals over episodes and over seeds are wide."""
    intervals = (figures["over_episodes"], figures["over_seeds"])
    return [f"{figures['mean']:.3f}", *("" if one is None else f"±{(one[1] - one[0]) / 2:.3f}" for one in intervals)]
