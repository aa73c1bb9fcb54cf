"""Beam search over label sequences, for all instances and hypotheses of a batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..constraints import Constraints
from ..interfaces import Decoder, State
from ..types import Encoding


@dataclass
class Hypotheses:
    """The K best label sequences of each instance that have ended, the best first.

    Args:
        symbols: (B, K, T), filled up with ``stop``.
        scores: (B, K); -inf where there is no hypothesis.
        reached: (B, L); the score of the best hypothesis, ended or not, at the moment when it emitted the label; -inf where none could.
    """

    symbols: Int[Tensor, "B K T"]
    scores: Float[Tensor, "B K"]
    reached: Float[Tensor, "B L"]

    def label_sets(self) -> Bool[Tensor, "B K L"]:
        """The label set of each hypothesis; empty where there is none."""
        num_labels = self.reached.shape[-1]
        said = torch.zeros(*self.scores.shape, num_labels + 1, dtype=torch.bool, device=self.scores.device)
        return said.scatter(-1, self.symbols, True)[..., :num_labels] & (self.scores > -torch.inf)[..., None]

    def select(self, rows: Tensor) -> Hypotheses:
        """The hypotheses of the chosen instances."""
        return Hypotheses(self.symbols[rows], self.scores[rows], self.reached[rows])


def beam_search(
    decoder: Decoder,
    encoding: Encoding,
    num_labels: int,
    width: int,
    bonus: Float[Tensor, "B L"] | None = None,
    constraints: Constraints | None = None,
    whole: bool = False,
) -> Hypotheses:
    """Keep the ``width`` best sequences step by step: ``score = sum_t log p(y_t | y_<t, x) + bonus(y_t)`` (Tsai 2019, eqs. 4.19, 4.22).

    Labels emitted before are masked. A hypothesis that ends while it is among the best is set aside, where only a better one that has
    ended can push it out. The search of an instance is over once nothing that still runs can overtake the best one set aside, after
    L + 1 steps at the latest; what becomes of other instances changes nothing. Whenever half of the instances are over, the others go on
    without them.

    Args:
        decoder: gives the probabilities.
        encoding: of B instances.
        num_labels: L.
        width: hypotheses kept, at least 1; more than there are sequences is no harm.
        bonus: (B, L), added where a label is emitted; stop gets none.
        constraints: which symbols are open after which.
        whole: go on until nothing that runs can overtake any of the hypotheses set aside, not only the best one.

    Returns:
        The hypotheses.
    """
    rows, stop, device = len(encoding.pooled), num_labels, encoding.pooled.device
    extra = torch.zeros(rows, num_labels + 1, device=device) if bonus is None else F.pad(bonus.float(), (0, 1))
    state, beams = decoder.start(encoding), 1
    scores = torch.zeros(rows, 1, device=device)  # of what runs; -inf where nothing does
    symbols = torch.empty(rows, 1, 0, dtype=torch.long, device=device)
    said = torch.zeros(rows, 1, num_labels, dtype=torch.bool, device=device)
    previous = torch.full((rows, 1), stop + 1, device=device)
    nothing = torch.full((rows, max(width, num_labels)), -torch.inf, device=device)
    found = Hypotheses(symbols.expand(-1, width, -1), nothing[:, :width], nothing[:, :num_labels])
    places, over = torch.arange(rows, device=device), []
    for _ in range(num_labels + 1):
        logits, state = decoder.step(previous.flatten(), state, _for_hypotheses(decoder, encoding, beams))
        candidates = scores[..., None] + _continuations(logits.unflatten(0, (-1, beams)), extra, said, constraints)
        scores, best = _top(candidates.flatten(1), width)
        parent, previous = best // (num_labels + 1), best % (num_labels + 1)
        symbols = torch.cat([_pick(symbols, parent), previous[..., None]], dim=-1)
        said = _pick(said, parent) | F.one_hot(previous, num_labels + 1)[..., :-1].bool()
        found = _set_aside(found, symbols, scores.masked_fill(previous != stop, -torch.inf), candidates)
        scores = scores.masked_fill(previous == stop, -torch.inf)
        scores = scores.masked_fill(_settled(found, scores, said, extra, whole), -torch.inf)
        running = (scores > -torch.inf).any(1)
        if not running.any():
            break
        state, beams = _follow(decoder, state, parent, beams), width
        if 2 * int(running.sum()) <= len(running):
            over.append((places[~running], found.select(~running)))
            on = running.nonzero()[:, 0]
            state, encoding = decoder.select(state, on, beams), encoding.select(on)
            places, found, scores, symbols = places[on], found.select(on), scores[on], symbols[on]
            said, previous, extra = said[on], previous[on], extra[on]
    return _together([*over, (places, found)])


def _continuations(
    logits: Float[Tensor, "B K L+1"], extra: Float[Tensor, "B L+1"], said: Bool[Tensor, "B K L"], constraints: Constraints | None
) -> Float[Tensor, "B K L+1"]:
    """What each symbol adds to a hypothesis."""
    added = torch.log_softmax(logits.float().masked_fill(F.pad(said, (0, 1)), -torch.inf), dim=-1) + extra[:, None]
    if constraints is not None:
        added = added.masked_fill(~constraints.open(said.flatten(0, 1)).unflatten(0, said.shape[:2]), -torch.inf)
    return added


def _top(candidates: Float[Tensor, "B C"], width: int) -> tuple[Float[Tensor, "B K"], Int[Tensor, "B K"]]:
    if candidates.shape[1] < width:
        candidates = F.pad(candidates, (0, width - candidates.shape[1]), value=-torch.inf)
    scores, best = candidates.topk(width, dim=1)
    return scores, best.masked_fill(scores == -torch.inf, 0)


def _pick(values: Tensor, chosen: Int[Tensor, "B K"]) -> Tensor:
    return values.gather(1, chosen[..., None].expand(-1, -1, values.shape[-1]))


def _set_aside(
    found: Hypotheses, symbols: Int[Tensor, "B K T"], ended: Float[Tensor, "B K"], candidates: Float[Tensor, "B N L+1"]
) -> Hypotheses:
    """The best of what was set aside before and what has ended now."""
    width, num_labels = found.scores.shape[1], found.reached.shape[1]
    before = F.pad(found.symbols, (0, 1), value=num_labels)
    scores, best = torch.cat([found.scores, ended], dim=1).topk(width, dim=1)
    reached = torch.maximum(found.reached, candidates[..., :-1].amax(1))
    return Hypotheses(_pick(torch.cat([before, symbols], dim=1), best), scores, reached)


def _settled(
    found: Hypotheses, scores: Float[Tensor, "B K"], said: Bool[Tensor, "B K L"], extra: Float[Tensor, "B L+1"], whole: bool
) -> Bool[Tensor, "B 1"]:
    """Whether no hypothesis of an instance could still overtake the best that has ended (or, with ``whole``, any)."""
    helpful = extra[:, None, :-1].clamp(min=0)
    highest = scores + (helpful * ~said).sum(-1)  # were every label that helps still to come, at no cost
    target = found.scores[:, -1:] if whole else found.scores[:, :1]
    return target >= highest.amax(1, keepdim=True)


def _for_hypotheses(decoder: Decoder, encoding: Encoding, beams: int) -> Encoding:
    if decoder.shared or beams == 1:
        return encoding
    return encoding.select(torch.arange(len(encoding.pooled), device=encoding.pooled.device).repeat_interleave(beams))


def _follow(decoder: Decoder, state: State, parent: Int[Tensor, "B K"], beams: int) -> State:
    """The state of every hypothesis is that of the one it continues."""
    flat = (torch.arange(len(parent), device=parent.device)[:, None] * beams + parent).flatten()
    return {name: value if name in decoder.shared else value[flat] for name, value in state.items()}


def _together(parts: list[tuple[Int[Tensor, " n"], Hypotheses]]) -> Hypotheses:
    """What was found for instances at their places in the batch, in the order of the batch."""
    order = torch.cat([places for places, _ in parts]).argsort()
    found = [part for _, part in parts]
    steps, stop = max(part.symbols.shape[-1] for part in found), found[0].reached.shape[-1]
    symbols = torch.cat([F.pad(part.symbols, (0, steps - part.symbols.shape[-1]), value=stop) for part in found])
    return Hypotheses(symbols, torch.cat([part.scores for part in found]), torch.cat([part.reached for part in found])).select(order)
