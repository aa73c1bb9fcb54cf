"""Time to the thesis's quality: seconds of one core until validation micro-F1 on Reuters-21578 is what the published row says.

Each method trains on ``text_bag`` in place of the thesis's BiLSTM, with the split of the thesis's recipes, and is measured after every
epoch; its target stands in its recipe (thesis, table 4.6, of the test split). Seconds are processor time of this process, validations
included, so that other programs beside it disturb little. A linear SVM is the classical yardstick: one point, without epochs.

    OMP_NUM_THREADS=1 python benchmarks/time_to_quality.py --out time_to_quality.json --plot time_to_quality.svg
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import yaml
from yardsticks.measuring import data_folder, finish, read_options, skip

from multihot.classical import fit_classical
from multihot.data import MultiLabelData, load
from multihot.data.batches import make_loader
from multihot.experiments.config import Config
from multihot.experiments.fit import settle
from multihot.experiments.recipes import recipe_path
from multihot.experiments.set_aside import set_aside
from multihot.method import Method
from multihot.metrics import evaluate
from multihot.predictions import Prediction
from multihot.training.fit import seed_everything, train

ENCODER = {"name": "text_bag", "width": 256, "dropout": 0.5, "word_dropout": 0.2}
RECIPES = {"br": "tsai2019-br", "seq2seq": "tsai2019-seq2seq", "ocd": "tsai2019-ocd", "ocd-mtl": "tsai2019-ocd-mtl-joint"}
YARDSTICK = "linear-svm"
Curve = list[tuple[float, float]]  # (processor seconds since the training began, validation micro-F1)


class EnoughError(Exception):
    """Raised to end a training that has reached its target or used up its time."""


def published(method: str) -> float:
    """Micro-F1 of the method's row in the thesis's table."""
    recipe = yaml.safe_load(recipe_path(f"reuters21578/{RECIPES[method]}").read_text(encoding="utf-8"))
    return float(recipe["published"]["measures"]["micro_f1"])


def experiment(method: str, given: argparse.Namespace) -> tuple[Config, MultiLabelData]:
    """The configuration of one training, and its data."""
    parts: dict[str, Any] = {"name": method}
    if method != YARDSTICK:
        parts["encoder"] = ENCODER
    if method not in (YARDSTICK, "br"):
        parts["decoder"] = {"name": "recurrent", "dropout": 0.5}
    data = {"source": "reuters21578", "validation": 0.1, "split": "random", "limit": given.limit}
    config = Config.from_dict(
        {"data": data, "method": parts, "training": {"epochs": given.epochs, "precision": "32-true", "device": "cpu"}, "seed": given.seed}
    )
    rows = set_aside(load("reuters21578"), config.data, config.seed, validation=True)  # the classical method leaves them out, too
    return settle(config, rows), rows


def classical_curve(config: Config, data: MultiLabelData) -> Curve:
    """The one point of a method without epochs."""
    space = data.label_space()
    began = time.process_time()
    predictor = fit_classical(config.method, data, space, config.seed, statistics=data.statistics(space))
    took = time.process_time() - began
    rows = data.splits["validation"]
    return [(took, evaluate(data.targets("validation", space)[0], predictor.predict(rows).chosen)["micro_f1"])]


def neural_curve(config: Config, data: MultiLabelData, target: float, limit: float) -> Curve:
    """Validation micro-F1 after every epoch, until it is the target or the training has taken ``limit`` seconds."""
    curve: Curve = []
    space = data.label_space()
    statistics = data.statistics(space)
    seed_everything(config.seed)
    method = Method.from_config(config.method).for_modality(data.modality).check(data.modality)
    processor = method.build_processor(num_features=data.num_features).fit(data.splits["train"])
    model, objective, decoding = method.assemble(processor, space, statistics)
    loader, validation_loader = (
        make_loader(
            processor.prepare(data.splits[split]), processor, space,
            batch_size=config.training.batch_size, shuffle=split == "train", seed=config.seed,
        )
        for split in ("train", "validation")
    )  # fmt: skip
    ids, targets = list(data.splits["validation"]["id"]), data.targets("validation", space)[0]
    began = time.process_time()

    def judge(prediction: Prediction) -> dict[str, float]:
        found = decoding.fit(prediction.reorder(ids), targets)
        measures = evaluate(targets, found.chosen, found.scores)
        curve.append((time.process_time() - began, measures["micro_f1"]))
        if curve[-1][1] >= target or curve[-1][0] >= limit:
            raise EnoughError
        return measures

    with tempfile.TemporaryDirectory() as folder, suppress(EnoughError):
        train(model, objective, decoding, loader, validation_loader, judge, config.training, Path(folder), config.seed)
    return curve


def measure(method: str, given: argparse.Namespace) -> dict[str, Any]:
    """One method's curve, and when it reached the published figure."""
    config, data = experiment(method, given)
    target = published("br" if method == YARDSTICK else method)
    curve = classical_curve(config, data) if method == YARDSTICK else neural_curve(config, data, target, 60 * given.minutes)
    reached = next((seconds for seconds, value in curve if value >= target), None)
    when = "not reached" if reached is None else f"reached in {reached:.1f} s"
    print(f"{method:<12} {target:.3f} {when}; at the end {curve[-1][1]:.4f} after {curve[-1][0]:.1f} s, {len(curve)} epochs", flush=True)
    return {"method": method, "target": target, "seconds": reached, "curve": curve}


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Validation micro-F1 over seconds; a cross marks where the published figure was reached, a dashed line that figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, pane = plt.subplots(figsize=(7, 4), layout="constrained")
    for number, row in enumerate(rows):
        colour = f"C{number}"
        pane.plot(*zip(*row["curve"], strict=True), marker="o", markersize=4, color=colour, label=row["method"])
        if row["method"] != YARDSTICK:
            pane.axhline(row["target"], color=colour, linestyle="--", linewidth=0.8)
        if row["seconds"] is not None:
            pane.plot(row["seconds"], row["target"], marker="x", markersize=9, color=colour)
    pane.set(xlabel="seconds of one core", ylabel="validation micro-F1", xscale="log")
    pane.grid(alpha=0.3)
    pane.legend()
    figure.savefig(path, dpi=120)


def main() -> int:
    """Print a line a method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=[YARDSTICK, *RECIPES], default=[YARDSTICK, *RECIPES])
    parser.add_argument("--epochs", type=int, default=12, help="of each training; the learning rate falls to 0 in them")
    parser.add_argument("--minutes", type=float, default=8, help="of processor time after which a training ends")
    parser.add_argument("--limit", type=int, help="training texts; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path, help="draw the curves to this file, .svg or .png")
    given = read_options(parser, methods=[YARDSTICK, "br", "ocd-mtl"], epochs=1, limit=200)
    if data_folder() is None:
        return skip(given, "Reuters-21578; set MULTIHOT_DATA to the folder of the data sets")
    torch.set_num_threads(1)
    rows = [measure(method, given) for method in given.methods]
    if given.plot:
        plot(rows, given.plot)
    missed = [] if given.limit else [f"{row['method']} at micro-F1 {row['target']}" for row in rows if row["seconds"] is None]
    return finish(given, rows, missed)


if __name__ == "__main__":
    sys.exit(main())
