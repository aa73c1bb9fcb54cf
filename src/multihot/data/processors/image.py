"""Encoded pictures as arrays of pixels."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ...errors import ConfigurationError, DataError
from ...interfaces import Processor

GREY_MODES = frozenset({"1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F"})


class ImageProcessor(Processor):
    """Decodes PNG, JPEG and whatever else Pillow reads.

    Pictures are grey (C = 1) if all training pictures are, and RGB (C = 3) otherwise.

    Args:
        size: height and width that every picture is resized to (one number for a square); by default all must have one size already.

    Raises:
        ConfigurationError: if the size is not positive.

    >>> import datasets, io
    >>> from PIL import Image
    >>> Image.new("L", (3, 2), color=255).save(file := io.BytesIO(), format="PNG")
    >>> rows = datasets.Dataset.from_dict({"id": ["a"], "image": [file.getvalue()]})
    >>> ImageProcessor().fit(rows).collate(list(rows))["image"].tolist()
    [[[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]]
    """

    modality: ClassVar[str] = "image"
    columns: ClassVar[tuple[str, ...]] = ("image",)

    def __init__(self, size: int | tuple[int, int] | None = None):
        height_and_width = (size, size) if isinstance(size, int) else size
        if height_and_width is not None and (len(height_and_width) != 2 or min(height_and_width) < 1):
            raise ConfigurationError(f"processor 'image': size must be a positive number or [height, width], got {size!r}")
        self.size = None if height_and_width is None else (int(height_and_width[0]), int(height_and_width[1]))
        self.image_shape: tuple[int, int, int] | None = None

    def fit(self, rows: Any) -> ImageProcessor:
        """Find the size of the training pictures, and whether they are grey; only their headers are read."""
        first, channels = None, 1
        for row in rows.select_columns(["id", "image"]):
            image = _open(row)
            height_and_width = image.size[::-1]
            first = first or height_and_width
            if self.size is None and height_and_width != first:
                raise DataError(
                    f"picture '{row['id']}' is {_times(height_and_width)} pixels, but the first one {_times(first)}; "
                    "give the processor a size that all pictures are resized to"
                )
            channels = channels if image.mode in GREY_MODES else 3
        height, width = self.size or first or (1, 1)
        self.image_shape = (channels, height, width)
        return self

    def prepare(self, rows: Any) -> Any:
        """Nothing is added: decoding a batch costs less than keeping its pixels."""
        return rows

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """``image`` (B, C, H, W) float32 in [0, 1]."""
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
        image = _open(row)
        if self.size is None and image.size != (width, height):
            raise DataError(
                f"picture '{row.get('id')}' is {_times(image.size[::-1])} pixels, the training pictures {_times((height, width))}; "
                "give the processor a size that all pictures are resized to"
            )
        try:
            if image.mode.startswith("I;16"):
                image = image.point(lambda value: value / 256, "L")  # convert would cut off instead of scale
            image = image.convert("L" if channels == 1 else "RGB")
        except (OSError, SyntaxError) as error:  # Pillow decodes here, and reports broken files either way
            raise DataError(f"picture '{row.get('id')}' is broken ({error}); leave it out or put in a whole copy") from error
        if image.size != (width, height):
            image = image.resize((width, height), resample=2)  # bilinear
        return np.asarray(image, dtype=np.uint8).reshape(height, width, channels)

    def _fitted(self) -> tuple[int, int, int]:
        if self.image_shape is None:
            raise ConfigurationError("processor 'image' knows no size yet; call fit with the training rows first")
        return self.image_shape


def _open(row: dict[str, Any]) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(row["image"]))
    except (UnidentifiedImageError, TypeError) as error:
        raise DataError(f"picture '{row.get('id')}' is in no format that Pillow reads; give PNG or JPEG bytes") from error


def _times(height_and_width: tuple[int, int]) -> str:
    return f"{height_and_width[0]} x {height_and_width[1]}"
