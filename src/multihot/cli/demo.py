"""``multihot demo``: two losses on the embedded pictures, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .tables import print_measures, say

DEMO_EPOCHS = 10


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the two runs.")] = Path("runs/demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training pictures.")] = DEMO_EPOCHS,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Train binary relevance with two losses on pictures of handwritten digits, and compare them. No download."""
    from ..experiments import Config
    from ..experiments.fit import fit
    from ..report import write_report

    runs = {}
    for loss in ("bce", "zlpr"):
        say(f"digit-scenes, binary relevance, {loss}")
        content = {
            "data": {"source": "digit-scenes"},
            "method": {"name": "br", "loss": loss},
            "training": {"epochs": epochs, "batch_size": 64, "learning_rate": 4e-3, "schedule": "cosine"},
            "seed": seed,
        }
        runs[loss] = fit(Config.from_dict(content), out / loss, overwrite=True, say=say).metrics
    print_measures(runs)
    report = write_report([out / loss for loss in runs], out / "report.html")
    say(f"the report is in {report.resolve()}; open it in a browser")
