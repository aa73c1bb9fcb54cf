"""From the bytes of a picture file to pixels: every kind of picture is handled, or named."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

from ..errors import DataError

# what Pillow's readers raise for files that are cut short, altered, or hold what no picture may
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, KeyError, TypeError, OverflowError, ZeroDivisionError)
ORIENTATION = 0x0112  # the EXIF tag
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})


def open_picture(content: Any, name: str) -> Any:
    """A PIL picture of which only the header has been read.

    Args:
        content: the bytes of its file.
        name: the row's id, for error messages.

    Raises:
        DataError: if it is no picture, or one so large that it may be meant to fill the memory.
    """
    from PIL import Image

    if not isinstance(content, (bytes, bytearray)):
        raise DataError(f"picture '{name}' is in no format that Pillow reads, but {type(content).__name__}; give PNG or JPEG bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large, but not yet too large
            return Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise DataError(f"picture '{name}' is too large ({error}); make it smaller, or raise PIL.Image.MAX_IMAGE_PIXELS") from error
    except BROKEN as error:
        raise DataError(f"picture '{name}' is in no format that Pillow reads, or broken; give PNG or JPEG bytes") from error


def size_of(image: Any) -> tuple[int, int]:
    """Height and width of an opened picture as it is to be seen: a camera that was held upright says so beside its pixels.

    >>> from PIL import Image
    >>> size_of(Image.new("L", (3, 2)))
    (2, 3)
    """
    return image.size if _on_its_side(image) else image.size[::-1]


def decode(image: Any, grey: bool, name: str, wanted: tuple[int, int] | None = None) -> Any:
    """The pixels of an opened picture, as grey or RGB.

    Palettes and CMYK become colours, 16 bits are scaled to 8, what is transparent turns white, and what a camera took on its side is set
    upright.

    Args:
        image: from ``open_picture``.
        grey: one channel instead of three.
        name: the row's id, for error messages.
        wanted: width and height that it will be resized to; a much larger JPEG is decoded at a fraction of its size, which is quicker.

    Returns:
        A PIL picture of mode ``L`` or ``RGB``.

    Raises:
        DataError: if it is broken, or holds numbers of which nobody knows what is white.
    """
    sixteen = image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG")  # older Pillow reads 16-bit PNG as "I"
    if image.mode in ("I", "F") and not sixteen:
        raise DataError(
            f"picture '{name}' holds 32-bit numbers (mode {image.mode}), which say not what is white; save it with 8 or 16 bits"
        )
    try:
        if wanted is not None:
            width, height = wanted[::-1] if _on_its_side(image) else wanted
            image.draft(None, (2 * width, 2 * height))
        image = _upright(image)
        if sixteen:
            return _from_16_bits(image).convert("L" if grey else "RGB")
        if image.has_transparency_data:
            image = _on_white(image.convert("RGBA"))
        return image.convert("L" if grey else "RGB")
    except BROKEN as error:
        raise DataError(f"picture '{name}' is broken ({error}); leave it out or put in a whole copy") from error


def _upright(image: Any) -> Any:
    from PIL import ImageOps

    if _orientation(image) == 1:
        return image
    turned = ImageOps.exif_transpose(image)
    turned.format = image.format
    return turned


def _on_its_side(image: Any) -> bool:
    """Whether height and width change places when the picture is set upright."""
    return _orientation(image) in (5, 6, 7, 8)


def _orientation(image: Any) -> int:
    """EXIF's word on how a picture is to be turned, as far as it stands in the header; 1 where it is not.

    Pillow sets TIFF upright itself, and looks for it behind the pixels of a PNG, which would have to be decoded.
    """
    if image.format == "TIFF" or not {"exif", "mp"} & image.info.keys():
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except BROKEN:  # a damaged remark beside whole pixels
        return 1
    return found if isinstance(found, int) else 1


def _from_16_bits(image: Any) -> Any:
    import numpy as np
    from PIL import Image

    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _on_white(image: Any) -> Any:
    from PIL import Image

    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white
