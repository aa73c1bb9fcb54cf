"""Label-set decoders against the code that the thesis's description suggests, in the same run and with the same weights' shapes.

Training: OCD with multi-task learning at the thesis's size (embedding 512, BiLSTM 2 x 256, decoder 2 x 512, three layers of 512 with
attention, Adam, clipping, batches of 128) over made-up texts. Decoding: joint beam search of width 6, where both sides must find the same
label sets. ``--costs`` measures joint decoding over widths and numbers of labels instead, and ``--plot`` draws it.

    python benchmarks/decoders.py --out decoders.json
    python benchmarks/decoders.py --costs --plot docs/pictures/decoder-costs.png
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from text_lstm import BOUND, VOCABULARY, Texts, make_texts, padded, products_epoch, seconds
from torch import Tensor, nn
from yardsticks.measuring import finish, read_options
from yardsticks.plain_decoder import PlainNetwork, plain_joint_decoding, plain_loss

from multihot.components import build
from multihot.data.samplers import SimilarLengthSampler
from multihot.decoders import RecurrentDecoder
from multihot.decoding import JointDecoding
from multihot.encoders.text_lstm import autocast_supports_lstm
from multihot.interfaces import Model, Objective
from multihot.labels import LabelSpace, LabelStatistics
from multihot.memory import keep_freed_memory
from multihot.scorers import BinaryRelevanceScorer
from multihot.types import Batch

LABELS, HIDDEN, EMBEDDING, ATTENTION, CARDINALITY = 90, 512, 512, 128, 1.24
LIMITS = {"training": 15.0, "decoding": 20.0}
WIDTHS, LABEL_COUNTS = (1, 2, 4, 6, 8, 12, 16), (30, 90, 300, 1000, 3000)


def label_sets(rows: int, num_labels: int, seed: int) -> Tensor:
    """(rows, L): sizes as in Reuters-21578, most sets of one label and the largest of 15."""
    random = np.random.default_rng(seed)
    targets = torch.zeros(rows, num_labels)
    for row, size in enumerate(random.geometric(1 / CARDINALITY, rows).clip(max=15)):
        targets[row, random.permutation(num_labels)[:size]] = 1
    targets[0, :15] = 1
    return targets


def make_model(num_labels: int) -> Model:
    encoder = build("encoder", "text_lstm", vocabulary_size=VOCABULARY, dropout=0.5)
    shared = {"num_labels": num_labels, "width": encoder.width}
    scorer = build("scorer", {"name": "binary_relevance", "attention_size": ATTENTION, "dropout": 0.5}, **shared)
    sizes = {"hidden_size": HIDDEN, "embedding_size": EMBEDDING, "attention_size": ATTENTION, "layers": 2, "dropout": 0.5}
    return Model(encoder, scorer, build("decoder", {"name": "recurrent", "direct": False, "first_cell": False} | sizes, **shared))


def expect_length(decoder: RecurrentDecoder, labels: float) -> None:
    """Let an untrained decoder stop as soon as a trained one does: its probability of going on is that of one more label."""
    with torch.no_grad():
        decoder.output.bias[-1] = math.log(decoder.output.out_features - 1) - math.log(labels)


def plain_epoch(texts: Texts, targets: Tensor, batch_size: int, device: str) -> Callable[[int], Iterator[None]]:
    """What the description suggests: random batches, packed, 25 steps, targets computed for one text after another."""
    network = PlainNetwork(VOCABULARY, LABELS, EMBEDDING, HIDDEN, ATTENTION).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)

    def epoch(number: int) -> Iterator[None]:
        order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(number))
        for rows in order.split(batch_size):
            tokens, lengths = padded(texts, rows.tolist())
            optimizer.zero_grad()
            plain_loss(network, tokens.to(device), lengths, targets[rows].to(device)).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimizer.step()
            yield

    return epoch


def multihot_epoch(
    texts: Texts, targets: Tensor, batch_size: int, device: str, trained: bool, half: bool
) -> Callable[[int], Iterator[None]]:
    """multihot's parts; ``trained`` lets sampled sequences be as long as label sets, as they are after the first updates."""
    model = make_model(LABELS).to(device)
    if trained:
        assert isinstance(model.decoder, RecurrentDecoder), "make_model builds one"
        expect_length(model.decoder, CARDINALITY)
    statistics = LabelStatistics.from_targets(targets.numpy())
    objective: Objective = build("objective", "multitask", loss=build("loss", "bce"), statistics=statistics)
    rate = 0.0 if trained else 5e-4  # so that sequences stay as long as they are
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    sampler = SimilarLengthSampler(len(texts), batch_size, [len(text) for text in texts], shuffle=True)

    def epoch(number: int) -> Iterator[None]:
        sampler.set_epoch(number)
        for rows in sampler:
            tokens, _ = padded(texts, rows)
            known = torch.ones(len(rows), LABELS, dtype=torch.bool)
            batch = Batch({"tokens": tokens, "mask": tokens > 0}, targets[rows], known).to(device)
            optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16) if half else nullcontext():
                loss = objective(model.train(), batch)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            yield

    return epoch


def training_rows(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Epochs of every system in turn; each system's fastest counts."""
    device = arguments.device
    texts, _ = make_texts(arguments.texts, seed=0)
    settings = (texts, label_sets(len(texts), LABELS, seed=0), arguments.batch_size, device)
    few = min(len(texts), arguments.plain_texts)
    systems = {
        "plain loop, 25 steps, packed": plain_epoch(texts[:few], settings[1][:few], arguments.batch_size, device),
        "multihot, first updates": multihot_epoch(*settings, trained=False, half=False),
        "multihot, later updates": multihot_epoch(*settings, trained=True, half=False),
    }
    if device == "cuda" or autocast_supports_lstm(torch.bfloat16):
        systems["multihot, later updates, bfloat16"] = multihot_epoch(*settings, trained=True, half=True)
    systems[BOUND] = products_epoch(texts, arguments.batch_size, device)
    keep_freed_memory()  # as a training does
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in systems}
    for number in range(arguments.epochs):
        for name, epoch in systems.items():
            spent[name].append(seconds(epoch(number), device))
    per_text = {name: few if name.startswith("plain") else len(texts) for name in systems}
    return _rows("training", {name: tuple(time / per_text[name] for time in min(times)) for name, times in spent.items()})


def decisive_model(num_labels: int, batch: Batch) -> Model:
    """Random weights as sure of themselves as trained ones: a text has 1.24 labels whose gain outweighs what it costs to say them."""
    model = make_model(num_labels).to(batch.targets.device).eval()
    assert isinstance(model.scorer, BinaryRelevanceScorer), "make_model builds one"
    with torch.no_grad():
        model.scorer.output.weight *= 1000
        log_odds = model.score(batch)
        cut = log_odds.flatten().kthvalue(round(log_odds.numel() * (1 - CARDINALITY / num_labels))).values
        model.scorer.output.bias.sub_(cut - math.log(num_labels + 1))
    return model


def decoding_batches(rows: int, num_labels: int, batch_size: int, device: str) -> list[Batch]:
    """Batches of similar length, the longest first, as predictions are made."""
    texts, _ = make_texts(rows, seed=1)
    batches = []
    for places in SimilarLengthSampler(rows, batch_size, [len(text) for text in texts], shuffle=False):
        tokens, _ = padded(texts, list(places))
        targets = torch.zeros(len(places), num_labels)
        ids = [str(place) for place in places]
        batches.append(Batch({"tokens": tokens, "mask": tokens > 0}, targets, targets == 0, ids).to(device))
    return batches


@torch.no_grad()
def decoding_rows(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Joint beam search of width 6 by both; refuses to compare speeds where label sets differ."""
    batches = decoding_batches(arguments.texts, LABELS, arguments.batch_size, arguments.device)
    model = decisive_model(LABELS, batches[len(batches) // 2])
    joint = JointDecoding(LabelSpace([f"label {i}" for i in range(LABELS)]), build("loss", "bce"), width=6)
    few = [(batch.inputs["tokens"][row][batch.inputs["mask"][row]], batch.ids[row]) for batch in batches for row in range(len(batch))]
    few = few[:: max(1, len(few) // arguments.plain_texts)]
    start, busy = time.perf_counter(), time.process_time()
    plain = {name: plain_joint_decoding(model, tokens, width=6, most_steps=25) for tokens, name in few}
    spent = {"plain loop over texts and hypotheses": _each(start, busy, len(few))}
    start, busy = time.perf_counter(), time.process_time()
    found = {name: sequence for batch in batches for name, sequence in _sequences(joint, model, batch)}
    spent["multihot"] = _each(start, busy, len(found))
    differing = [name for name, labels in plain.items() if set(labels) != set(found[name])]
    if len(differing) > len(plain) // 100:
        raise SystemExit(f"the plain loop and multihot differ on {len(differing)} of {len(plain)} texts")
    rows = _rows("decoding", spent)
    return [row | {"labels_per_text": sum(map(len, found.values())) / len(found), "differing": len(differing)} for row in rows]


def _sequences(joint: JointDecoding, model: Model, batch: Batch) -> list[tuple[str, list[int]]]:
    prediction = joint(model, batch)
    return list(zip(prediction.ids, prediction.sequences or [], strict=True))


def _each(start: float, busy: float, rows: int) -> tuple[float, float]:
    return (time.perf_counter() - start) / rows, (time.process_time() - busy) / rows


@torch.no_grad()
def cost_rows(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Milliseconds a text of joint decoding over widths at 90 labels, and over numbers of labels at width 6."""
    rows = []
    for width, num_labels in [*((width, LABELS) for width in WIDTHS), *((6, count) for count in LABEL_COUNTS if count != LABELS)]:
        batches = decoding_batches(arguments.texts, num_labels, arguments.batch_size, arguments.device)
        model = decisive_model(num_labels, batches[len(batches) // 2])
        joint = JointDecoding(LabelSpace([f"label {i}" for i in range(num_labels)]), build("loss", "bce"), width=width)
        times = [seconds((None for batch in batches if joint(model, batch)), arguments.device)[0] for _ in range(arguments.epochs)]
        rows.append({"part": "cost", "width": width, "labels": num_labels, "milliseconds_per_text": 1000 * min(times) / arguments.texts})
    return rows


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Cost over width and over the number of labels, side by side."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panes = plt.subplots(1, 2, figsize=(8.4, 3.2), sharey=True, layout="constrained")
    for pane, name, held in zip(panes, ("width", "labels"), (("labels", LABELS), ("width", 6)), strict=True):
        line = sorted((row[name], row["milliseconds_per_text"]) for row in rows if row[held[0]] == held[1])
        pane.plot(*zip(*line, strict=True), marker="o")
        pane.set(xlabel={"width": "beam width, 90 labels", "labels": "number of labels, beam width 6"}[name], ylim=(0, None))
        pane.grid(alpha=0.3)
    panes[1].set_xscale("log")
    panes[0].set_ylabel("milliseconds a text")
    figure.savefig(path, dpi=120)


def _rows(part: str, spent: Mapping[str, tuple[float, ...]]) -> list[dict[str, Any]]:
    """Wall-clock and processor seconds a text as rows of the table, in multiples of the first system's."""
    wall, busy = next(iter(spent.values()))
    return [
        {"part": part, "system": name, "texts_per_second": 1 / own, "ratio": wall / own, "processor_ratio": busy / own_busy,
         "limit": LIMITS[part]}
        for name, (own, own_busy) in spent.items()
    ]  # fmt: skip


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=256, help="texts an epoch, and texts decoded")
    parser.add_argument("--plain-texts", type=int, default=32, help="how many of them the plain loop sees, since it is slow")
    parser.add_argument("--epochs", type=int, default=1, help="epochs of each system; the fastest counts")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--part", choices=["training", "decoding", "both"], default="both")
    parser.add_argument("--costs", action="store_true", help="measure the cost over beam widths and numbers of labels instead")
    parser.add_argument("--plot", type=Path, help="with --costs: draw them to this file")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = read_options(parser, texts=4, plain_texts=2, epochs=1, batch_size=2)
    torch.manual_seed(0)
    if arguments.costs:
        rows = cost_rows(arguments)
        if arguments.plot:
            plot(rows, arguments.plot)
    else:
        parts = {"training": training_rows, "decoding": decoding_rows}
        rows = [row for name, measure in parts.items() if arguments.part in (name, "both") for row in measure(arguments)]
    for row in rows:
        print("  ".join(f"{name} {value:.2f}" if isinstance(value, float) else f"{value}" for name, value in row.items()))
    judged = (row for row in rows if row["part"] in LIMITS and row["system"] != BOUND)
    best = {row["part"]: row["ratio"] for row in sorted(judged, key=lambda row: row["ratio"])}
    return finish(arguments, rows, [f"{part} {LIMITS[part]:.0f} times as quick" for part, ratio in best.items() if ratio < LIMITS[part]])


if __name__ == "__main__":
    sys.exit(main())
