"""Smoothed segmentation masks against a convolution by loops."""

from math import exp, nan

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from multihot.components import build
from multihot.distributions import SmoothMaskDistribution, smooth_mask
from multihot.errors import ConfigurationError, DataError
from multihot.losses import label_distribution_loss


def by_loops(mask: np.ndarray, labels: int, size: int, sigma: float, stride: int, padding: int, unknown: int = 255) -> np.ndarray:
    height, width = mask.shape
    down, right = (height + 2 * padding - size) // stride + 1, (width + 2 * padding - size) // stride + 1
    smoothed = np.full((labels, down, right), nan)
    middle = (size - 1) / 2
    for i in range(down):
        for j in range(right):
            weights = np.zeros(labels)
            for u in range(size):
                for v in range(size):
                    y, x = stride * i + u - padding, stride * j + v - padding
                    if 0 <= y < height and 0 <= x < width and mask[y, x] != unknown:
                        weights[mask[y, x]] += exp(-((u - middle) ** 2 + (v - middle) ** 2) / (2 * sigma**2))
            if weights.sum():
                smoothed[:, i, j] = weights / weights.sum()
    return smoothed


@pytest.mark.parametrize(
    ("size", "sigma", "stride", "padding"), [(1, 1.0, 1, 0), (3, 0.8, 1, 1), (5, 2.0, 2, 2), (4, 1.0, 3, 1), (3, 1.0, 2, 4), (7, 1.5, 1, 0)]
)
def test_it_is_the_convolution_by_loops(size: int, sigma: float, stride: int, padding: int) -> None:
    masks = np.random.default_rng(size).integers(0, 4, (2, 9, 11))
    masks[0, :3, :4] = 255
    smoothed = smooth_mask(torch.from_numpy(masks), 4, size, sigma, stride, padding, dtype=torch.float64)
    expected = np.stack([by_loops(mask, 4, size, sigma, stride, padding) for mask in masks])
    np.testing.assert_allclose(smoothed.numpy(), expected, rtol=1e-12, atol=1e-15)
    assert smooth_mask(torch.from_numpy(masks).to(torch.uint8), 4, size, sigma, stride, padding).dtype == torch.float32


def test_within_a_region_it_is_one_hot_and_elsewhere_sums_to_one() -> None:
    mask = torch.zeros(1, 12, 12, dtype=torch.long)
    mask[:, :, 6:] = 2
    smoothed = smooth_mask(mask, 3, 3, 1.0, padding=1)
    torch.testing.assert_close(smoothed[..., :5], F.one_hot(mask, 3).movedim(-1, 1).float()[..., :5])
    torch.testing.assert_close(smoothed.sum(1), torch.ones(1, 12, 12))
    assert 0 < smoothed[0, 2, 5, 5] < smoothed[0, 0, 5, 5]


def test_pixels_without_a_label_are_unknown_to_the_loss() -> None:
    mask = torch.full((1, 4, 4), 255)
    mask[0, 0, 0] = 1
    smoothed = smooth_mask(mask, 2, 3, 1.0, padding=1)
    assert smoothed[0, 0].isnan().sum() == 12
    assert smoothed[0, 1, :2, :2].eq(1).all()
    logits = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = label_distribution_loss(logits, smoothed)
    torch.testing.assert_close(loss, -logits.log_softmax(1)[:, 1, :2, :2].mean((1, 2)))
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert gradient[..., 2:, :].eq(0).all()
    assert gradient[..., :2, :2].ne(0).all()


def test_the_class_smooths_maps_and_keeps_their_size() -> None:
    mask = torch.randint(0, 3, (2, 8, 9), generator=torch.Generator().manual_seed(0))
    maps = F.one_hot(mask, 3).movedim(-1, 1).double()
    distribution = build("distribution", {"name": "smooth_mask", "kernel_size": 5, "sigma": 1.3}, num_labels=3)
    torch.testing.assert_close(distribution(maps), smooth_mask(mask, 3, 5, 1.3, padding=2, dtype=torch.float64))
    torch.testing.assert_close(SmoothMaskDistribution(3, 1.0, 2, 0)(maps), smooth_mask(mask, 3, 3, 1.0, 2, 0, dtype=torch.float64))


def test_what_cannot_be_meant_is_refused() -> None:
    mask = torch.zeros(2, 5, 5, dtype=torch.long)
    with pytest.raises(DataError, match=r"smooth_mask: mask 1 has class 3 at row 2, column 4; classes go from 0 to 2"):
        smooth_mask(mask.index_put((torch.tensor(1), torch.tensor(2), torch.tensor(4)), torch.tensor(3)), 3, 3, 1.0)
    with pytest.raises(DataError, match="has class -1"):
        smooth_mask(mask - 1, 3, 3, 1.0)
    with pytest.raises(ValueError, match="'sigma' parameter must be a finite number above 0, got 0"):
        smooth_mask(mask, 3, 3, 0)
    for name, value, said in (
        ("kernel_size", 0, "1, got 0"),
        ("stride", 0, "1, got 0"),
        ("padding", -1, "0, got -1"),
        ("stride", 1.5, "1, got 1.5"),
    ):
        settings = {"kernel_size": 3, "sigma": 1.0, name: value}
        with pytest.raises(ValueError, match=f"'{name}' parameter must be a whole number of at least {said}"):
            smooth_mask(mask, 3, **settings)
    with pytest.raises(ValueError, match="a window of 7 pixels does not fit into a mask of 5 x 5 with padding 0"):
        smooth_mask(mask, 3, 7, 1.0)
    with pytest.raises(ValueError, match=r"must be \(B, H, W\) of whole numbers, got torch.float32"):
        smooth_mask(mask.float(), 3, 3, 1.0)
    with pytest.raises(ConfigurationError, match="distribution 'smooth_mask': the 'stride' parameter"):
        build("distribution", {"name": "smooth_mask", "stride": 0})
    with pytest.raises(ValueError, match=r"targets must be maps \(B, L, H, W\)"):
        SmoothMaskDistribution()(torch.zeros(2, 3))
