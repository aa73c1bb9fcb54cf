"""Augmentations of training pictures, through torchvision's transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ConfigurationError, nearest

CROP_SIDES = (256, 224, 192, 168, 128)  # of a picture of 256 pixels
AUGMENTATIONS = ("five_positions", "random_crop")
Size = tuple[int, int]


def make_augmentation(name: str, size: Size, resize: Size | None) -> Callable[[Any], Any]:
    """What a training picture goes through.

    ``five_positions`` (Tsai 2019, section 3.4; Tsai and Lee 2019, section 4.1): resize to 256 x 256, cut out one of the four corners or the
    centre with a side in {256, 224, 192, 168, 128}, resize to ``size`` (224 there). ``random_crop`` (Zhu and Xiong 2022, section 4.3):
    resize to ``resize``, cut out ``size`` (448 there) anywhere, flip left to right half of the time.

    Args:
        name: one of these.
        size: height and width of what comes out.
        resize: height and width before anything is cut out; by default 256 x 256 for the first, and 8/7 of ``size`` for the second, as
            256 is to 224.

    Returns:
        A PIL picture -> another of the size; random numbers come from PyTorch's global generator.

    Raises:
        ConfigurationError: for another name, for a size that cannot be cut out, or if torchvision is not installed.
    """
    before = size_before_cut(name, size, resize)
    v2 = _transforms()
    if name == "random_crop":
        return v2.Compose([v2.Resize(before), v2.RandomCrop(size), v2.RandomHorizontalFlip()])
    sides = [(max(1, round(before[0] * side / 256)), max(1, round(before[1] * side / 256))) for side in CROP_SIDES]
    return v2.Compose([v2.Resize(before), FivePositions(sides), v2.Resize(size)])


def size_before_cut(name: str, size: Size, resize: Size | None = None) -> Size:
    """What pictures are resized to before an augmentation cuts something out; needs no torchvision.

    Raises:
        ConfigurationError: for an augmentation that there is not, or a size that cannot be cut out.

    >>> size_before_cut("random_crop", (448, 448))
    (512, 512)
    """
    if name not in AUGMENTATIONS:
        raise ConfigurationError(f"processor 'image': there is no augmentation '{name}'; {nearest(str(name), AUGMENTATIONS)}")
    if name == "five_positions":
        return resize or (256, 256)
    before = resize or (round(size[0] * 8 / 7), round(size[1] * 8 / 7))
    if before[0] < size[0] or before[1] < size[1]:
        raise ConfigurationError(f"processor 'image': random_crop cannot cut {size} out of pictures of resize={before}; give a larger one")
    return before


class FivePositions:
    """A corner or the centre of a picture, with one of several sizes; all combinations are equally likely.

    Args:
        sides: heights and widths, none larger than the pictures.

    Returns:
        A picture -> its part.
    """

    def __init__(self, sides: Sequence[Size]):
        self.sides = sides

    def __call__(self, picture: Any) -> Any:
        import torch

        side, position = divmod(int(torch.randint(len(self.sides) * 5, ())), 5)
        return _transforms().functional.five_crop(picture, list(self.sides[side]))[position]


def _transforms() -> Any:
    try:
        from torchvision.transforms import v2
    except ImportError as error:
        raise ConfigurationError(f'augmentations need torchvision ({error}); install it with pip install "multihot[images]"') from error
    return v2
