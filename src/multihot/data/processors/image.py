"""Encoded pictures as arrays of pixels."""

from __future__ import annotations

import copy
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ...errors import ConfigurationError
from ...interfaces import Processor
from ..assumed import entry
from ..pictures import GREY_MODES, decode, open_picture, size_of
from ..transforms import make_augmentation, size_before_cut

Size = tuple[int, int]
BILINEAR = 2


class ImageProcessor(Processor):
    """Decodes PNG, JPEG and whatever else Pillow reads.

    Pictures are grey (C = 1) if all training pictures are, and RGB (C = 3) otherwise. Where a batch is prepared for training, its
    pictures are augmented; the random numbers follow from the ids of the batch, so they are the same however many workers there are
    and wherever an interrupted training goes on, and others in every epoch.

    Args:
        size: height and width that every picture is stretched to (one number for a square); None keeps pictures that all have one size
            with sides of at most ``largest_kept``, and stretches others to ``usual_size``.
        augment: what training pictures go through instead of that: ``"five_positions"`` or ``"random_crop"`` (see
            ``multihot.data.transforms``); None resizes them like all others.
        resize: height and width before the augmentation cuts something out.
        usual_size: what the encoder was made for, where no ``size`` is given.
        largest_kept: pixels of the longer side.

    Raises:
        ConfigurationError: if a size is not positive, or the augmentation is unknown or lacks a size.

    >>> import datasets, io
    >>> from PIL import Image
    >>> Image.new("L", (3, 2), color=255).save(file := io.BytesIO(), format="PNG")
    >>> rows = datasets.Dataset.from_dict({"id": ["a"], "image": [file.getvalue()]})
    >>> ImageProcessor().fit(rows).collate(list(rows))["image"].tolist()
    [[[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]]
    """

    modality: ClassVar[str] = "image"
    columns: ClassVar[tuple[str, ...]] = ("image", "encoded")

    def __init__(
        self,
        size: int | Size | None = None,
        augment: str | None = None,
        resize: int | Size | None = None,
        usual_size: int | Size = 64,
        largest_kept: int = 256,
    ):
        self.size, self.augment, self.resize = _height_and_width(size, "size"), augment, _height_and_width(resize, "resize")
        self.usual_size, self.largest_kept = _height_and_width(usual_size, "usual_size"), largest_kept
        self.augmentation: Callable[[Any], Any] | None = None
        self.image_shape: tuple[int, int, int] | None = None
        if augment is None and resize is not None:
            raise ConfigurationError("processor 'image': resize is for augmentations; add augment: five_positions or random_crop")
        if augment is not None:
            if self.size is None:
                raise ConfigurationError(f"processor 'image': augment '{augment}' needs a size; add method.processor.size=224, say")
            size_before_cut(str(augment), self.size, self.resize)  # refuses its settings before any data is read

    def fit(self, rows: Any) -> ImageProcessor:
        """Find the size of the training pictures, and whether they are grey; only their headers are read."""
        sizes, channels = Counter[Size](), 1
        for row in rows.select_columns(["id", "image"]):
            image = open_picture(row["image"], row["id"])
            sizes[size_of(image)] += 1
            channels = channels if image.mode in GREY_MODES else 3
        height, width = self.size or self._found(sizes)
        self.image_shape = (channels, height, width)
        return self

    def _found(self, sizes: Counter[Size]) -> Size:
        """The size that pictures get where none is given."""
        assert self.usual_size is not None, "it has a default"
        alike = len(sizes) == 1 and max(next(iter(sizes))) <= self.largest_kept
        chosen = next(iter(sizes)) if alike else self.usual_size
        there = f"all of {_times(next(iter(sizes)))} pixels" if len(sizes) == 1 else f"of {len(sizes):,} sizes"
        done = "left so" if alike else f"stretched to {_times(chosen)} pixels"
        self.remark = entry("pictures", f"{there}, {done} (method.processor.size)")
        return chosen

    def prepare(self, rows: Any) -> Any:
        """Nothing is added: decoding a batch costs less than keeping its pixels."""
        return rows

    def for_training(self) -> ImageProcessor:
        """The same processor, augmenting."""
        if self.augment is None or self.size is None:
            return self
        augmenting = copy.copy(self)
        augmenting.augmentation = make_augmentation(self.augment, self.size, self.resize)
        return augmenting

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """``image`` (B, C, H, W) float32 in [0, 1]; or ``encoded`` (B, ...) float32, what a frozen encoder made of the pictures before."""
        if "encoded" in rows[0]:
            return {"encoded": torch.from_numpy(np.stack([np.asarray(row["encoded"], dtype=np.float32) for row in rows]))}
        if self.augmentation is None:
            pixels = np.stack([self._pixels(row) for row in rows])
        else:
            with torch.random.fork_rng(devices=[], enabled=len(rows) > 1):  # a row alone has the same id in every epoch
                if len(rows) > 1:
                    torch.manual_seed(zlib.crc32("\0".join(str(row.get("id")) for row in rows).encode()))
                pixels = np.stack([self._pixels(row) for row in rows])
        return {"image": torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255).contiguous()}

    def provides(self) -> dict[str, Any]:
        """``image_shape``: (C, H, W)."""
        return {"image_shape": self._fitted()}

    def to_dict(self) -> dict[str, Any]:
        """The shape of the pictures."""
        return {"image_shape": list(self._fitted())}

    def load_dict(self, content: dict[str, Any]) -> ImageProcessor:
        """Take back the shape of the pictures."""
        channels, height, width = content["image_shape"]
        self.image_shape = (channels, height, width)
        return self

    def _pixels(self, row: dict[str, Any]) -> np.ndarray:
        """(H, W, C) in 0 to 255."""
        channels, height, width = self._fitted()
        name = str(row.get("id"))
        image = open_picture(row["image"], name)
        larger = size_before_cut(self.augment, self.size, self.resize) if self.augment and self.size else (height, width)
        image = decode(image, channels == 1, name, larger[::-1])
        if self.augmentation is not None:
            image = self.augmentation(image)
        elif image.size != (width, height):
            image = image.resize((width, height), resample=BILINEAR)
        return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)

    def _fitted(self) -> tuple[int, int, int]:
        if self.image_shape is None:
            raise ConfigurationError("processor 'image' knows no size yet; call fit with the training rows first")
        return self.image_shape


def _height_and_width(size: int | Size | None, name: str) -> Size | None:
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or not all(isinstance(side, int) and side >= 1 for side in pair):
        raise ConfigurationError(f"processor 'image': {name} must be a positive number or [height, width], got {size!r}")
    return pair


def _times(height_and_width: Size) -> str:
    return f"{height_and_width[0]} x {height_and_width[1]}"
