"""Small data in the layout that a recipe of label distributions reads, with pictures whose grey gives the label away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from multihot.data import MultiLabelData, catalog, load
from multihot.experiments import Config

ROWS = 12


def small_source(folder: str, config: Config, path: Path) -> MultiLabelData | None:
    """The data for the recipes of a folder; None for those that read label sets."""
    if folder.startswith("ldl-"):
        return load(_table(path / "x.mat", folder), labels=catalog.get(folder).reading["labels"], distribution=config.data.distribution)
    return load(LAYOUTS[folder](path), **config.data.reading()) if folder in LAYOUTS else None


def _table(path: Path, name: str) -> Path:
    count = catalog.get(name).labels
    modes = np.arange(ROWS) % count
    degrees = np.exp(-np.abs(np.arange(count) - modes[:, None]))
    ages = {"age": modes[None], "x": np.arange(count)[None]} if name == "ldl-fg-net" else {}
    features = np.random.default_rng(0).normal(size=(ROWS, 4)) + modes[:, None]
    savemat(path, {"features": features, "labels": degrees / degrees.sum(1, keepdims=True), **ages})
    return path


def _pictures(folder: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (20 * number, 100, 0)).save(folder / name, "JPEG")
    return folder


def _chalearn(folder: Path) -> Path:
    names = [f"image_{number}.jpg" for number in range(ROWS)]
    lines = [f"{name},{20 + 4.5 * number},{3 + number / 4}" for number, name in enumerate(names)]
    (_pictures(folder, names) / "train.csv").write_text("\n".join(["file,mean,stdev", *lines]))
    return folder / "train.csv"


def _aflw(folder: Path) -> Path:
    names = [f"face{number}.jpg" for number in range(ROWS)]
    lines = [f"{name},{-80.5 + 14 * number},{10 - number}" for number, name in enumerate(names)]
    (_pictures(folder, names) / "poses.csv").write_text("\n".join(["file,yaw,pitch", *lines]))
    return folder / "poses.csv"


def _voc(folder: Path) -> Path:
    _pictures(folder, [f"JPEGImages/{number}.jpg" for number in range(ROWS)])
    (folder / "Annotations").mkdir()
    for number in range(ROWS):
        things = [("car", number % 2), ("bus", 0)] if number % 3 else [("train", 0)]
        body = "".join(f"<object><name>{name}</name><difficult>{hard}</difficult></object>" for name, hard in things)
        (folder / "Annotations" / f"{number}.xml").write_text(f"<annotation>{body}</annotation>")
    return folder


LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "chalearn-age": _chalearn,
    "morph": lambda folder: _pictures(folder, [f"{number:06}_{number % 2}M{20 + number}.JPG" for number in range(ROWS)]),
    "fg-net": lambda folder: _pictures(folder, [f"{number % 3:03}A{5 * number:02}.JPG" for number in range(ROWS)]),
    "pointing04": lambda folder: _pictures(
        folder, [f"Personne01/personne011{number:02}-30{15 * (number - 6):+d}.jpg" for number in range(ROWS)]
    ),
    "aflw": _aflw,
    "voc2007": _voc,
}
