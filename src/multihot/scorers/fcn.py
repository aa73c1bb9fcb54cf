"""A fully convolutional head: a map of logits from the positions that an encoder leaves of a picture."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from ..errors import ConfigurationError
from ..interfaces import Scorer
from ..types import Encoding


class FCNScorer(Scorer):
    """torchvision's FCN head (3 x 3 convolution, batch normalisation, ReLU, dropout, 1 x 1 convolution) on a square grid of states.

    Its logits are maps (B, L, h, w), so it serves ``multihot segment``, and no method that scores label sets.

    Args:
        num_labels: L.
        width: size D of the encoder's states.

    Raises:
        ConfigurationError: if torchvision is not installed.

    >>> import torch
    >>> scorer = FCNScorer(num_labels=3, width=8).eval()
    >>> scorer(Encoding(torch.rand(2, 25, 8), torch.ones(2, 25, dtype=torch.bool), torch.rand(2, 8))).shape
    torch.Size([2, 3, 5, 5])
    """

    def __init__(self, num_labels: int, width: int):
        super().__init__()
        try:
            from torchvision.models.segmentation.fcn import FCNHead
        except ImportError as error:
            raise ConfigurationError(f"scorer 'fcn' needs torchvision ({error}); pip install \"multihot[images]\"") from error
        self.head = FCNHead(width, num_labels)

    def forward(self, encoding: Encoding) -> Float[Tensor, "B L h w"]:
        """States (B, h * h, D) -> maps (B, L, h, h)."""
        batch, count, width = encoding.states.shape
        side = math.isqrt(count)
        if side * side != count:
            raise ConfigurationError(
                f"scorer 'fcn' needs states that are a square grid, got {count}; take a square size, and an encoder that keeps positions"
            )
        return self.head(encoding.states.transpose(1, 2).reshape(batch, width, side, side))
