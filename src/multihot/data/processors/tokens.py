"""What both text processors do alike: token numbers in a memory-mapped column, and padded batches of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..derived import content_key, map_once

CHUNK = 10_000  # rows read at once where a whole column is looked at
LONG = 20_000  # rows from which on tokenising takes long enough for a progress bar


def add_tokens(rows: Any, tokenise: Callable[[list[str | None]], list[list[int]]], settings: Any) -> Any:
    """Rows with a column ``tokens``; kept in the cache under the rows' fingerprint and the settings where the rows lie on disk.

    Args:
        rows: a ``datasets.Dataset`` with a column ``text``.
        tokenise: texts -> their token numbers.
        settings: everything that the token numbers follow from, as plain JSON values.

    Returns:
        The rows in the same order; a second call with the same content only opens the cached file.
    """
    import datasets

    return map_once(
        rows,
        lambda texts: {"tokens": tokenise(texts)},
        kind="tokens",
        key=content_key(rows, settings),
        title="Tokenising",
        long=LONG,
        input_columns="text",
        batched=True,
        features=datasets.Features({**rows.features, "tokens": datasets.Sequence(datasets.Value("int32"))}),
    )


def token_lengths(rows: Any) -> list[int]:
    """How many tokens each prepared row has."""
    import pyarrow.compute as pc

    chunks = rows.select_columns("tokens").with_format("arrow").iter(CHUNK)
    return [length for table in chunks for length in pc.list_value_length(table["tokens"]).to_pylist()]


def pad(rows: list[dict[str, Any]], padding: int = 0) -> dict[str, Tensor]:
    """The rows' token numbers padded at the end: ``tokens`` (B, S) int64 and ``mask`` (B, S), True where a token is real."""
    lengths = np.fromiter((len(row["tokens"]) for row in rows), dtype=np.int64, count=len(rows))
    mask = np.arange(lengths.max()) < lengths[:, None]
    tokens = np.full(mask.shape, padding, dtype=np.int64)
    tokens[mask] = np.concatenate([row["tokens"] for row in rows])
    return {"tokens": torch.from_numpy(tokens), "mask": torch.from_numpy(mask)}
