"""What a training step of ZLPR costs as the labels grow to a million: dense targets, lists of present labels, sampled negatives.

    python benchmarks/many_labels.py --out many_labels.json --picture docs/pictures/many-labels.svg

Every way has one linear layer from a hidden vector to the labels and five present labels an instance; a step is forward and backward,
down to the layer's gradient. Memory is what a step holds at most beyond the layer and its inputs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from yardsticks.measuring import finish, peak_bytes, read_options, seconds_of

from multihot.losses import zlpr_loss
from multihot.losses.many_labels import SampledOutputLayer, sparse_zlpr_loss

WIDTH, PRESENT = 64, 5
WAYS = ("dense targets", "lists of present labels", "sampled negatives")
PATIENCE = 0.5  # seconds for which steps are repeated, where --repeat of them are done sooner and are more than one
LIMIT = 3.0  # sampled negatives: a million labels may cost so many times what a thousand do


def dense_step(layer: SampledOutputLayer, hidden: Tensor, positives: Tensor) -> None:
    targets = torch.zeros(len(hidden), len(layer.weight)).scatter_(1, positives, 1.0)
    zlpr_loss(F.linear(hidden, layer.weight, layer.bias[:, 0]), targets).mean().backward()


def listed_step(layer: SampledOutputLayer, hidden: Tensor, positives: Tensor) -> None:
    sparse_zlpr_loss(F.linear(hidden, layer.weight, layer.bias[:, 0]), positives).mean().backward()


def sampled_step(layer: SampledOutputLayer, hidden: Tensor, positives: Tensor) -> None:
    layer(hidden, positives).mean().backward()


STEPS: dict[str, Callable[[SampledOutputLayer, Tensor, Tensor], None]] = dict(
    zip(WAYS, (dense_step, listed_step, sampled_step), strict=True)
)


def measure(way: str, labels: int, rows: int, negatives: int, repeat: int) -> dict[str, float]:
    """Milliseconds, of the shortest of some steps, and MiB of one."""
    torch.manual_seed(0)
    layer = SampledOutputLayer(labels, WIDTH, negatives)
    hidden = torch.randn(rows, WIDTH)
    positives = torch.stack([torch.randperm(labels)[:PRESENT] for _ in range(rows)])

    def work() -> None:
        layer.zero_grad(set_to_none=True)
        STEPS[way](layer, hidden, positives)

    work()
    seconds = [seconds_of(work) for _ in range(repeat)]
    while repeat > 1 and sum(seconds) < PATIENCE:
        seconds.append(seconds_of(work))
    layer.zero_grad(set_to_none=True)
    held = peak_bytes(partial(STEPS[way], layer, hidden, positives))
    return {"milliseconds": 1000 * min(seconds), "mib": held / 2**20}


def draw(results: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    """Time and memory against the number of labels, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "multihot"  # the same figures give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    units = {"milliseconds": "milliseconds a step", "mib": "peak MiB a step"}
    for axis, (unit, title) in zip(axes, units.items(), strict=True):
        for (way, found), marker in zip(results.items(), "os^", strict=True):
            axis.plot(list(found), [figures[unit] for figures in found.values()], marker=marker, label=way)
        axis.set(xscale="log", yscale="log", xlabel="labels", ylabel=title)
        axis.grid(alpha=0.3)
    axes[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> int:
    """Print the table as Markdown, and draw it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--negatives", type=int, default=500)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--picture", type=Path, help="draw the figures, as SVG or PNG")
    options = read_options(parser, labels=[100, 1000], repeat=1)
    print("| labels | " + " | ".join(WAYS) + " |\n|---|" + "---|" * len(WAYS))
    results: dict[str, dict[int, dict[str, float]]] = {way: {} for way in WAYS}
    for labels in options.labels:
        for way in WAYS:
            results[way][labels] = measure(way, labels, options.rows, options.negatives, options.repeat)
        cells = (f"{found[labels]['milliseconds']:.1f} ms, {found[labels]['mib']:.1f} MiB" for found in results.values())
        print(f"| {labels:,} | {' | '.join(cells)} |", flush=True)
    sampled = list(results[WAYS[2]].values())
    growth = {unit: sampled[-1][unit] / sampled[0][unit] for unit in sampled[0]}
    print(f"\nsampled negatives, from {options.labels[0]:,} to {options.labels[-1]:,} labels: " + json.dumps(growth))
    if options.picture is not None:
        draw(results, options.picture)
    missed = [f"{unit} of sampled negatives within {LIMIT} times" for unit, factor in growth.items() if factor > LIMIT]
    return finish(options, {"results": results, "growth": growth, "limit": LIMIT}, missed)


if __name__ == "__main__":
    sys.exit(main())
