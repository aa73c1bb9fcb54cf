"""What travels between the parts: a batch, its encoding, and the prediction that comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass
class Batch:
    """Some instances with their label sets, as tensors.

    Args:
        inputs: what an encoder reads, by name; every tensor has the instance as its first axis.
        targets: (B, L) in [0, 1]; 1 where the instance carries the label.
        known: (B, L); False where nobody annotated the label, so that no loss and no measure may look at it.
        ids: the instances' names, B of them.
    """

    inputs: dict[str, Tensor]
    targets: Float[Tensor, "B L"]
    known: Bool[Tensor, "B L"]
    ids: Sequence[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.targets)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """The same batch on another device."""
        return replace(
            self,
            inputs={name: tensor.to(device, non_blocking=non_blocking) for name, tensor in self.inputs.items()},
            targets=self.targets.to(device, non_blocking=non_blocking),
            known=self.known.to(device, non_blocking=non_blocking),
        )

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory, from where an accelerator fetches it without waiting."""
        inputs = {name: tensor.pin_memory() for name, tensor in self.inputs.items()}
        return replace(self, inputs=inputs, targets=self.targets.pin_memory(), known=self.known.pin_memory())


@dataclass
class Encoding:
    """What an encoder made of a batch, whatever the modality.

    Args:
        states: (B, S, D); words, image patches, audio frames, or S = 1 for a table row.
        mask: (B, S); True where a state is real, False where it is padding.
        pooled: (B, D); the whole instance in one vector.
    """

    states: Float[Tensor, "B S D"]
    mask: Bool[Tensor, "B S"]
    pooled: Float[Tensor, "B D"]

    def select(self, rows: Int[Tensor, " R"]) -> Encoding:
        """The encodings of the chosen instances, repeated where a row is named twice (as beam search does)."""
        return Encoding(*(tensor.index_select(0, rows) for tensor in (self.states, self.mask, self.pooled)))
