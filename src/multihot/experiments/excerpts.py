"""What a report shows of an instance: the start of a text, a small picture, the first values of a table row.

Kept with the predictions, so that whoever reads a run folder needs neither the data nor a model.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from ..data import MultiLabelData

LETTERS = 400
PIXELS = 96  # longer side of a small picture
VALUES = 8


def excerpts(rows: Any, data: MultiLabelData) -> list[str] | list[bytes]:
    """One excerpt a row, in the rows' order: a string, or an encoded picture.

    Args:
        rows: a split of the data set.
        data: says what the rows hold.

    Returns:
        N strings, or N encoded pictures.
    """
    if data.modality == "image":
        return [_small(row["image"]) for row in rows.select_columns(["image"])]
    if data.modality == "text":
        return [row["text"][:LETTERS] for row in rows.select_columns(["text"])]
    if data.input_column == "features":
        names = data.feature_names or [f"feature {i}" for i in range(data.num_features or 0)]
        return [_values(names[:VALUES], row["features"][:VALUES]) for row in rows.select_columns(["features"])]
    columns = rows.select_columns(["indices", "values"])
    return [_values([f"feature {i}" for i in row["indices"][:VALUES]], row["values"][:VALUES]) for row in columns]


def _values(names: Sequence[str], values: Sequence[float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in zip(names, values, strict=True))


def _small(picture: bytes) -> bytes:
    from PIL import Image

    image: Image.Image = Image.open(io.BytesIO(picture))
    if max(image.size) <= PIXELS:
        return picture
    image = image.convert("L" if image.mode in ("1", "L", "LA", "I;16") else "RGB")
    image.thumbnail((PIXELS, PIXELS))
    image.save(file := io.BytesIO(), format="JPEG", quality=80)
    return file.getvalue()
