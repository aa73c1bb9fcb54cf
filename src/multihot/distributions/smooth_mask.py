"""A segmentation mask as one label distribution a pixel, mixed where regions meet."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import DataError
from ..interfaces import LabelDistribution
from .reading import may_look, positive_number, read_targets

UNKNOWN = 255  # how the masks of Pascal VOC mark a pixel that nobody labelled


def smooth_mask(
    mask: Int[Tensor, "B H W"],
    num_labels: int,
    kernel_size: int,
    sigma: float,
    stride: int = 1,
    padding: int = 0,
    unknown: int = UNKNOWN,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "B L H2 W2"]:
    """Label distributions of a mask's pixels: one-hot maps, averaged by a Gaussian window, renormalised over the labels.

    ``y_l(i, j) ~ sum_uv exp(-((u - c)^2 + (v - c)^2) / (2 sigma^2)) [mask(S i + u - P, S j + v - P) = l]``, c the middle of the window
    (Gao et al. 2017).

    Args:
        mask: (B, H, W) of whole numbers, each a label's column or ``unknown``.
        num_labels: number of labels L.
        kernel_size: side K of the window in pixels, at least 1.
        sigma: standard deviation of the window in pixels, above 0.
        stride: pixels S from window to window, at least 1.
        padding: pixels P added on every side; like unknown pixels they count for no label.
        unknown: marks pixels that nobody labelled.
        dtype: of what is returned; None: torch's default.

    Returns:
        (B, L, H', W') with ``H' = (H + 2 P - K) // S + 1``; each pixel sums to 1, or is NaN (unknown, as losses read it) where its window
        holds no labelled pixel.

    Raises:
        ValueError: for a setting outside its range, or a window larger than the padded mask.
        DataError: on the CPU, for a class outside the labels.

    >>> smooth_mask(torch.tensor([[[0, 0, 1]]]), num_labels=2, kernel_size=1, sigma=1.0, stride=2).tolist()
    [[[[1.0, 0.0]], [[0.0, 1.0]]]]
    """
    if mask.ndim != 3 or mask.is_floating_point() or mask.is_complex():
        raise ValueError(f"smooth_mask: the mask must be (B, H, W) of whole numbers, got {mask.dtype} {tuple(mask.shape)}")
    known = mask != unknown
    if may_look(mask):
        _check_classes(mask, known, num_labels)
    columns = torch.where(known, mask.long(), num_labels)
    maps = F.one_hot(columns, num_labels + 1)[..., :num_labels].movedim(-1, 1)
    return _smoothed(maps.to(dtype or torch.get_default_dtype()), kernel_size, sigma, stride, padding)


def _check_classes(mask: Tensor, known: Tensor, num_labels: int) -> None:
    wrong = known & ((mask < 0) | (mask >= num_labels))
    if bool(wrong.any()):
        row, y, x = wrong.nonzero()[0].tolist()
        raise DataError(
            f"smooth_mask: mask {row} has class {int(mask[row, y, x])} at row {y}, column {x}; classes go from 0 to {num_labels - 1}, "
            "and `unknown` marks pixels without one"
        )


def _smoothed(maps: Float[Tensor, "B L H W"], kernel_size: int, sigma: float, stride: int, padding: int) -> Float[Tensor, "B L H2 W2"]:
    for name, value, least in (("kernel_size", kernel_size, 1), ("stride", stride, 1), ("padding", padding, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"the '{name}' parameter must be a whole number of at least {least}, got {value!r}")
    sigma = positive_number("sigma", sigma)
    batch, labels, height, width = maps.shape
    if kernel_size > min(height, width) + 2 * padding:
        raise ValueError(f"a window of {kernel_size} pixels does not fit into a mask of {height} x {width} with padding {padding}")
    places = torch.arange(kernel_size, device=maps.device, dtype=maps.dtype) - (kernel_size - 1) / 2
    window = torch.softmax(-0.5 * (places / sigma) ** 2, dim=0)
    planes = maps.reshape(batch * labels, 1, height, width)
    planes = F.conv2d(planes, window.view(1, 1, -1, 1), stride=(stride, 1), padding=(padding, 0))  # the window is a product of two
    planes = F.conv2d(planes, window.view(1, 1, 1, -1), stride=(1, stride), padding=(0, padding))
    weights = planes.view(batch, labels, *planes.shape[-2:])
    return weights / weights.sum(1, keepdim=True)  # 0 / 0 is NaN: no labelled pixel in the window


class SmoothMaskDistribution(LabelDistribution):
    """Label maps averaged by a Gaussian window, so that pixels at a boundary belong to both sides (Gao et al. 2017).

    Args:
        kernel_size: side of the window in pixels, at least 1.
        sigma: standard deviation of the window in pixels, above 0.
        stride: pixels from window to window, at least 1; as many times smaller the output is.
        padding: pixels added on every side; None: half the window, which keeps the size where ``stride`` is 1.

    Raises:
        ValueError: for a setting outside its range.

    >>> maps = torch.tensor([[[[1.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]]])
    >>> SmoothMaskDistribution(kernel_size=3, sigma=1.0)(maps)[0, :, 0]
    tensor([[1.0000, 0.7259, 0.3775],
            [0.0000, 0.2741, 0.6225]])
    """

    def __init__(self, kernel_size: int = 5, sigma: float = 1.0, stride: int = 1, padding: int | None = None):
        super().__init__()
        self.kernel_size, self.sigma, self.stride = kernel_size, sigma, stride
        self.padding = kernel_size // 2 if padding is None else padding
        _smoothed(torch.ones(1, 1, kernel_size, kernel_size), kernel_size, sigma, stride, self.padding)  # refuses what cannot be meant

    def forward(self, targets: Float[Tensor, "B L H W"]) -> Float[Tensor, "B L H2 W2"]:
        """Maps (B, L, H, W), 1 where a pixel has the label, all 0 where it is unknown -> distributions (B, L, H', W')."""
        targets = read_targets("smooth_mask", targets)
        if targets.ndim != 4:
            raise ValueError(f"smooth_mask: targets must be maps (B, L, H, W), got shape {tuple(targets.shape)}")
        return _smoothed(targets, self.kernel_size, self.sigma, self.stride, self.padding)
