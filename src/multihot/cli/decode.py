"""``multihot decode``: read a finished run by another decoding, without training again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigurationError
from .tables import print_measures, say
from .trust import Trust, named

if TYPE_CHECKING:
    from ..experiments import Config, Run


def decode(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    recipe: Annotated[
        str | None,
        typer.Argument(help="A recipe or YAML configuration of the same training, whose decoding and published figures to take."),
    ] = None,
    decoding: Annotated[str | None, typer.Option(callback=named, help="A decoding's name (`multihot list decodings`).")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", callback=named, help="Any setting of the decoding, the decision or the calibration.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder to make; by default RUN-DECODING, or RUN-DECISION.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that is there.")] = False,
    trust: Trust = None,
) -> None:
    """Read a finished run by another decoding: the same weights in a new run folder, with its own predictions and measures.

    Examples:

      multihot decode runs/ocd-mtl --decoding rescoring

      multihot decode runs/ocd-mtl --set "method.decoding={name: joint, width: 12}" --out runs/ocd-mtl-12

      multihot decode runs/ocd-mtl reuters21578/tsai2019-ocd-mtl-rescoring
    """
    from ..experiments import Run
    from ..experiments.redecode import redecode

    opened = Run(run)
    named = [f"method.decoding={decoding}"] if decoding else []
    if not (named or settings or recipe):
        raise ConfigurationError("decode needs to know how; give --decoding NAME, --set method.decoding=..., or a recipe")
    config = _configuration(opened, recipe, named + (settings or []))
    folder = out or run.with_name(f"{run.name}-{Path(recipe).stem if recipe else _name(config, opened.config)}")
    finished = redecode(opened, config, folder, overwrite=overwrite, say=say)
    print_measures({"": finished.metrics})
    say(f"the run is in {finished.folder}; `multihot compare {run} {finished.folder}` shows both")


def _configuration(run: Run, recipe: str | None, settings: list[str]) -> Config:
    """The run's experiment, or the recipe's with the run's seed, with the settings applied."""
    from ..experiments import Config, load_config, override
    from ..experiments.config import settings_of
    from ..experiments.recipes import recipe_path

    if recipe is None:
        content: dict[str, Any] = run.config.to_dict() | {"published": None}  # those figures are another decoding's
    else:
        content = load_config(Path(recipe) if recipe.endswith((".yaml", ".yml")) else recipe_path(recipe)) | {"seed": run.config.seed}
        content["data"] = {"split_seed": run.config.data.split_seed} | settings_of(content.get("data"), f"{recipe}: data")
    return Config.from_dict(override(content, settings))


def _name(config: Config, before: Config) -> str:
    """What the new run is called after the old one: its decoding or, where that stays, the decision or calibration that changed."""
    from ..learners import learner_of

    decoding, old = (learner_of(one.method).reads_by for one in (config, before))
    parts = [config.method.get(kind) for kind in ("decision", "calibration") if config.method.get(kind) != before.method.get(kind)]
    names = [str(part.get("name", decoding)) if isinstance(part, Mapping) else str(part) for part in parts if part]
    return "-".join(names) if decoding == old and names else decoding
