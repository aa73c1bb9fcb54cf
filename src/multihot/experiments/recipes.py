"""Recipes: configurations that come with multihot, each with the command that runs it and the figures that were published for it."""

from __future__ import annotations

from pathlib import Path

from ..components import UntrustedError
from ..errors import ConfigurationError, completed, nearest
from .config import Config, load_config

FOLDER = Path(__file__).parents[1] / "recipes"


def recipe_names() -> list[str]:
    """The names of all recipes, in alphabetical order: ``<data set>/<author><year>-<method>``.

    >>> "reuters21578/tsai2019-br" in recipe_names()
    True
    """
    return sorted(str(recipe_name(path)) for path in FOLDER.rglob("*.yaml"))


def recipe_path(name: str) -> Path:
    """The file of a recipe; the part of its name behind the slash will do where no other ends so.

    Raises:
        ConfigurationError: if there is none of that name, or more than one; the message names near misses.

    >>> recipe_path("reuters21578/tsai2019-br").name
    'tsai2019-br.yaml'
    """
    found = completed(name, recipe_names())
    if not found:
        raise ConfigurationError(f"there is no recipe '{name}'; {nearest(name, recipe_names(), 'multihot recipes list')}")
    if len(found) > 1:
        raise ConfigurationError(f"recipe '{name}' may be {' or '.join(found)}; give one of these names")
    return FOLDER / f"{found[0]}.yaml"


def recipe_name(path: Path) -> str | None:
    """The name of the recipe that lies in a file; None for any other file."""
    return path.relative_to(FOLDER).with_suffix("").as_posix() if path.is_relative_to(FOLDER) else None


def find_recipe(source: str) -> Path | None:
    """The recipe that a source of data may name instead, or None where it names something else.

    Args:
        source: what was given to ``multihot train``.

    Raises:
        ConfigurationError: for what can only be a recipe's name misspelt: no such path exists, but recipes lie in that folder; and for
            the end of several names that is no data set and no method either.

    >>> find_recipe("reuters21578") is None, find_recipe("linear-svm") is None
    (True, True)
    """
    from ..data import catalog
    from ..learners import method_summaries

    found = completed(source, recipe_names())
    if source in found:
        return recipe_path(source)
    if found and not (Path(source).exists() or catalog.find(source) or source in method_summaries()):
        return recipe_path(source)
    folders = {name.rpartition("/")[0] for name in recipe_names()}
    if source.rpartition("/")[0] in folders and not Path(source).exists():
        return recipe_path(source)
    return None


def summary(path: Path) -> str:
    """What a recipe is in one sentence: the first line of its header."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def check_recipe(path: Path) -> Config:
    """Read a recipe, or any other configuration, and refuse what cannot work before any data is read.

    Args:
        path: the YAML file.

    Returns:
        The experiment.

    Raises:
        ConfigurationError: naming the file, the key or part that cannot work, and the nearest that can.
    """
    from ..data import catalog
    from ..learners import learner_of
    from .methods import check_experiment

    try:
        config = Config.from_dict(load_config(path))
        check_experiment(config)
        entry = catalog.find(config.data.source) if isinstance(config.data.source, str) else None
        if entry is not None:
            learner_of(config.method).check(entry.modality)
    except UntrustedError as error:
        raise error.said_of(path) from None
    except ConfigurationError as error:
        raise ConfigurationError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    return config
