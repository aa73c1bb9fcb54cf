"""Two recurrent decoders on one encoder, side by side or one on top of the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..components import build
from ..interfaces import Decoder, State
from ..labels import LabelStatistics
from ..types import Encoding
from .recurrent import RecurrentDecoder


class PairDecoder(Decoder):
    """Two recurrent decoders on one encoder, each with weights of its own; read by the second, unless the first is asked for by name.

    Side by side, they share nothing but the encoder: one may learn label sequences, the other optimal completion
    (Tsai 2019, section 5.2.2).

    ``stacked``, the second also looks at what the first made of the instance: a set decoder on top of a sequence decoder
    (Yang et al. 2018, "A Deep Reinforced Sequence-to-Set Model for Multi-Label Text Classification", arXiv 1809.03118).
    With ``h_j`` the encoder's states and ``d1_i`` the top hidden states of the first decoder, one for each symbol that it emits,

    ``c_t = [sum_j alpha_tj h_j ; sum_i beta_ti d1_i]``, ``d2_t = LSTM(d2_{t-1}, [e(y_{t-1}); c_{t-1}])``,

    alpha and beta being additive attentions asked by ``d2_{t-1}``. Chosen here, since sources other than the paper itself leave it open:
    in training as in decoding, the first decoder emits its own likeliest symbol at each step, up to and including stop, so that no true
    label reaches the second through it; gradients of the second reach the first through ``d1_i``; the second starts from the pooled
    vector, as any recurrent decoder does.

    Args:
        num_labels: L.
        width: size D of the encoder's states.
        first: arguments of the first ``RecurrentDecoder``.
        second: arguments of the second.
        stacked: whether the second looks at the first's states.
        statistics: label statistics of the training split; the first emits at most one symbol more than its largest label set has labels.

    Raises:
        ConfigurationError: for an argument that a recurrent decoder does not have.

    >>> sizes = {"hidden_size": 16}
    >>> decoder = PairDecoder(num_labels=4, width=8, first=sizes, second=sizes, stacked=True).eval()
    >>> encoding = Encoding(torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.randn(2, 8))
    >>> logits, _ = decoder.step(torch.tensor([5, 5]), decoder.start(encoding), encoding)
    >>> logits.shape, decoder.named("first") is decoder.first, decoder.named("second") is decoder
    (torch.Size([2, 5]), True, True)
    """

    shared: ClassVar[frozenset[str]] = RecurrentDecoder.shared
    names: ClassVar[tuple[str, ...]] = ("first", "second")
    inner: ClassVar[Mapping[str, str]] = {"first": "decoder", "second": "decoder"}

    def __init__(
        self,
        num_labels: int,
        width: int,
        first: Mapping[str, Any] | None = None,
        second: Mapping[str, Any] | None = None,
        stacked: bool = False,
        statistics: LabelStatistics | None = None,
    ):
        super().__init__()
        known: dict[str, Any] = {"num_labels": num_labels, "width": width, "statistics": statistics}
        self.first: RecurrentDecoder = build("decoder", {"name": "recurrent", **(first or {})}, **known)
        memory = {"memory": self.first.output.in_features} if stacked else {}
        self.second: RecurrentDecoder = build("decoder", {"name": "recurrent", **(second or {}), **memory}, **known)
        self.stacked = stacked
        self.num_labels = num_labels
        self.max_steps = (num_labels if statistics is None else statistics.largest_set) + 1

    def named(self, name: str) -> Decoder:
        return {"first": self.first, "second": self}[name]

    def start(self, encoding: Encoding) -> State:
        """The second's state before its first label; stacked, with all that the first has to say."""
        state = self.second.start(encoding)
        return state | self.second.remember(*self._said_by_first(encoding)) if self.stacked else state

    def step(self, previous: Int[Tensor, " N"], state: State, encoding: Encoding) -> tuple[Float[Tensor, "N L+1"], State]:
        return self.second.step(previous, state, encoding)

    def _said_by_first(self, encoding: Encoding) -> tuple[Float[Tensor, "B T H"], Bool[Tensor, "B T"]]:
        """The first's top hidden states while it emits the likeliest symbols, and which of them are not behind its stop."""
        rows, stop = len(encoding.pooled), self.num_labels
        previous = torch.full((rows,), stop + 1, device=encoding.pooled.device)
        shut = torch.zeros(rows, stop + 1, dtype=torch.bool, device=previous.device)
        running, state = torch.ones_like(previous, dtype=torch.bool), self.first.start(encoding)
        states, mask = [], []
        for _ in range(self.max_steps):
            logits, state = self.first.step(previous, state, encoding)
            states.append(state["hidden"][:, -1])
            mask.append(running)
            previous = logits.detach().masked_fill(shut, -torch.inf).argmax(-1).masked_fill(~running, stop)
            running = previous != stop
            if not running.any():
                break
            shut = shut | F.pad(F.one_hot(previous, stop + 1)[:, :-1].bool(), (0, 1))
        return torch.stack(states, 1), torch.stack(mask, 1)
