"""Pictures with a class for every pixel, in the layout of PASCAL VOC's segmentation challenge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils.data import Dataset

from ..errors import DataError
from ..types import Batch
from .formats.voc_xml import CLASSES
from .pictures import decode, open_picture

UNKNOWN = 255
VOC_LABELS = ("background", *CLASSES)
SUFFIXES = (".jpg", ".jpeg", ".png")
NEAREST, BILINEAR = 0, 2


@dataclass(frozen=True)
class MaskedPicture:
    """A picture and its mask on disk."""

    name: str
    picture: Path
    mask: Path


def read_voc_masks(folder: str | Path, num_labels: int) -> dict[str, list[MaskedPicture]]:
    """Find the pictures of a folder such as ``VOC2012``, and check every mask.

    Pictures lie in ``JPEGImages``, masks in ``SegmentationClass`` (PNG, palette or grey: the class's number, 255 where nobody
    labelled the pixel), the lists ``train.txt`` and ``val.txt`` in ``ImageSets/Segmentation``.

    Args:
        folder: which.
        num_labels: classes are 0 to ``num_labels - 1``.

    Returns:
        ``"train"`` and ``"val"`` -> their pictures, in the order of the lists.

    Raises:
        DataError: for a missing list, picture or mask, a mask of another size than its picture, or an unknown class.
    """
    found = {}
    for split in ("train", "val"):
        lines = Path(folder) / "ImageSets" / "Segmentation" / f"{split}.txt"
        if not lines.is_file():
            raise DataError(f"{lines} is missing; give the folder with JPEGImages, SegmentationClass and ImageSets, such as VOC2012")
        names = lines.read_text(encoding="utf-8").split()
        if not names:
            raise DataError(f"{lines} names no picture; list one name a line, without a suffix")
        found[split] = [_masked(Path(folder), name, lines, number) for number, name in enumerate(names, 1)]
    for one in (picture for pictures in found.values() for picture in pictures):
        _check(one, num_labels)
    return found


def _masked(folder: Path, name: str, lines: Path, number: int) -> MaskedPicture:
    pictures = [path for suffix in SUFFIXES if (path := folder / "JPEGImages" / f"{name}{suffix}").is_file()]
    mask = folder / "SegmentationClass" / f"{name}.png"
    for what, there in (("picture JPEGImages", bool(pictures)), ("mask SegmentationClass", mask.is_file())):
        if not there:
            raise DataError(f"{lines}, line {number}: '{name}' has no {what}/{name}.*; put the file there or take the line out")
    return MaskedPicture(name, pictures[0], mask)


def _check(one: MaskedPicture, num_labels: int) -> None:
    mask = read_mask(one.mask)
    width, height = open_picture(one.picture.read_bytes(), str(one.picture)).size
    if mask.shape != (height, width):
        raise DataError(
            f"{one.mask} is {mask.shape[0]} x {mask.shape[1]} pixels, but its picture {height} x {width}; give the mask of that picture"
        )
    wrong = (mask >= num_labels) & (mask != UNKNOWN)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{one.mask} has class {mask[row, column]} at row {row}, column {column}; classes go from 0 to {num_labels - 1}, "
            f"and {UNKNOWN} is a pixel that nobody labelled"
        )


def read_mask(path: Path) -> Int[np.ndarray, "H W"]:
    """The classes of a mask's pixels, 8 bits each.

    Raises:
        DataError: for a picture that holds colours in place of classes.
    """
    image = open_picture(path.read_bytes(), str(path))
    if image.mode not in ("P", "L"):
        raise DataError(f"{path} holds no classes but colours (mode {image.mode}); save it with a palette or as 8-bit grey numbers")
    try:
        return np.asarray(image, dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path} is broken ({error}); put in a whole copy") from error


class MaskBatches(Dataset):
    """Lists of row numbers -> batches of pictures with masks, all resized to one square.

    A batch has ``inputs["image"]`` (B, 3, size, size) in [0, 1], ``inputs["mask"]`` (B, size, size), whole numbers, and as targets (B, L)
    which classes occur in the mask.

    Args:
        pictures: what to read.
        num_labels: L.
        size: side of the square in pixels; pictures are interpolated, masks take the nearest pixel.
    """

    def __init__(self, pictures: Sequence[MaskedPicture], num_labels: int, size: int):
        self.pictures, self.num_labels, self.size = pictures, num_labels, size

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: list[int]) -> Batch:
        some = [self.pictures[row] for row in rows]
        masks = torch.from_numpy(np.stack([self._mask(one) for one in some])).long()
        targets = torch.stack([(masks == label).flatten(1).any(1) for label in range(self.num_labels)], dim=1).float()
        inputs = {"image": torch.stack([read_pixels(one, self.size) for one in some]), "mask": masks}
        return Batch(inputs, targets, torch.ones_like(targets, dtype=torch.bool), [one.name for one in some])

    def _mask(self, one: MaskedPicture) -> np.ndarray:
        from PIL import Image

        return np.asarray(Image.fromarray(read_mask(one.mask)).resize((self.size, self.size), resample=NEAREST))


def read_pixels(one: MaskedPicture, size: int) -> Tensor:
    """A picture as (3, size, size) in [0, 1]."""
    name = str(one.picture)
    image = decode(open_picture(one.picture.read_bytes(), name), grey=False, name=name).resize((size, size), resample=BILINEAR)
    return torch.from_numpy(np.asarray(image, dtype=np.uint8).copy()).permute(2, 0, 1).float().div_(255)
