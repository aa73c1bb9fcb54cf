"""Walking a decoder over a batch, label after label, whoever chooses the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..interfaces import Decoder
from ..sequences import emitted_before
from ..types import Encoding

Choose = Callable[[Float[Tensor, "B L+1"], int], Int[Tensor, " B"]]


@dataclass
class Walk:
    """What a decoder was fed, and what it said.

    Args:
        logits: (B, T, L + 1), before each emission; nothing is masked.
        emitted: (B, T), the symbols it was fed, ``stop`` from each sequence's end on.
    """

    logits: Float[Tensor, "B T L+1"]
    emitted: Int[Tensor, "B T"]


def walk(decoder: Decoder, encoding: Encoding, closed: Bool[Tensor, "B L"], steps: int, choose: Choose) -> Walk:
    """Emit symbols until every sequence of the batch has ended, or for a number of steps.

    Args:
        decoder: what is walked.
        encoding: of the batch.
        closed: (B, L); labels that may never be chosen.
        steps: the most emissions.
        choose: (logits (B, L + 1), -inf at closed labels and at those emitted before; number of the step) -> the next symbols (B).

    Returns:
        The walk, of as many steps as the longest sequence needs.
    """
    stop = closed.shape[1]
    shut = F.pad(closed, (0, 1))  # stop stays open
    previous = torch.full((len(closed),), stop + 1, device=closed.device)
    running = torch.ones_like(previous, dtype=torch.bool)
    state = decoder.start(encoding)
    logits, emitted = [], []
    for step in range(steps):
        said, state = decoder.step(previous, state, encoding)
        open_logits = said.detach().float().masked_fill(shut, -torch.inf)
        previous = torch.where(running, choose(open_logits, step), stop)
        logits.append(said)
        emitted.append(previous)
        running &= previous != stop
        if not running.any():
            break
        shut = shut | F.pad(F.one_hot(previous, stop + 1)[:, :stop].bool(), (0, 1))
    return Walk(torch.stack(logits, 1), torch.stack(emitted, 1))


def sample(logits: Float[Tensor, "B L+1"]) -> Int[Tensor, " B"]:
    """Symbols drawn from the distribution of the logits."""
    return torch.multinomial(torch.softmax(logits, dim=-1), 1)[:, 0]


def log_probabilities(
    logits: Float[Tensor, "B T L+1"], prefixes: Int[Tensor, "B T"], closed: Bool[Tensor, "B L"], masked: bool = True
) -> Float[Tensor, "B T L+1"]:
    """What the decoder thinks of every next symbol; -inf for labels of the prefix, unless ``masked`` is False, and for closed ones.

    Args:
        logits: (B, T, L + 1).
        prefixes: (B, T); at step t, what was emitted before t has been said.
        closed: (B, L).
        masked: whether labels that were emitted before are left out of the distribution. [T 4.8-4.9]
    """
    shut = closed[:, None].expand(*logits.shape[:2], -1)
    if masked:
        shut = shut | emitted_before(prefixes, closed.shape[1])
    return torch.log_softmax(logits.float().masked_fill(F.pad(shut, (0, 1)), -torch.inf), dim=-1)
