"""Beam search as its definition reads: one instance, one hypothesis, one list at a time."""

import torch
from brute_force import Sequence, next_log_probabilities

from multihot.interfaces import Decoder
from multihot.types import Encoding


def beam_by_loop(
    decoder: Decoder, encoding: Encoding, num_labels: int, width: int, bonus: list[float] | None = None, may=lambda prefix, symbol: True
) -> list[tuple[float, Sequence]]:
    """The ``width`` best hypotheses that end among the best of their step, the best first; the search goes on to its very end."""
    bonus = [0.0] * num_labels if bonus is None else bonus
    running: list[tuple[float, Sequence]] = [(0.0, ())]
    ended: list[tuple[float, Sequence]] = []
    while running:
        candidates = []
        for score, prefix in running:
            log_p = next_log_probabilities(decoder, encoding, prefix, num_labels).tolist()
            for symbol in set(range(num_labels + 1)) - set(prefix):
                if may(prefix, symbol):
                    candidates.append((score + log_p[symbol] + [*bonus, 0.0][symbol], (*prefix, symbol)))
        best = sorted(candidates, reverse=True)[:width]
        ended += [(score, sequence[:-1]) for score, sequence in best if sequence[-1] == num_labels]
        running = [(score, sequence) for score, sequence in best if sequence[-1] != num_labels]
    return sorted(ended, reverse=True)[:width]


def only(encoding: Encoding, row: int) -> Encoding:
    """One instance of an encoding."""
    return encoding.select(torch.tensor([row]))
