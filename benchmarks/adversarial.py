"""What an adversarial update costs beside a plain one, for rows of a table, texts and pictures.

    python benchmarks/adversarial.py --rounds 20 --out adversarial.json

Made-up batches on the default encoders. Every round takes one plain update of the classifier, one of the discriminator and one of the
classifier against it, in turn; medians over the rounds. A game of three to one costs what three of the one and one of the other do.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from yardsticks.measuring import finish, read_options, seconds_of

from multihot.components import build
from multihot.interfaces import Model, Objective
from multihot.losses import BinaryCrossEntropyLoss
from multihot.objectives import AdversarialObjective, ScoringObjective
from multihot.types import Batch

LABELS = {"table": 14, "text": 90, "image": 10}
GAME = {"papers": {}, "small": {"layers": 2, "hidden_size": 128, "projection": 64}}


def make_inputs(modality: str, rows: int) -> tuple[str, dict[str, Any], dict[str, Tensor]]:
    """An encoder's name, what its constructor needs, and its inputs."""
    if modality == "table":
        return "tabular", {"num_features": 103}, {"features": torch.randn(rows, 103)}
    if modality == "text":
        tokens = torch.randint(1, 20_000, (rows, 120))
        return "text_cnn", {"vocabulary_size": 20_000}, {"tokens": tokens, "mask": torch.ones_like(tokens, dtype=torch.bool)}
    return "image_cnn", {"image_shape": (1, 40, 40)}, {"image": torch.rand(rows, 1, 40, 40)}


def make_step(model: Model, objective: Objective, batch: Batch, turn: str) -> Callable[[], None]:
    """One update, as training makes it."""
    optimiser = torch.optim.Adam(objective.turn_parameters(model, turn), lr=1e-4, fused=True)

    def step() -> None:
        loss = objective(model, batch, turn)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def measure(modality: str, size: str, rows: int, rounds: int) -> dict[str, float]:
    """Median seconds of each kind of update."""
    torch.manual_seed(0)
    labels = LABELS[modality]
    name, needed, inputs = make_inputs(modality, rows)
    encoder = build("encoder", name, **needed)
    scorer = build("scorer", {"name": "binary_relevance", "layers": 1, "attention": False}, num_labels=labels, width=encoder.width)
    model, loss = Model(encoder, scorer), BinaryCrossEntropyLoss()
    targets = (torch.rand(rows, labels) < 0.2).float()
    batch = Batch(inputs, targets, torch.ones_like(targets, dtype=torch.bool))
    objective = AdversarialObjective(loss, labels, encoder.width, discriminator=dict(GAME[size]))
    objective.set_progress(0.9)
    steps = {
        "plain": make_step(model, ScoringObjective(loss), batch, "model"),
        "discriminator": make_step(model, objective, batch, "discriminator"),
        "classifier": make_step(model, objective, batch, "model"),
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in steps}
    for number in range(rounds + 2):
        for kind, step in steps.items():
            took = seconds_of(step)
            if number >= 2:  # the first two make room
                seconds[kind].append(took)
    return {kind: statistics.median(values) for kind, values in seconds.items()}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = read_options(parser, rounds=1)
    found = {}
    for modality in LABELS:
        for size in GAME:
            seconds = measure(modality, size, options.rows, options.rounds)
            mean = (3 * seconds["discriminator"] + seconds["classifier"]) / 4
            ratios = {kind: seconds[kind] / seconds["plain"] for kind in ("discriminator", "classifier")}
            found[f"{modality}, {size} discriminator"] = {"seconds": seconds, "ratios": ratios, "mean_ratio": mean / seconds["plain"]}
            print(
                f"{modality:6} {size:7} plain {1e3 * seconds['plain']:7.1f} ms   discriminator {ratios['discriminator']:5.1f} times   "
                f"classifier {ratios['classifier']:5.1f} times   mean update of the game {mean / seconds['plain']:5.1f} times"
            )
    return finish(options, found)


if __name__ == "__main__":
    sys.exit(main())
