"""``multihot cite``: BibTeX of the papers behind a run or a method."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .tables import say, tell


def cite(
    what: Annotated[list[str] | None, typer.Argument(help="Run folders, recipes, methods or components; by default everything.")] = None,
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
    from ..data import catalog
    from ..experiments import Config, Run, load_config
    from ..experiments.citations import cited_by_method, cited_by_name
    from ..experiments.recipes import find_recipe

    if Path(thing).is_dir():
        run = Run(thing)
        config, modality = run.config, run.trained_on["modality"]
    elif (recipe := find_recipe(thing)) is not None:
        config, modality = Config.from_dict(load_config(recipe)), None
    else:
        return cited_by_name(thing), []
    entry = catalog.find(config.data.source) if isinstance(config.data.source, str) else None
    keys = cited_by_method(config.method, modality or (entry.modality if entry else None))
    return keys, [entry.citation] if entry else []
