"""Pictures: how many the input pipeline prepares a second, how many a training step takes, and what cached features save.

The pipeline decodes JPEGs of 500 x 375 pixels and augments them, here and in worker processes; the step is forward, backward and update of
a network of timm at the same size. A device waits where the pipeline is the slower of the two. Cached features train the same scorer on
what the frozen network gave once, full passes run it in every epoch. All figures of one kind are taken in turn, and the fastest counts.

    python benchmarks/images.py --backbone resnet18 --side 224 --workers 0 1 2 --out images.json
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from typing import Any

import datasets
import numpy as np
import torch
from PIL import Image
from yardsticks.measuring import finish, read_options

from multihot.components import build
from multihot.data.batches import make_loader
from multihot.data.processors import ImageProcessor
from multihot.interfaces import Model
from multihot.labels import LabelSpace
from multihot.learners.feature_cache import encode_once

LABELS = [f"label {i}" for i in range(20)]


def photographs(count: int) -> datasets.Dataset:
    """Smooth noise as JPEG, of the size and about the bytes of a photograph of PASCAL VOC."""
    random = np.random.default_rng(0)
    contents = []
    for _ in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        coarse.resize((500, 375), 3).save(file := io.BytesIO(), format="JPEG", quality=90)
        contents.append(file.getvalue())
    labels = [[LABELS[i % 20], LABELS[(i * 7 + 1) % 20]] for i in range(count)]
    return datasets.Dataset.from_dict({"id": [str(i) for i in range(count)], "labels": labels, "image": contents})


def pictures_a_second(work: Callable[[], int], repeats: int) -> float:
    """The fastest of some runs."""
    rates = []
    for _ in range(repeats):
        begin = time.perf_counter()
        count = work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        rates.append(count / (time.perf_counter() - begin))
    return max(rates)


def loader_of(rows: Any, processor: ImageProcessor, arguments: argparse.Namespace, workers: int = 0) -> Any:
    return make_loader(rows, processor, LabelSpace(LABELS), batch_size=arguments.batch_size, shuffle=True, workers=workers)


def training(arguments: argparse.Namespace, processor: ImageProcessor, **encoder: Any) -> tuple[Model, Callable[[Any], int]]:
    """A model, and an epoch over a loader (or a list of batches) that gives the number of pictures."""
    network = build("encoder", {"name": "timm", "backbone": arguments.backbone, **encoder}, **processor.provides())
    model = Model(network, build("scorer", "binary_relevance", num_labels=len(LABELS), width=network.width)).to(arguments.device).train()
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01, momentum=0.9)
    loss = build("loss", "bce")

    def epoch(batches: Any) -> int:
        count = 0
        for batch in batches:
            batch = batch.to(arguments.device)
            optimiser.zero_grad()
            loss(model.score(batch), batch.targets, batch.known).mean().backward()
            optimiser.step()
            count += len(batch.ids)
        return count

    return model, epoch


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures, in pictures a second; what encoding once costs is in seconds."""
    rows = photographs(arguments.pictures)
    plain = ImageProcessor(size=arguments.side).fit(rows)
    figures: dict[str, Any] = {}
    for augment in (None, "five_positions", "random_crop"):
        processor = ImageProcessor(size=arguments.side, augment=augment).fit(rows)
        for workers in arguments.workers:
            loader = loader_of(rows, processor, arguments, workers)
            sum(len(batch.ids) for batch in loader)  # starts the workers
            rate = pictures_a_second(lambda loader=loader: sum(len(batch.ids) for batch in loader), arguments.repeats)  # type: ignore[misc]
            figures[f"pipeline, {augment or 'resize'}, {workers} workers"] = rate
    _, epoch = training(arguments, plain)
    ready = list(loader_of(rows, plain, arguments))
    figures["training step alone"] = pictures_a_second(lambda: epoch(ready), arguments.repeats)
    _, frozen = training(arguments, plain, freeze=True)
    figures["head on full passes, an epoch"] = pictures_a_second(lambda: frozen(loader_of(rows, plain, arguments)), arguments.repeats)
    model, cached = training(arguments, plain, freeze=True, cache=True)
    begin = time.perf_counter()
    encoded = encode_once(model.encoder, plain, rows, arguments.device)
    figures["encoding once, seconds"] = time.perf_counter() - begin
    model.train()
    figures["head on cached features, an epoch"] = pictures_a_second(
        lambda: cached(loader_of(encoded, plain, arguments)), arguments.repeats
    )
    return figures


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--side", type=int, default=224, help="pixels")
    parser.add_argument("--pictures", type=int, default=64, help="pictures an epoch")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--repeats", type=int, default=2, help="of each figure; the fastest counts")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = read_options(parser, side=64, pictures=8, batch_size=4, workers=[0], repeats=1)
    figures = measure(arguments)
    step = figures["training step alone"]
    for name, value in figures.items():
        unit = f"{value:>10.1f} s" if name.endswith("seconds") else f"{value:>10.1f} pictures/s, {value / step:>7.2f} x the training step"
        print(f"{name:<42}{unit}")
    slow = [name for name, value in figures.items() if name.startswith("pipeline") and value < step]
    return finish(arguments, figures, [f"{name} as quick as the training step" for name in slow])


if __name__ == "__main__":
    sys.exit(main())
