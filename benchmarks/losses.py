"""Forward and backward of every loss, as multiples of PyTorch's binary cross entropy in the same process, and beside its plain formula.

    python benchmarks/losses.py --threads 2 --rounds 15 --out losses.json

All see the same float32 logits and targets, three labels an instance, frequent labels more often; losses of distributions see these
divided by their sum. In every round each contender runs once, one after another; the fastest of its rounds counts, so that what else the
machine does cancels. Memory is the most that was allocated at a time beyond the inputs, gradient included, as the profiler saw it, in
multiples of the logits. ``ATEN_CPU_CAPABILITY=avx2`` in the environment shows what a processor without AVX-512 makes of it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from yardsticks.measuring import finish, peak_bytes, read_options, seconds_of

from multihot.components import build, choices
from multihot.interfaces import Loss
from multihot.labels import LabelStatistics

SIZES = ("256x80", "512x1000", "256x10000")  # instances and labels
LIMIT = 3.0  # times binary cross entropy, and times the logits in memory
PATIENCE = 6.0  # seconds, after which a loss of one size gets no further round
PER_INSTANCE = 3
ARGUMENTS: dict[str, dict[str, Any]] = {"subset_softmax": {"k": PER_INSTANCE}}
OF_DISTRIBUTIONS = {"label_distribution", "ordinal"}  # refuse targets that do not sum to one
OVER_PAIRS = {"subset_softmax", "warp", "pairwise_ranking"}  # neither element-wise nor two sums over labels: without a limit


def plain_focal(s: Tensor, y: Tensor) -> Tensor:
    p = torch.sigmoid(s)
    right = p * y + (1 - p) * (1 - y)
    return (F.binary_cross_entropy_with_logits(s, y, reduction="none") * (1 - right) ** 2).mean(-1)


def plain_asymmetric(s: Tensor, y: Tensor) -> Tensor:
    p = torch.sigmoid(s)
    absent = (1 - p + 0.05).clamp(max=1)
    logs = y * torch.log(p.clamp(min=1e-8)) + (1 - y) * torch.log(absent.clamp(min=1e-8))
    right = p * y + absent * (1 - y)
    return -(logs * torch.pow(1 - right, 0 * y + 4 * (1 - y))).mean(-1)


def plain_hill(s: Tensor, y: Tensor) -> Tensor:
    p, margined = torch.sigmoid(s), torch.sigmoid(s - 1)
    return (-y * (1 - margined) ** 2 * torch.log(margined) + (1 - y) * (1.5 - p) * p**2).mean(-1)


def plain_zlpr(s: Tensor, y: Tensor) -> Tensor:
    signed = (1 - 2 * y) * s
    zeros = torch.zeros_like(s[:, :1])
    absent = torch.cat([signed - y * 1e12, zeros], dim=-1)
    present = torch.cat([signed - (1 - y) * 1e12, zeros], dim=-1)
    return torch.logsumexp(absent, dim=-1) + torch.logsumexp(present, dim=-1)


def plain_threshold_label(s: Tensor, y: Tensor) -> Tensor:
    return plain_zlpr(s[:, :-1] - s[:, -1:], y)


def plain_pairwise(s: Tensor, y: Tensor) -> Tensor:
    absent, present = (s - y * 1e12).logsumexp(-1), (-s - (1 - y) * 1e12).logsumexp(-1)
    return F.softplus(absent + present)


# what one writes down from the paper with PyTorch's own functions, at our defaults; held against ours before anything is measured
PLAIN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "asymmetric": plain_asymmetric,
    "binary_cross_entropy": lambda s, y: F.binary_cross_entropy_with_logits(s, y, reduction="none").mean(-1),
    "circle": plain_pairwise,
    "focal": plain_focal,
    "hill": plain_hill,
    "lsep": plain_pairwise,
    "pairwise_log_sum_exp": plain_pairwise,
    "threshold_label": plain_threshold_label,
    "zlpr": plain_zlpr,
}


def zipf_targets(rows: int, labels: int) -> Tensor:
    """(rows, labels): three labels an instance; the i-th label is drawn with a weight of 1 / i."""
    weights = (1 / torch.arange(1, labels + 1)).expand(rows, -1)
    return torch.zeros(rows, labels).scatter_(1, weights.multinomial(PER_INSTANCE), 1.0)


def step(compute: Callable[[Tensor, Tensor], Tensor], logits: Tensor, targets: Tensor) -> None:
    """One forward and backward."""
    logits.grad = None
    compute(logits, targets).mean().backward()


def contenders(name: str, loss: Loss) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """What runs in a round: the yardstick, our loss, and its plain formula where there is one."""
    found: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"ours": loss}
    found["yardstick"] = F.binary_cross_entropy_with_logits
    if name in PLAIN:
        found["plain"] = PLAIN[name]
    return found


def measure(name: str, rows: int, labels: int, rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Ratios to the yardstick of one loss at one size; at least ``rounds`` of them, or as many as there is patience for."""
    torch.manual_seed(0)
    targets = zipf_targets(rows, labels)
    loss = build(
        "loss", {"name": name} | ARGUMENTS.get(name, {}), statistics=LabelStatistics.from_targets(targets.numpy()), num_labels=labels
    )
    if name in OF_DISTRIBUTIONS:
        targets = targets / targets.sum(-1, keepdim=True)
    loss.set_progress(0.5)  # what changes on the way costs most once it has begun
    logits = torch.randn(rows, labels + loss.extra_logits, requires_grad=True)
    of_labels = logits[:, :labels].detach().requires_grad_()  # the yardstick sees no extra logits
    runs = contenders(name, loss)
    if "plain" in runs:
        torch.testing.assert_close(runs["plain"](logits, targets), loss(logits, targets), rtol=1e-3, atol=1e-5)
    seconds: dict[str, list[float]] = {contender: [] for contender in runs}
    while len(seconds["ours"]) < min(rounds, 5) or (len(seconds["ours"]) < rounds and sum(map(sum, seconds.values())) < PATIENCE):
        for contender, compute in runs.items():
            seconds[contender].append(seconds_of(partial(step, compute, of_labels if contender == "yardstick" else logits, targets), clock))
    yardstick = min(seconds["yardstick"])
    found = {"yardstick_ms": 1000 * yardstick}
    for contender in runs.keys() - {"yardstick"}:
        found[contender] = min(seconds[contender]) / yardstick
        logits.grad = None
        found[f"{contender}_memory"] = peak_bytes(partial(step, runs[contender], logits, targets)) / (4 * logits.numel())
    return found


def row_of(name: str, found: dict[str, dict[str, float]]) -> str:
    """One loss as a row of a Markdown table."""
    cells = []
    for figures in found.values():
        ours, memory = (f"**{value:.1f}**" if value > LIMIT else f"{value:.1f}" for value in (figures["ours"], figures["ours_memory"]))
        plain = f"{figures['plain']:.1f}" if "plain" in figures else ""
        cells.append(f"{ours} | {plain} | {memory}")
    return f"| `{name}` | {' | '.join(cells)} |"


def main() -> int:
    """Print the table as Markdown, and say what is above the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--losses", nargs="*", default=list(choices("loss")), help="names, as `multihot list losses` prints them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), help="instances x labels")
    parser.add_argument("--processor-time", action="store_true", help="instead of wall time; steadier on a busy machine")
    options = read_options(parser, rounds=3, sizes=["32x20"])
    clock = time.process_time if options.processor_time else time.perf_counter
    shapes = [(int(rows), int(labels)) for rows, _, labels in (size.partition("x") for size in options.sizes)]
    titles = [f"{rows} x {labels:,}" for rows, labels in shapes]
    print("| loss | " + " | ".join(f"{title} | plain | memory" for title in titles) + " |")
    print("|---|" + "---|---|---|" * len(shapes))
    results: dict[str, dict[str, dict[str, float]]] = {}
    above: dict[str, list[str]] = {"ours": [], "ours_memory": []}
    for name in options.losses:
        results[name] = {title: measure(name, *shape, options.rounds, clock) for title, shape in zip(titles, shapes, strict=True)}
        print(row_of(name, results[name]), flush=True)
        for kind, cells in above.items():
            cells += [f"{name} at {title}" for title, figures in results[name].items() if figures[kind] > LIMIT]
    print()
    for kind, yardstick in (("ours", "seconds of binary cross entropy"), ("ours_memory", "bytes of the logits")):
        print(f"above {LIMIT:g} times the {yardstick}: {', '.join(above[kind]) or 'none'}")
    words = {"ours": "time", "ours_memory": "memory"}
    missed = [f"{words[kind]} of {cell}" for kind, cells in above.items() for cell in cells if cell.split()[0] not in OVER_PAIRS]
    return finish(options, {"limit": LIMIT, "results": results, "above": above}, missed)


if __name__ == "__main__":
    sys.exit(main())
