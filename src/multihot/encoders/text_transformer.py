"""Any Hugging Face text encoder, by local path or by name."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from ..errors import ConfigurationError
from ..interfaces import Encoder
from ..types import Encoding

POOLINGS = ("mean", "first")


class TextTransformerEncoder(Encoder):
    """A pretrained transformer; its last layer gives the states.

    Args:
        pretrained: folder or hub name of a model that ``transformers.AutoModel`` loads.
        freeze: train only what comes after the encoder.
        pooling: ``"mean"`` of the real states, or the ``"first"`` state (BERT's ``[CLS]``).

    Raises:
        ValueError: for any other pooling.
        ConfigurationError: if transformers is not installed or there is no such model.
    """

    reads: ClassVar[str] = "subwords"

    def __init__(self, pretrained: str, freeze: bool = False, pooling: str = "mean"):
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"the 'pooling' parameter must be 'mean' or 'first', got {pooling!r}")
        self.freeze = freeze
        self.pooling = pooling
        self.transformer = _load(pretrained).requires_grad_(not freeze)
        config: Any = self.transformer.config
        self.width = int(config.hidden_size)

    def train(self, mode: bool = True) -> TextTransformerEncoder:
        """Training mode; a frozen transformer stays in evaluation mode, so that its dropout is off."""
        super().train(mode)
        if self.freeze:
            self.transformer.eval()
        return self

    def forward(self, inputs: dict[str, Tensor]) -> Encoding:
        """tokens (B, S), mask (B, S) -> states (B, S, D), mask, pooled (B, D)."""
        mask = inputs["mask"]
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.freeze):
            states = self.transformer(input_ids=inputs["tokens"], attention_mask=mask.long()).last_hidden_state
        states = states * mask[..., None]
        pooled = states[:, 0] if self.pooling == "first" else states.sum(1) / mask.sum(1, keepdim=True)
        return Encoding(states, mask, pooled)


def _load(pretrained: str) -> Any:
    try:
        from transformers import AutoModel
    except ImportError as error:
        raise ConfigurationError('text_transformer needs transformers; install it with pip install "multihot[transformers]"') from error
    try:
        return AutoModel.from_pretrained(pretrained, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigurationError(
            f"encoder 'text_transformer': cannot load '{pretrained}': {reason}; give a model's folder or name"
        ) from error
