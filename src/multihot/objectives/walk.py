"""Walking a decoder over a batch, label after label, whoever chooses the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..interfaces import Decoder
from ..sequences import emitted_before, up_to_stop
from ..types import Encoding

Choose = Callable[[Float[Tensor, "R L+1"], int, Int[Tensor, " R"]], Int[Tensor, " R"]]


@dataclass
class Walk:
    """What a decoder was fed, and what it said.

    Args:
        logits: (B, T, L + 1), before each emission; nothing is masked, and behind a sequence's end they mean nothing.
        emitted: (B, T), the symbols it was fed, ``stop`` from each sequence's end on.
    """

    logits: Float[Tensor, "B T L+1"]
    emitted: Int[Tensor, "B T"]


def walk(decoder: Decoder, encoding: Encoding, closed: Bool[Tensor, "B L"], steps: int, choose: Choose) -> Walk:
    """Emit symbols until every sequence of the batch has ended, or for a number of steps.

    Whenever half of the sequences have ended, the others go on without them: one long sequence costs little more than its own steps.

    Args:
        decoder: what is walked.
        encoding: of the batch.
        closed: (B, L); labels that may never be chosen.
        steps: the most emissions.
        choose: (logits (R, L + 1), -inf at closed labels and at those emitted before; number of the step; which R rows of the batch
            they belong to) -> the next symbols (R).

    Returns:
        The walk, of as many steps as the longest sequence needs.
    """
    size, stop = closed.shape
    rows = torch.arange(size, device=closed.device)
    shut = F.pad(closed, (0, 1))  # stop stays open
    previous = torch.full((size,), stop + 1, device=closed.device)
    running = torch.ones_like(previous, dtype=torch.bool)
    state = decoder.start(encoding)
    logits, emitted = [], []
    for step in range(steps):
        said, state = decoder.step(previous, state, encoding)
        open_logits = said.detach().float().masked_fill(shut, -torch.inf)
        previous = torch.where(running, choose(open_logits, step, rows), stop)
        logits.append(said if len(rows) == size else said.new_zeros(size, stop + 1).index_copy(0, rows, said))
        emitted.append(torch.full((size,), stop, device=rows.device).index_copy(0, rows, previous))
        running = previous != stop
        left = int(running.sum())  # the one place where an accelerator is waited for
        if step + 1 == steps or not left:
            break
        shut = shut | F.pad(F.one_hot(previous, stop + 1)[:, :-1].bool(), (0, 1))
        if 2 * left <= len(rows):
            on = running.nonzero()[:, 0]
            state, encoding = decoder.select(state, on), encoding.select(on)
            rows, shut, previous, running = rows[on], shut[on], previous[on], running[on]
    return Walk(torch.stack(logits, 1), torch.stack(emitted, 1))


def sample(logits: Float[Tensor, "B L+1"]) -> Int[Tensor, " B"]:
    """Symbols drawn from the distribution of the logits, as the one whose exponential clock, of rate p, rings first."""
    probabilities = torch.softmax(logits, dim=-1)
    return (probabilities / torch.empty_like(probabilities).exponential_()).argmax(-1)  # unlike multinomial, no accelerator waits


def log_probabilities(
    logits: Float[Tensor, "B T L+1"], prefixes: Int[Tensor, "B T"], closed: Bool[Tensor, "B L"], masked: bool = True
) -> Float[Tensor, "B T L+1"]:
    """What the decoder thinks of every next symbol; -inf for labels of the prefix, unless ``masked`` is False, and for closed ones.

    Args:
        logits: (B, T, L + 1).
        prefixes: (B, T); at step t, what was emitted before t has been said.
        closed: (B, L).
        masked: whether labels that were emitted before are left out of the distribution (Tsai 2019, eqs. 4.8-4.9).
    """
    shut = closed[:, None].expand(*logits.shape[:2], -1)
    if masked:
        shut = shut | emitted_before(prefixes, closed.shape[1])
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return torch.log_softmax(precise.masked_fill(F.pad(shut, (0, 1)), -torch.inf), dim=-1)


def log_likelihood(log_p: Float[Tensor, "B T L+1"], sequences: Int[Tensor, "B T"]) -> Float[Tensor, " B"]:
    """``sum_t log p(y_t)`` up to and including the first stop."""
    said = log_p.gather(-1, sequences[..., None])[..., 0]
    return torch.where(up_to_stop(sequences, log_p.shape[-1] - 1), said, 0).sum(-1)
