"""A recurrent decoder: an LSTM with attention over the encoder's states, of whatever modality they are."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..attention import AdditiveAttention, DotAttention
from ..errors import ConfigurationError
from ..interfaces import Decoder, State
from ..labels import LabelStatistics
from ..types import Encoding


class RecurrentDecoder(Decoder):
    """An LSTM that emits label after label, each time looking at the encoder's states.

    ``c_t = sum_j alpha_tj h_j``, ``alpha_t = softmax_j(v^T tanh(W_a d_{t-1} + U_a h_j))``,
    ``d_t = LSTM(d_{t-1}, [e(y_{t-1}); c_{t-1}])``, ``o_t = W_o f(W_d d_t + V_d c_t + U_d p)`` with f a leaky ReLU
    (Tsai 2019, eqs. 4.2-4.6).

    ``p`` is the encoder's pooled vector. Its direct path to the output, ``U_d p``, is not the thesis's: through the LSTM alone an encoder
    whose states are local, such as a CNN, hardly reaches the first labels. The LSTM starts from projections of ``p``, its cell too (as in
    the code published with the thesis), and the output bias from the frequencies of labels and of stop. ``c_0`` is 0.

    With ``global_embedding``, ``e(y_{t-1})`` is mixed through a gate with the embedding that the model expected,
    ``(1 - g) e(y) + g sum_a P(a) e(a)``, ``g = sigmoid(W_1 e(y) + W_2 ebar)``: what else was likely is not lost when one label is picked
    (Yang et al. 2018, "SGM: Sequence Generation Model for Multi-label Classification").
    There ``P`` is 0 for labels emitted before.

    Args:
        num_labels: L.
        width: size D of the encoder's states.
        hidden_size: size of the LSTM's state.
        embedding_size: size of a label's vector.
        layers: of the LSTM.
        dropout: share of values dropped between the layers and before the output in training, in [0, 1).
        attention: how it looks at the states: ``"additive"`` as above; ``"dot"``, where ``d_t`` asks and not ``d_{t-1}``, as in the
            published code: ``alpha_t = softmax_j(tanh(W_a d_t) . h_j)``; or not at all (False): ``c_t`` is the pooled vector.
        attention_size: size of the space in which additive attention compares state and states; it sets the cost.
        global_embedding: mix in the expected embedding.
        direct: whether the pooled vector reaches the output directly; False leaves ``U_d p`` out.
        first_cell: whether the LSTM's cell starts from the pooled vector too; False starts it from 0.
        memory: size of the states of a second memory that it looks at beside the encoder's states, with an attention of its own;
            ``remember`` puts it into the state. ``c_t`` then holds both contexts. None: there is no other memory.
        prior_bias: start the output from the logits ``log n_i`` of labels and ``log N`` of stop, less the logarithm of their sum; needs
            ``statistics``. None does so where there are statistics.
        statistics: label statistics of the training split.

    Raises:
        ValueError: if there is no layer or no such attention, or no statistics for ``prior_bias``.

    >>> decoder = RecurrentDecoder(num_labels=4, width=8, hidden_size=16).eval()
    >>> encoding = Encoding(torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool), torch.randn(2, 8))
    >>> logits, state = decoder.step(torch.tensor([5, 5]), decoder.start(encoding), encoding)
    >>> logits.shape, state["attention"].shape
    (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    shared: ClassVar[frozenset[str]] = frozenset({"keys", "memory", "memory_mask", "memory_keys"})

    def __init__(
        self,
        num_labels: int,
        width: int,
        hidden_size: int = 256,
        embedding_size: int = 128,
        layers: int = 1,
        dropout: float = 0.5,
        attention: str | bool = "additive",
        attention_size: int = 128,
        global_embedding: bool = False,
        direct: bool = True,
        first_cell: bool = True,
        memory: int | None = None,
        prior_bias: bool | None = None,
        statistics: LabelStatistics | None = None,
    ):
        super().__init__()
        if layers < 1:
            raise ValueError(f"the 'layers' parameter must be at least 1, got {layers!r}")
        self.embedding = nn.Embedding(num_labels + 2, embedding_size)  # the labels, stop and start
        self.first_state = nn.Linear(width, layers * hidden_size)
        self.first_cell = nn.Linear(width, layers * hidden_size) if first_cell else None
        looked_at = width + (memory or 0)
        sizes = [embedding_size + looked_at] + [hidden_size] * layers
        self.cells = nn.ModuleList(nn.LSTMCell(sizes[i], hidden_size) for i in range(layers))
        self.attention = _attention(attention, hidden_size, width, attention_size)
        self.memory_attention = AdditiveAttention(hidden_size, memory, attention_size) if memory else None
        self.from_state = nn.Linear(hidden_size, hidden_size)
        self.from_context = nn.Linear(looked_at, hidden_size, bias=False)
        self.from_pooled = nn.Linear(width, hidden_size, bias=False) if direct else None
        self.output = nn.Linear(hidden_size, num_labels + 1)
        self.dropout = nn.Dropout(dropout)
        self.gate = nn.Linear(2 * embedding_size, embedding_size) if global_embedding else None
        if prior_bias and statistics is None:
            raise ValueError("prior_bias needs the label statistics of the training split; give 'statistics' or set prior_bias to false")
        if statistics is not None and prior_bias is not False:
            self._start_from_prior(statistics)

    def start(self, encoding: Encoding) -> State:
        """The state before the first label."""
        layers = len(self.cells)
        hidden = torch.tanh(self.first_state(encoding.pooled)).unflatten(-1, (layers, -1))  # (B, layers, H)
        cell = torch.zeros_like(hidden) if self.first_cell is None else self.first_cell(encoding.pooled).unflatten(-1, (layers, -1))
        context = encoding.pooled.new_zeros(len(encoding.pooled), self.from_context.in_features)
        state = {"hidden": hidden, "cell": cell, "context": context}
        if self.from_pooled is not None:
            state["direct"] = self.from_pooled(encoding.pooled)
        if self.attention is not None:
            state["keys"] = self.attention.keys(encoding.states)
        if self.gate is not None:
            start = self.embedding.weight[-1]
            state["expected"] = start.expand(len(encoding.pooled), -1)
            state["said"] = torch.zeros(len(encoding.pooled), len(self.embedding.weight) - 1, dtype=torch.bool, device=start.device)
        return state

    def remember(self, states: Float[Tensor, "B T M"], mask: Bool[Tensor, "B T"]) -> State:
        """What the state before the first label holds besides, for a decoder with ``memory``: the memory's states and their mask."""
        assert self.memory_attention is not None, "it was built without a memory"
        return {"memory": states, "memory_mask": mask, "memory_keys": self.memory_attention.keys(states)}

    def step(self, previous: Int[Tensor, " N"], state: State, encoding: Encoding) -> tuple[Float[Tensor, "N L+1"], State]:
        """Logits of the next symbol and the state after it; N / B hypotheses in a row for each instance of the encoding."""
        given = torch.cat([self._embed(previous, state), state["context"]], dim=-1)
        if not isinstance(self.attention, DotAttention):
            context, attention = self._look(state["hidden"][:, -1], state, encoding)
        hidden, cell = [], []
        for layer, lstm in enumerate(self.cells):
            h, c = lstm(given, (state["hidden"][:, layer], state["cell"][:, layer]))
            hidden.append(h)
            cell.append(c)
            given = self.dropout(h)
        if isinstance(self.attention, DotAttention):
            context, attention = self._look(hidden[-1], state, encoding)
        before = self.from_state(given) + self.from_context(context)
        if self.from_pooled is not None:
            before = before + state["direct"]
        logits = self.output(self.dropout(nn.functional.leaky_relu(before)))
        after = state | {"hidden": torch.stack(hidden, 1), "cell": torch.stack(cell, 1), "context": context, "attention": attention}
        if self.gate is not None:
            stop = logits.shape[-1] - 1
            after["said"] = state["said"] | nn.functional.one_hot(previous, stop + 2)[:, :-1].bool()
            after["said"][:, stop] = False  # it stays open
            after["expected"] = torch.softmax(logits.masked_fill(after["said"], -torch.inf), dim=-1) @ self.embedding.weight[:-1]
        return logits, after

    def _start_from_prior(self, statistics: LabelStatistics) -> None:
        counts = np.append(statistics.counts, statistics.num_examples) + 0.5  # a label that no instance carries keeps a finite bias
        with torch.no_grad():
            self.output.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))

    def _embed(self, previous: Tensor, state: State) -> Float[Tensor, "N E"]:
        embedded = self.embedding(previous)
        if self.gate is None:
            return embedded
        share = torch.sigmoid(self.gate(torch.cat([embedded, state["expected"]], dim=-1)))
        return (1 - share) * embedded + share * state["expected"]

    def _look(self, asking: Float[Tensor, "N H"], state: State, encoding: Encoding) -> tuple[Float[Tensor, "N C"], Float[Tensor, "N S"]]:
        """Everything that was looked at in one vector, and the weights of the encoder's states."""
        context, weights = self._look_at_states(asking, state, encoding)
        if self.memory_attention is None:
            return context, weights
        if "memory" not in state:
            raise ConfigurationError("decoder 'recurrent' was given a memory, which `decoder: pair` alone fills; leave `memory` out")
        remembered, _ = self.memory_attention(asking, state["memory_keys"], state["memory"], state["memory_mask"])
        return torch.cat([context, remembered], dim=-1), weights

    def _look_at_states(
        self, asking: Float[Tensor, "N H"], state: State, encoding: Encoding
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N S"]]:
        if self.attention is not None:
            return self.attention(asking, state["keys"], encoding.states, encoding.mask)
        hypotheses = len(asking) // len(encoding.pooled)
        evenly = encoding.mask / encoding.mask.sum(-1, keepdim=True)
        return encoding.pooled.repeat_interleave(hypotheses, 0), evenly.repeat_interleave(hypotheses, 0)


def _attention(kind: str | bool, hidden_size: int, width: int, attention_size: int) -> AdditiveAttention | DotAttention | None:
    if kind is False:
        return None
    if kind in ("additive", True):
        return AdditiveAttention(hidden_size, width, attention_size)
    if kind == "dot":
        return DotAttention(hidden_size, width)
    raise ValueError(f"the 'attention' parameter must be 'additive', 'dot' or False, got {kind!r}")
