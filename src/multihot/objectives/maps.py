"""Maps of logits against masks: every pixel has a label distribution of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..distributions.smooth_mask import UNKNOWN, smooth_mask
from ..interfaces import Model, Objective
from ..losses.label_distribution import label_distribution_loss
from ..types import Batch, Encoding


class MapObjective(Objective):
    """Mean over known pixels of the divergence of the map's softmax from the smoothed mask (Gao et al. 2017).

    ``KL(y_ij || softmax(s_ij))`` with ``y`` from ``smooth_mask``; the logits are interpolated to the size of y. A window of one pixel
    leaves the mask as it is: the one-hot cross entropy of every pixel.

    Its model scores maps (B, L, h, w), its batches hold ``inputs["mask"]``; ``multihot segment`` puts them together.

    Args:
        num_labels: L.
        kernel_size: side of the window in pixels, odd, so that it has a middle.
        sigma: standard deviation of the window in pixels, above 0.
        stride: pixels from window to window, at least 1.

    Raises:
        ValueError: for a setting out of range.

    >>> MapObjective(num_labels=21, kernel_size=5).kernel_size
    5
    """

    needs = frozenset({"scorer"})

    def __init__(self, num_labels: int, kernel_size: int = 1, sigma: float = 1.0, stride: int = 1):
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"the 'kernel_size' parameter must be odd and at least 1, got {kernel_size!r}")
        if not sigma > 0 or stride < 1:
            raise ValueError(f"the 'sigma' parameter must be above 0 and 'stride' at least 1, got {sigma!r} and {stride!r}")
        self.num_labels, self.kernel_size, self.sigma, self.stride = num_labels, kernel_size, sigma, stride

    def forward(self, model: Model, batch: Batch, turn: str = "model", encoding: Encoding | None = None) -> Float[Tensor, ""]:
        mask = batch.inputs["mask"]
        padding = self.kernel_size // 2
        targets = smooth_mask(mask, self.num_labels, self.kernel_size, self.sigma, self.stride, padding)
        known = middles(mask, self.kernel_size, self.stride, padding)[:, None].expand_as(targets)
        logits = F.interpolate(model.score(batch, encoding).float(), targets.shape[-2:], mode="bilinear", align_corners=False)
        by_pixel = label_distribution_loss(pixels(logits), pixels(targets.nan_to_num()), pixels(known).contiguous())
        return by_pixel.sum() / known[:, 0].sum().clamp(min=1)


def middles(mask: Int[Tensor, "B H W"], kernel_size: int, stride: int, padding: int) -> Bool[Tensor, "B H2 W2"]:
    """Whether the pixel in the middle of each window is labelled: what nobody labelled stays unknown, whatever its neighbours are.

    >>> middles(torch.tensor([[[0, 255, 1, 1]]]), kernel_size=1, stride=1, padding=0).tolist()
    [[[True, False, True, True]]]
    """
    padded = F.pad(mask, (padding,) * 4, value=UNKNOWN) != UNKNOWN
    rest, middle = kernel_size - 1, (kernel_size - 1) // 2
    height, width = (side - rest for side in padded.shape[-2:])
    return padded[:, middle : middle + height : stride, middle : middle + width : stride]


def pixels(maps: Tensor) -> Tensor:
    """(B, L, H, W) -> (B H W, L)."""
    return torch.movedim(maps, 1, -1).flatten(0, 2)
