"""``multihot train``: from a file of instances with label sets to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .tables import print_measures, say
from .trust import Trust, named


def train(
    source: Annotated[str | None, typer.Argument(help="A file, a folder, a named data set, a recipe, or a YAML configuration.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder to make; by default runs/<data>-<method> or runs/<recipe>.")] = None,
    text: Annotated[str | None, typer.Option(help="Column with the text.")] = None,
    labels: Annotated[str | None, typer.Option(help="Column with the labels.")] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Column with the instances' names.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="What separates the labels in their column.")] = None,
    missing: Annotated[str | None, typer.Option(help="Rows whose picture is not there: error or skip.")] = None,
    distribution: Annotated[
        str | None, typer.Option(help="How rows give a label distribution, if they do: degrees, votes or mean_spread.")
    ] = None,
    validation: Annotated[Path | None, typer.Option(help="File with the validation split.")] = None,
    test: Annotated[Path | None, typer.Option(help="File with the test split.")] = None,
    method: Annotated[str | None, typer.Option(help="A method's name (`multihot list methods`).")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", callback=named, help="Any setting, such as method.loss=zlpr or training.epochs=5.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of initial weights, order of batches and sampling; of splits, data.split_seed.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")] = False,
    resume: Annotated[Path | None, typer.Option(help="Go on with the interrupted training of this run folder.")] = None,
    trust: Trust = None,
) -> None:
    """Train a method and leave a run folder: weights, decisions, predictions and measures.

    Examples:

      multihot train train.csv --text body --labels tags --out runs/first

      multihot train reuters21578 --method linear-svm

      multihot train reuters21578 --method br --set method.loss=zlpr --set training.epochs=10

      multihot train reuters21578/multihot-br-quick --seed 1

      multihot train votes.csv --method ldl --distribution votes
    """
    from ..experiments import Config
    from ..experiments.fit import fit
    from ..experiments.fit import resume as go_on

    if resume is not None:
        run = go_on(resume, say=say)
    else:
        settings = [*([f"data.distribution={distribution}"] if distribution else []), *(settings or [])]
        content = _content(source, text, labels, id_column, delimiter, missing, validation, test, method, settings, seed)
        config = Config.from_dict(content)
        run = fit(config, out or _default_folder(source, config), overwrite=overwrite, say=say)
    print_measures({"": run.metrics})
    say(f"the run is in {run.folder}; `multihot predict {run.folder} FILE` gives label sets for new instances")


def _content(
    source: str | None, text: str | None, labels: str | None, id_column: str | None, delimiter: str | None,
    missing: str | None, validation: Path | None, test: Path | None, method: str | None, settings: list[str], seed: int | None,
) -> dict[str, Any]:  # fmt: skip
    from ..experiments import load_config, override
    from ..experiments.config import settings_of
    from ..experiments.recipes import recipe_name

    content: dict[str, Any] = {}
    configuration = _configuration(source)
    if configuration is not None:
        name = recipe_name(configuration)
        say(f"{source}: {name}") if name not in (None, source) else None
        content, source = load_config(configuration), None
    data = settings_of(content.get("data"), f"{configuration}: data")
    if source is not None:
        data["source"] = source
    if validation or test:
        files = {"train": data.get("source"), "validation": validation, "test": test}
        data["source"] = {split: str(path) for split, path in files.items() if path}
    given = {"text": text, "labels": labels, "id": id_column, "delimiter": delimiter, "missing": missing}
    content["data"] = data | {key: value for key, value in given.items() if value is not None}
    if method is not None:
        content["method"] = {"name": method}
        content.pop("published", None)  # those figures are another method's
    if seed is not None:
        content["seed"] = seed
    return override(content, settings)


def _configuration(source: str | None) -> Path | None:
    """The configuration that the source names: a YAML file or a recipe; None where it names data."""
    from ..experiments.recipes import find_recipe

    if source is None:
        return None
    return Path(source) if source.endswith((".yaml", ".yml")) else find_recipe(source)


def _default_folder(given: str | None, config: Any) -> Path:
    from ..experiments.recipes import recipe_name

    configuration = _configuration(given)
    if configuration is not None:
        return Path("runs") / (recipe_name(configuration) or configuration.stem).replace("/", "-")
    source = config.data.source
    name = Path(source if isinstance(source, str) else source["train"]).name.split(".")[0] if source else "run"
    fold = f"-fold{config.data.fold}" if config.data.folds else ""
    return Path("runs") / f"{name}-{config.method.get('name', 'br')}{fold}"
