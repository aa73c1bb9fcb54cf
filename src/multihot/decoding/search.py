"""Beam search over label sequences, for all instances and hypotheses of a batch at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..interfaces import Decoder, State
from ..types import Encoding
from .constraints import Constraints


@dataclass
class Hypotheses:
    """The K best label sequences of each instance, the best first.

    Args:
        symbols: (B, K, T), filled up with ``stop``.
        scores: (B, K); -inf where there is no hypothesis.
    """

    symbols: Int[Tensor, "B K T"]
    scores: Float[Tensor, "B K"]

    def label_sets(self, num_labels: int) -> Bool[Tensor, "B K L"]:
        """The label set of each hypothesis; empty where there is none."""
        said = torch.zeros(*self.scores.shape, num_labels + 1, dtype=torch.bool, device=self.scores.device)
        found = said.scatter(-1, self.symbols, True)[..., :num_labels]
        return found & (self.scores > -torch.inf)[..., None]


def beam_search(
    decoder: Decoder,
    encoding: Encoding,
    num_labels: int,
    width: int,
    bonus: Float[Tensor, "B L"] | None = None,
    constraints: Constraints | None = None,
    whole: bool = False,
) -> Hypotheses:
    """Keep the ``width`` best sequences step by step: ``score = sum_t log p(y_t | y_<t, x) + bonus(y_t)``. [T 4.19, 4.22]

    Labels emitted before are masked. A label set has L labels at most, so the search ends by itself; it ends earlier once nothing that
    still runs can overtake the best sequence that has ended.

    Args:
        decoder: gives the probabilities.
        encoding: of B instances.
        num_labels: L.
        width: hypotheses kept, at least 1; more than there are sequences is no harm.
        bonus: (B, L), added where a label is emitted; stop gets none.
        constraints: which symbols are open after which.
        whole: go on until all hypotheses have ended, not only the best one.

    Returns:
        The hypotheses.
    """
    rows, stop = len(encoding.pooled), num_labels
    device = encoding.pooled.device
    extra = torch.zeros(rows, 1, num_labels + 1, device=device) if bonus is None else F.pad(bonus.float(), (0, 1))[:, None]
    potential = extra.clamp(min=0)[..., :-1]
    state, beams = decoder.start(encoding), 1
    scores = torch.zeros(rows, 1, device=device)
    symbols = torch.empty(rows, 1, 0, dtype=torch.long, device=device)
    said = torch.zeros(rows, 1, num_labels, dtype=torch.bool, device=device)
    previous = torch.full((rows, 1), stop + 1, device=device)
    for _ in range(num_labels + 1):
        logits, state = decoder.step(previous.flatten(), state, _for_hypotheses(decoder, encoding, beams))
        candidates = scores[..., None] + _continuations(logits.unflatten(0, (rows, beams)), extra, said, previous == stop, constraints)
        scores, best = _top(candidates.flatten(1), width)
        parent, previous = best // (num_labels + 1), best % (num_labels + 1)
        symbols = torch.cat([_pick(symbols, parent), previous[..., None]], dim=-1)
        said = _pick(said, parent) | F.one_hot(previous, num_labels + 1)[..., :-1].bool()
        state = _follow(decoder, state, parent, beams)
        beams = width
        if _settled(scores, previous == stop, said, potential, whole):
            break
    return Hypotheses(symbols, scores)


def _continuations(
    logits: Float[Tensor, "B K L+1"],
    extra: Float[Tensor, "B 1 L+1"],
    said: Bool[Tensor, "B K L"],
    ended: Bool[Tensor, "B K"],
    constraints: Constraints | None,
) -> Float[Tensor, "B K L+1"]:
    """What each symbol adds to a hypothesis; one that has ended can only stay as it is."""
    added = torch.log_softmax(logits.float().masked_fill(F.pad(said, (0, 1)), -torch.inf), dim=-1) + extra
    if constraints is not None:
        added = added.masked_fill(~constraints.open(said.flatten(0, 1)).unflatten(0, said.shape[:2]), -torch.inf)
    stay = torch.full_like(added[:1, :1], -torch.inf)
    stay[..., -1] = 0
    return torch.where(ended[..., None], stay, added)


def _top(candidates: Float[Tensor, "B C"], width: int) -> tuple[Float[Tensor, "B K"], Int[Tensor, "B K"]]:
    if candidates.shape[1] < width:
        candidates = F.pad(candidates, (0, width - candidates.shape[1]), value=-torch.inf)
    scores, best = candidates.topk(width, dim=1)
    return scores, best.masked_fill(scores == -torch.inf, 0)


def _pick(values: Tensor, parent: Int[Tensor, "B K"]) -> Tensor:
    return values.gather(1, parent[..., None].expand(-1, -1, values.shape[-1]))


def _for_hypotheses(decoder: Decoder, encoding: Encoding, beams: int) -> Encoding:
    if decoder.shared or beams == 1:
        return encoding
    return encoding.select(torch.arange(len(encoding.pooled), device=encoding.pooled.device).repeat_interleave(beams))


def _follow(decoder: Decoder, state: State, parent: Int[Tensor, "B K"], beams: int) -> State:
    """The state of every hypothesis is that of the one it continues."""
    flat = (torch.arange(len(parent), device=parent.device)[:, None] * beams + parent).flatten()
    return {name: value if name in decoder.shared else value[flat] for name, value in state.items()}


def _settled(scores: Tensor, ended: Tensor, said: Tensor, potential: Tensor, whole: bool) -> bool:
    """Whether no hypothesis that runs could still become the best one (or, with ``whole``, whether none runs)."""
    runs = ~ended & (scores > -torch.inf)
    if whole:
        return not bool(runs.any())
    highest = scores + (potential * ~said).sum(-1)  # were every label that helps still to come, at no cost
    finished = scores.masked_fill(~ended, -torch.inf).amax(-1)
    return bool((finished >= highest.masked_fill(~runs, -torch.inf).amax(-1)).all())
