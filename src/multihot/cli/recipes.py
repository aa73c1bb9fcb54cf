"""``multihot recipes list | show | copy | validate``: experiments with all their settings, ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError, nearest
from ..storage import write_text
from .tables import say, tell
from .trust import Trust

app = typer.Typer(no_args_is_help=True, help="Ready experiments: all their settings, and the published figures beside them.")


@app.command("list")
def list_recipes(
    part: Annotated[str | None, typer.Argument(help="Only recipes whose name holds this, such as a data set's or a paper's.")] = None,
) -> None:
    """List recipes, and where the figures beside them were published.

    Examples:

      multihot recipes list

      multihot recipes list reuters21578
    """
    from ..experiments.config import load_config
    from ..experiments.recipes import recipe_names, recipe_path, summary

    names = [name for name in recipe_names() if part is None or part.lower() in name]
    if not names:
        raise ConfigurationError(f"no recipe's name holds '{part}'; {nearest(str(part), recipe_names(), 'multihot recipes list')}")
    for name in names:
        path = recipe_path(name)
        tell(name, bold=True)
        tell(f"  {summary(path)}")
        if published := load_config(path).get("published"):
            place = f", table {published['table']}" if "table" in published else ""
            tell(f"  figures from: {published['source']}{place}")
    say("`multihot recipes show NAME` prints one; `multihot train NAME` runs it, with --set to change a setting")


@app.command("show")
def show_recipe(name: Annotated[str, typer.Argument(help="A name that `multihot recipes list` shows.")]) -> None:
    """Print a recipe: its command, its settings and the published figures."""
    from ..experiments.recipes import recipe_path

    tell(recipe_path(name).read_text(encoding="utf-8"), nl=False)


@app.command("copy")
def copy_recipe(
    name: Annotated[str, typer.Argument(help="A name that `multihot recipes list` shows.")],
    to: Annotated[Path | None, typer.Argument(help="The file or folder to write to; by default a file here.")] = None,
) -> None:
    """Copy a recipe, to change it: `multihot train FILE.yaml` runs the copy.

    Example: multihot recipes copy reuters21578/tsai2019-br mine.yaml
    """
    from ..experiments.recipes import recipe_path

    path = recipe_path(name)
    target = to or Path(path.name)
    target = target / path.name if target.is_dir() else target
    if target.suffix not in (".yaml", ".yml"):
        raise ConfigurationError(f"{target} would not be taken for a configuration; end its name in .yaml")
    if target.exists():
        raise ConfigurationError(f"{target} is there already; remove it or choose another name")
    write_text(target, path.read_text(encoding="utf-8"))
    say(f"the recipe is in {target}; `multihot train {target}` runs it")


@app.command("validate")
def validate_recipes(
    files: Annotated[list[Path], typer.Argument(help="YAML configurations, or names of recipes.")], trust: Trust = None
) -> None:
    """Check configurations without reading any data: unknown keys and parts that do not fit together are refused."""
    from ..experiments.recipes import check_recipe, find_recipe

    refused = []
    for file in files:
        try:
            check_recipe(find_recipe(str(file)) or file)
        except ConfigurationError as error:
            refused.append(str(error))
        else:
            tell(f"{file}: valid")
    if refused:
        for line in refused[:-1]:
            say(line)
        raise ConfigurationError(refused[-1])
