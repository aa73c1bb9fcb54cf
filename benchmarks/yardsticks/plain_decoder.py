"""The yardstick of the decoders' benchmark: chapter 4 of the thesis written down step by step, with nothing done to make it quick.

Packed sequences, attention that projects the states anew at every step, 25 steps however short the label sets are, the targets of OCD by a
loop over instances and steps, and beam search over one hypothesis of one text at a time.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from multihot.interfaces import Model, State
from multihot.types import Batch

STEPS = 25


class PlainAttention(nn.Module):
    """Tsai 2019, eqs. 4.2-4.4, the states projected again for every query."""

    def __init__(self, query_size: int, width: int, size: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(query_size, size), nn.Linear(width, size, bias=False)
        self.energy = nn.Linear(size, 1, bias=False)

    def forward(self, query: Tensor, states: Tensor) -> Tensor:
        energies = self.energy(torch.tanh(self.query(query)[:, None] + self.key(states)))
        return (torch.softmax(energies, dim=1) * states).sum(1)


class PlainNetwork(nn.Module):
    """Encoder, recurrent decoder and binary-relevance decoder at the size of the thesis."""

    def __init__(self, vocabulary: int, labels: int, embedding: int, hidden: int, attention: int) -> None:
        super().__init__()
        self.labels = labels
        self.words = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.encoder = nn.LSTM(embedding, 256, num_layers=2, dropout=0.5, batch_first=True, bidirectional=True)
        self.symbols = nn.Embedding(labels + 2, embedding)
        self.first = nn.Linear(512, 2 * hidden)
        self.cells = nn.ModuleList([nn.LSTMCell(embedding + 512, hidden), nn.LSTMCell(hidden, hidden)])
        self.attention, self.scorer_attention = PlainAttention(hidden, 512, attention), PlainAttention(512, 512, attention)
        self.output = nn.Sequential(nn.Linear(hidden + 512, hidden), nn.LeakyReLU(), nn.Dropout(0.5), nn.Linear(hidden, labels + 1))
        self.layers = nn.Sequential(*(part for _ in range(3) for part in (nn.Linear(512, 512), nn.LeakyReLU(), nn.Dropout(0.5))))
        self.scores = nn.Linear(1024, labels)
        self.dropout = nn.Dropout(0.5)

    def encode(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        packed = pack_padded_sequence(self.dropout(self.words(tokens)), lengths, batch_first=True, enforce_sorted=False)
        states, (last, _) = self.encoder(packed)
        return pad_packed_sequence(states, batch_first=True)[0], torch.cat([last[2], last[3]], dim=-1)

    def sample(self, states: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, 25, L + 1) and the symbols drawn (B, 25)."""
        rows = len(pooled)
        hidden = list(torch.tanh(self.first(pooled)).chunk(2, dim=-1))
        cell = [torch.zeros_like(one) for one in hidden]
        context = torch.zeros_like(pooled)
        previous = torch.full((rows,), self.labels + 1, device=pooled.device)
        said = torch.zeros(rows, self.labels + 1, dtype=torch.bool, device=pooled.device)
        logits, drawn = [], []
        for _ in range(STEPS):
            given = torch.cat([self.symbols(previous), context], dim=-1)
            context = self.attention(hidden[-1], states)
            for layer, lstm in enumerate(self.cells):
                hidden[layer], cell[layer] = lstm(given, (hidden[layer], cell[layer]))
                given = self.dropout(hidden[layer])
            logits.append(self.output(torch.cat([given, context], dim=-1)).masked_fill(said, -1e9))
            previous = torch.multinomial(torch.softmax(logits[-1].detach(), dim=-1), 1)[:, 0]
            drawn.append(previous)
            said = said.scatter(1, previous[:, None], True)
            said[:, self.labels] = False
        return torch.stack(logits, 1), torch.stack(drawn, 1)

    def score(self, states: Tensor, pooled: Tensor) -> Tensor:
        hidden = self.layers(pooled)
        return self.scores(torch.cat([hidden, self.scorer_attention(hidden, states)], dim=-1))


def plain_targets(drawn: list[int], truth: set[int], stop: int) -> list[list[int]]:
    """For every step the symbols that the optimal policy chooses among, after the first stop none. [T, table 4.1]"""
    missing, found = set(truth), []
    for symbol in drawn:
        found.append(sorted(missing) or [stop])
        if symbol == stop:
            break
        missing.discard(symbol)
    return found


def plain_loss(network: PlainNetwork, tokens: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
    """``L_OCD + L_BCE`` (Tsai 2019, eqs. 4.15-4.17)."""
    states, pooled = network.encode(tokens, lengths)
    logits, drawn = network.sample(states, pooled)
    policy = torch.zeros_like(logits)
    for row in range(len(targets)):
        truth = set(targets[row].nonzero()[:, 0].tolist())
        for step, best in enumerate(plain_targets(drawn[row].tolist(), truth, network.labels)):
            for symbol in best:
                policy[row, step, symbol] = 1 / len(best)
    ocd = F.kl_div(torch.log_softmax(logits, dim=-1), policy, reduction="sum") / len(targets)
    return ocd + F.binary_cross_entropy_with_logits(network.score(states, pooled), targets, reduction="sum") / len(targets)


def plain_joint_decoding(model: Model, tokens: Tensor, width: int, most_steps: int) -> list[int]:
    """Joint decoding (Tsai 2019, eq. 4.22) of a text by multihot's encoder and decoders, hypothesis by hypothesis: the best labels."""
    inputs = {"tokens": tokens[None], "mask": torch.ones_like(tokens, dtype=torch.bool)[None]}
    nothing = torch.zeros(1, 0, device=tokens.device)
    batch = Batch(inputs, nothing, nothing.bool(), [""])
    encoding = model.encode(batch)
    log_odds = model.score(batch, encoding)[0]
    stop = len(log_odds)
    beam: list[tuple[Any, list[int], State]] = [(0.0, [], model.decoder.start(encoding))]
    ended: list[tuple[Any, list[int]]] = []  # those that ended among the best; they hold no place in the beam
    for _ in range(most_steps):
        candidates: list[tuple[Any, list[int], State]] = []
        for score, said, state in beam:
            previous = torch.tensor([said[-1] if said else stop + 1], device=tokens.device)
            logits, after = model.decoder.step(previous, state, encoding)
            logits[0, said] = -torch.inf
            gains = torch.log_softmax(logits[0], dim=-1)
            gains[:stop] += log_odds
            values, symbols = gains.topk(min(width, stop + 1))
            candidates += [(score + value, [*said, symbol], after) for value, symbol in zip(values.tolist(), symbols.tolist(), strict=True)]
        best = sorted(candidates, key=lambda candidate: -candidate[0])[:width]
        ended += [(score, said[:-1]) for score, said, _ in best if said[-1] == stop]
        beam = [candidate for candidate in best if candidate[1][-1] != stop]
        helpful = log_odds.clamp(min=0).tolist()
        hopes = [score + sum(helpful) - sum(helpful[label] for label in said) for score, said, _ in beam]
        if not beam or (ended and max(ended)[0] >= max(hopes)):
            break
    return max(ended, key=lambda candidate: candidate[0], default=(0.0, []))[1]
