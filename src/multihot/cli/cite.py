"""``multihot cite``: BibTeX of the papers behind a run or a method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .tables import say, tell

if TYPE_CHECKING:
    from ..experiments import Config


def cite(
    what: Annotated[
        list[str] | None, typer.Argument(help="Runs, folders of runs, recipes, methods, components; by default everything.")
    ] = None,
) -> None:
    """Print the BibTeX entries of the papers behind runs, recipes, methods or components; the data's paper stands in a comment.

    Examples:

      multihot cite runs/first

      multihot cite zlpr linear-svm
    """
    from ..experiments.citations import references

    entries = references()
    keys: dict[str, None] = {} if what else dict.fromkeys(entries)
    data_sets: dict[str, None] = {}
    for thing in what or []:
        found, data = _cited(thing)
        keys |= dict.fromkeys(found)
        data_sets |= dict.fromkeys(data)
        if not found:
            say(f"{thing} rests on no paper that multihot knows of")
    tell("\n\n".join([*(f"% data: {data}" for data in data_sets), *(entries[key] for key in keys)]))


def _cited(thing: str) -> tuple[list[str], list[str]]:
    """The keys of the papers behind a thing, and the citations of the data it names."""
    from ..experiments import Config, Run, load_config
    from ..experiments.citations import cited_by_name
    from ..experiments.grouping import find_runs
    from ..experiments.recipes import find_recipe

    if Path(thing).is_dir():
        folders = find_runs([thing])
        runs = map(Run, [folder for folder in folders if (folder / "metrics.json").exists()] or folders)
        found = [_cited_by(run.config, run.trained_on["modality"]) for run in runs]
        return [key for keys, _ in found for key in keys], [citation for _, data in found for citation in data]
    if (recipe := find_recipe(thing)) is not None:
        config, modality = Config.from_dict(load_config(recipe)), None
    else:
        return cited_by_name(thing), []
    return _cited_by(config, modality)


def _cited_by(config: Config, modality: str | None) -> tuple[list[str], list[str]]:
    from ..data import catalog
    from ..experiments.citations import cited_by_method

    entry = catalog.find(config.data.source) if isinstance(config.data.source, str) else None
    keys = cited_by_method(config.method, modality or (entry.modality if entry else None))
    return keys, [entry.citation] if entry else []
