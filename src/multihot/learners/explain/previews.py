"""What a report shows of an instance: the start of a text, a small picture, the frames of a recording, the first values of a table row.

Kept with the predictions, so that whoever reads a run folder needs neither the data nor a model.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ...data import MultiLabelData
from ...data.pictures import GREY_MODES, decode, open_picture

LETTERS = 400
PIXELS = 96  # longer side of a small picture
VALUES = 8


def chosen_by_name(ids: Sequence[str], count: int) -> list[int]:
    """The numbers of at most ``count`` instances, those whose names have the smallest digests: the same ones in every run on the same data.

    >>> sorted(chosen_by_name(["a", "b", "c"], 5))
    [0, 1, 2]
    """
    return sorted(range(len(ids)), key=lambda row: hashlib.sha256(ids[row].encode()).digest())[:count]


def excerpts(rows: Any, data: MultiLabelData) -> list[str] | list[bytes]:
    """One excerpt a row, in the rows' order: a string, or an encoded picture.

    Args:
        rows: a split of the data set.
        data: says what the rows hold.

    Returns:
        N strings, or N encoded pictures.
    """
    if data.modality == "image":
        return [_small(row["image"], row["id"]) for row in rows.select_columns(["id", "image"])]
    if data.modality == "audio":
        from ...data.processors import AudioProcessor

        heard = AudioProcessor().prepare(rows).select_columns(["frames", "num_frames"])
        return [_drawn(np.reshape(row["frames"], (row["num_frames"], -1))) for row in heard.with_format("numpy")]
    if data.modality == "text":
        return [row["text"][:LETTERS] for row in rows.select_columns(["text"])]
    if data.input_column == "features":
        names = data.feature_names or [f"feature {i}" for i in range(data.num_features or 0)]
        return [_values(names[:VALUES], row["features"][:VALUES]) for row in rows.select_columns(["features"])]
    columns = rows.select_columns(["indices", "values"])
    return [_values([f"feature {i}" for i in row["indices"][:VALUES]], row["values"][:VALUES]) for row in columns]


def _values(names: Sequence[str], values: Sequence[float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in zip(names, values, strict=True))


def _drawn(frames: Float[np.ndarray, "T F"]) -> bytes:
    """Frames as a grey picture: time from left to right, the first feature at the bottom, the largest values white."""
    from PIL import Image

    lowest, highest = float(frames.min()), float(frames.max())
    grey = (frames - lowest) / max(highest - lowest, 1e-9) * 255
    image = Image.fromarray(grey.T[::-1].round().astype(np.uint8))
    image.thumbnail((2 * PIXELS, PIXELS))
    image.save(file := io.BytesIO(), format="PNG")
    return file.getvalue()


def _small(picture: bytes, name: str) -> bytes:
    image = open_picture(picture, name)
    if max(image.size) <= PIXELS:
        return picture
    image = decode(image, image.mode in GREY_MODES, name, (PIXELS, PIXELS))
    image.thumbnail((PIXELS, PIXELS))
    image.save(file := io.BytesIO(), format="JPEG", quality=80)
    return file.getvalue()
