"""``multihot segment``: a class for every pixel, learned from smoothed masks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from .tables import make_table, print_tables, say


def segment(
    folder: Annotated[Path, typer.Argument(help="A folder with JPEGImages, SegmentationClass and ImageSets, such as VOC2012.")],
    out: Annotated[Path | None, typer.Option(help="Folder to make; by default runs/segment-<data>.")] = None,
    kernel: Annotated[int, typer.Option(help="Side of the window that smooths the masks, in pixels; 1 leaves them one-hot.")] = 5,
    sigma: Annotated[float, typer.Option(help="Standard deviation of the window in pixels.")] = 1.0,
    stride: Annotated[int, typer.Option(help="Pixels from window to window.")] = 1,
    encoder: Annotated[str, typer.Option(help="An encoder of pictures, such as image_cnn or timm.")] = "image_cnn",
    backbone: Annotated[str | None, typer.Option(help="Of the encoder timm, such as resnet50.")] = None,
    pretrained: Annotated[str | None, typer.Option(help="A file of weights for the backbone.")] = None,
    size: Annotated[int, typer.Option(help="Side of the square that pictures are resized to for the network.")] = 224,
    classes: Annotated[Path | None, typer.Option(help="File with the names of the classes, one a line; by default VOC's 21.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training pictures.")] = 30,
    batch_size: Annotated[int, typer.Option(help="Pictures a batch.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="Adam's.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Of weights, batches and the pictures that choose the checkpoint.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a segmentation that is there.")] = False,
) -> None:
    """Train on the masks of a folder like VOC2012, predict those of its val.txt as PNG, and measure them.

    Examples:

      multihot segment VOCdevkit/VOC2012 --encoder timm --backbone resnet50 --pretrained resnet50.safetensors

      multihot segment VOCdevkit/VOC2012 --kernel 1 --out runs/one-hot
    """
    from ..data.masks import VOC_LABELS
    from ..experiments.segmentation import SegmentationSettings
    from ..experiments.segmentation import segment as run
    from ..training.settings import TrainingSettings

    options = {"backbone": backbone, "pretrained": pretrained}
    settings = SegmentationSettings(
        encoder={"name": encoder, **{key: value for key, value in options.items() if value is not None}},
        size=size, kernel_size=kernel, sigma=sigma, stride=stride, labels=_names(classes) if classes else VOC_LABELS, seed=seed,
        training=TrainingSettings(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, monitor="mean_iou"),
    )  # fmt: skip
    place = out or Path("runs") / f"segment-{folder.resolve().name}"
    found = run(folder, place, settings, overwrite=overwrite)
    table = make_table("class", "IoU", title=f"{folder}, val.txt")
    for name, value in found["iou"].items():
        if value is not None:
            table.add_row(name, f"{value:.4f}")
    table.add_row("mean IoU", f"{found['mean_iou']:.4f}")
    table.add_row("pixel accuracy", f"{found['pixel_accuracy']:.4f}")
    print_tables(table)
    say(f"masks, weights and measures are in {place}")


def _names(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}; --classes takes a text file with one name a line, the first for class 0")
    names = tuple(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    if len(set(names)) != len(names):
        raise ConfigurationError(f"{path} names a class twice; give every class a name of its own")
    return names
