"""Training throughput of ``text_lstm`` with binary relevance against a plain PyTorch loop over packed sequences.

Both train the same network at the size of the thesis (embedding 512, BiLSTM 2 x 256, three layers of 512 with attention, Adam,
clipping, batches of 128) over the same made-up texts, epoch after epoch in turn, in one process. The plain loop is what a tutorial
shows: random batches padded to their longest text, ``pack_padded_sequence``, float32.
The last row is the physical limit: the matrix products of the BiLSTM alone, forward and backward, over multihot's batches in float32.

    python benchmarks/text_lstm.py --out text_lstm.json
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from yardsticks.measuring import finish, read_options

from multihot.components import build
from multihot.data.samplers import SimilarLengthSampler
from multihot.encoders.text_lstm import autocast_supports_lstm
from multihot.interfaces import Loss, Model
from multihot.memory import keep_freed_memory
from multihot.types import Batch, Encoding

VOCABULARY, EMBEDDING, HIDDEN, LABELS = 22_747, 512, 256, 90
LAYERS, DIRECTIONS = 2, 2
LENGTH_MEDIAN, LENGTH_SPREAD, LONGEST = 92, 0.85, 500  # log-normal like Reuters-21578: mean about 120 words, cut at 500
BOUND = "matrix products of the BiLSTM"
LIMIT = 3.0  # times the plain loop's texts a second
Texts = list[Tensor]


class PackedNetwork(nn.Module):
    """The same network as a plain module over packed sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING, padding_idx=0)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, num_layers=2, dropout=0.5, batch_first=True, bidirectional=True)
        self.scorer = build("scorer", "binary_relevance", num_labels=LABELS, width=2 * HIDDEN)
        self.dropout = nn.Dropout(0.5)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        words = self.dropout(self.embedding(tokens))
        packed, (last, _) = self.lstm(pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False))
        states, _ = pad_packed_sequence(packed, batch_first=True)
        mask = torch.arange(tokens.shape[1])[None] < lengths[:, None]
        return self.scorer(Encoding(states, mask.to(tokens.device), torch.cat([last[2], last[3]], dim=-1)))


def make_texts(number: int, seed: int) -> tuple[Texts, Tensor]:
    """Texts with realistic lengths and word frequencies, and their targets (N, L)."""
    random = np.random.default_rng(seed)
    lengths = np.clip(random.lognormal(np.log(LENGTH_MEDIAN), LENGTH_SPREAD, number).round(), 1, LONGEST).astype(int)
    ranks = (VOCABULARY - 1) ** random.random(lengths.sum())  # Zipf: a word's rank is uniform on the log scale
    texts = list(torch.from_numpy(ranks.astype(np.int64)).clamp(1, VOCABULARY - 1).split(lengths.tolist()))
    return texts, torch.from_numpy((random.random((number, LABELS)) < 1.24 / LABELS).astype(np.float32))


def padded(texts: Texts, rows: list[int]) -> tuple[Tensor, Tensor]:
    """The chosen texts padded to the longest, tokens (B, S) and lengths (B,)."""
    chosen = [texts[row] for row in rows]
    return nn.utils.rnn.pad_sequence(chosen, batch_first=True), torch.tensor([len(text) for text in chosen])


def packed_epoch(texts: Texts, targets: Tensor, batch_size: int, device: str) -> Callable[[int], Iterator[None]]:
    """The plain loop: yields after every update of an epoch."""
    network = PackedNetwork().to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)

    def epoch(number: int) -> Iterator[None]:
        order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(number))
        for rows in order.split(batch_size):
            tokens, lengths = padded(texts, rows.tolist())
            logits = network(tokens.to(device), lengths)
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(logits, targets[rows].to(device)).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimizer.step()
            yield

    return epoch


def multihot_epoch(texts: Texts, targets: Tensor, batch_size: int, device: str, half: bool) -> Callable[[int], Iterator[None]]:
    """multihot's parts: batches of similar length, padded, and bfloat16 where asked for; yields after every update."""
    encoder = build("encoder", "text_lstm", vocabulary_size=VOCABULARY)
    model = Model(encoder, build("scorer", "binary_relevance", num_labels=LABELS, width=encoder.width)).to(device)
    loss: Loss = build("loss", "bce")
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)
    sampler = SimilarLengthSampler(len(texts), batch_size, [len(text) for text in texts], shuffle=True)

    def epoch(number: int) -> Iterator[None]:
        sampler.set_epoch(number)
        for rows in sampler:
            tokens, _ = padded(texts, rows)
            batch = Batch({"tokens": tokens, "mask": tokens > 0}, targets[rows], torch.ones(len(rows), LABELS, dtype=torch.bool)).to(device)
            with torch.autocast(device, torch.bfloat16, enabled=half):
                logits = model.score(batch)
            optimizer.zero_grad()
            loss(logits, batch.targets).mean().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10.0)
            optimizer.step()
            yield

    return epoch


def products_epoch(texts: Texts, batch_size: int, device: str) -> Callable[[int], Iterator[None]]:
    """The matrix products that the BiLSTM cannot do without, and nothing else; yields after every batch of multihot's.

    A direction of a layer multiplies its inputs by ``W_ih`` at once and its state by ``W_hh`` word after word; backward each of these
    has a product for what came in and one for the weights, of which only that for the state goes word after word.
    """
    sampler = SimilarLengthSampler(len(texts), batch_size, [len(text) for text in texts], shuffle=True)
    from_input, from_state = (torch.randn(4 * HIDDEN, size, device=device) for size in (EMBEDDING, HIDDEN))
    assert EMBEDDING == 2 * HIDDEN, "both layers read vectors of one size"

    def epoch(number: int) -> Iterator[None]:
        sampler.set_epoch(number)
        for rows in sampler:
            batch, words = len(rows), max(len(texts[row]) for row in rows)
            inputs, states, slopes = (torch.randn(batch * words, size, device=device) for size in (EMBEDDING, HIDDEN, 4 * HIDDEN))
            for _ in range(LAYERS * DIRECTIONS):
                for left, right in ((inputs, from_input.T), (slopes, from_input), (slopes.T, inputs), (slopes.T, states)):
                    torch.mm(left, right)
                for word in range(words):
                    here = slice(word * batch, (word + 1) * batch)
                    torch.mm(states[here], from_state.T)
                    torch.mm(slopes[here], from_state)
            yield

    return epoch


def seconds(epoch: Iterator[None], device: str) -> tuple[float, float]:
    """Wall-clock time and processor time of an epoch; only the second is steady where others use the machine, too."""
    start, busy = time.perf_counter(), time.process_time()
    for _ in epoch:
        pass
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start, time.process_time() - busy


def measure(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Epochs of every system in turn; each system's fastest epoch counts, so that other work on the machine disturbs least."""
    device = arguments.device
    texts, targets = make_texts(arguments.texts, seed=0)
    settings = (texts, targets, arguments.batch_size, device)
    systems = {"plain loop, packed, float32": packed_epoch(*settings), "multihot, float32": multihot_epoch(*settings, half=False)}
    if device == "cuda" or autocast_supports_lstm(torch.bfloat16):
        systems["multihot, bfloat16"] = multihot_epoch(*settings, half=True)
    systems[BOUND] = products_epoch(texts, arguments.batch_size, device)
    keep_freed_memory()  # as a training does
    for epoch in systems.values():
        next(epoch(0))  # warm-up: one update
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in systems}
    for number in range(arguments.epochs):
        for name, epoch in systems.items():
            times[name].append(seconds(epoch(number), device))
    rows: list[dict[str, Any]] = []
    for name, spent in times.items():
        wall, busy = (min(column) for column in zip(*spent, strict=True))
        rows.append({"system": name, "texts_per_second": len(texts) / wall, "processor_seconds": busy})
    for row in rows:
        row["ratio"] = row["texts_per_second"] / rows[0]["texts_per_second"]
        row["processor_ratio"] = rows[0]["processor_seconds"] / row["processor_seconds"]
    return rows


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=256, help="texts an epoch")
    parser.add_argument("--epochs", type=int, default=1, help="epochs of each system; the fastest counts")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = read_options(parser, texts=4, epochs=1, batch_size=2)
    rows = measure(arguments)
    print(f"{'system':<34}{'texts/s':>10}{'ratio':>8}{'processor s':>14}{'ratio':>8}")
    for row in rows:
        print(
            f"{row['system']:<34}{row['texts_per_second']:>10.1f}{row['ratio']:>8.2f}"
            f"{row['processor_seconds']:>14.1f}{row['processor_ratio']:>8.2f}"
        )
    quick_enough = max(row["ratio"] for row in rows if row["system"] != BOUND) >= LIMIT
    return finish(arguments, rows, [] if quick_enough else [f"{LIMIT} times the texts a second of the plain loop"])


if __name__ == "__main__":
    sys.exit(main())
