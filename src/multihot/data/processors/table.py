"""Rows of numbers, dense or sparse, brought to comparable scales."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import ConfigurationError, DataError, nearest
from ...interfaces import Processor

CHUNK = 10_000  # rows looked at together


class TableProcessor(Processor):
    """Scales features by what the training rows say.

    Dense features: ``(x - mean) / standard deviation``, both of the training split. Sparse features: ``x / max |x|`` over the training
    split, which keeps zeros zero and rare features small. A feature that never varies is not scaled.

    Args:
        standardise: scale the features, or give them as they are.
        missing: what a dense feature that is not a number gets: ``"error"`` refuses the row, ``"mean"`` fills in the training mean.
        num_features: F, where the data set states it; by default what the training rows show.

    Raises:
        ConfigurationError: if ``missing`` is neither.

    >>> import datasets
    >>> rows = datasets.Dataset.from_dict({"id": ["a", "b"], "features": [[1.0, 5.0], [3.0, 5.0]]})
    >>> processor = TableProcessor().fit(rows)
    >>> processor.collate(list(rows))["features"].tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    modality: ClassVar[str] = "table"
    columns: ClassVar[tuple[str, ...]] = ("features", "indices", "values")

    def __init__(self, standardise: bool = True, missing: str = "error", num_features: int | None = None):
        if missing not in ("error", "mean"):
            raise ConfigurationError(
                f"processor 'table' has no way '{missing}' with missing features; {nearest(missing, ['error', 'mean'])}"
            )
        self.standardise = standardise
        self.missing = missing
        self.num_features = num_features
        self.mean: Float[np.ndarray, " F"] | None = None
        self.scale: Float[np.ndarray, " F"] | None = None

    def fit(self, rows: Any) -> TableProcessor:
        """Learn the means and scales of the training rows."""
        self.mean, scale = self._dense_statistics(rows) if "features" in rows.column_names else self._sparse_statistics(rows)
        self.scale = np.where(scale > 0, scale, 1.0)
        return self

    def prepare(self, rows: Any) -> Any:
        """Check every row; nothing is added."""
        for _ in self._dense(rows) if "features" in rows.column_names else self._sparse(rows):
            pass
        return rows

    def collate(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """``features`` (B, F) float32; or ``indices`` (B, S) int64 and ``values`` (B, S) float32, 0 at the padding behind."""
        mean, scale = self._fitted()
        if "features" in rows[0]:
            features = self._checked([row["features"] for row in rows], [row.get("id", i) for i, row in enumerate(rows)])
            features = np.where(np.isnan(features), mean, features)
            return {"features": torch.from_numpy(((features - mean) / scale if self.standardise else features).astype(np.float32))}
        lengths = np.asarray([len(row["indices"]) for row in rows])
        real = np.arange(max(lengths.max(), 1)) < lengths[:, None]
        indices, values = np.zeros(real.shape, dtype=np.int64), np.zeros(real.shape, dtype=np.float32)
        flat = np.concatenate([row["indices"] for row in rows]).astype(np.int64)
        self._check_indices(flat, np.repeat([str(row.get("id", i)) for i, row in enumerate(rows)], lengths))
        indices[real] = flat
        values[real] = np.concatenate([row["values"] for row in rows]) / (scale[flat] if self.standardise else 1.0)
        return {"indices": torch.from_numpy(indices), "values": torch.from_numpy(values)}

    def length(self, rows: Any) -> list[int] | None:
        """Stored features of each sparse row; None for dense rows, which are all alike."""
        if "features" in rows.column_names:
            return None
        chunks = rows.select_columns("indices").with_format("arrow").iter(CHUNK)
        return [length for table in chunks for length in _lengths(table["indices"]).tolist()]

    def provides(self) -> dict[str, Any]:
        """``num_features``: F."""
        self._fitted()
        return {"num_features": self.num_features}

    def to_dict(self) -> dict[str, Any]:
        """Means and scales."""
        mean, scale = self._fitted()
        return {"mean": mean.tolist(), "scale": scale.tolist()}

    def load_dict(self, content: dict[str, Any]) -> TableProcessor:
        """Take back means and scales."""
        self.mean, self.scale = np.asarray(content["mean"], dtype=np.float64), np.asarray(content["scale"], dtype=np.float64)
        self.num_features = len(self.mean)
        return self

    def _fitted(self) -> tuple[np.ndarray, np.ndarray]:
        if self.mean is None or self.scale is None:
            raise ConfigurationError("processor 'table' has no means yet; call fit with the training rows first")
        return self.mean, self.scale

    def _dense_statistics(self, rows: Any) -> tuple[Float[np.ndarray, " F"], Float[np.ndarray, " F"]]:
        # two passes in float64: the textbook one-pass variance loses all digits where the mean is large
        count, total, squares = np.zeros(1), np.zeros(1), np.zeros(1)
        for features in self._dense(rows):
            self.num_features = features.shape[1]
            count, total = count + (~np.isnan(features)).sum(axis=0), total + np.nansum(features, axis=0)
        mean = total / np.maximum(count, 1)
        for features in self._dense(rows):
            squares = squares + np.nansum((features - mean) ** 2, axis=0)
        return mean, np.sqrt(squares / np.maximum(count, 1))

    def _sparse_statistics(self, rows: Any) -> tuple[Float[np.ndarray, " F"], Float[np.ndarray, " F"]]:
        if self.num_features is None:
            self.num_features = 1 + max((int(indices.max(initial=-1)) for indices, _ in self._sparse(rows)), default=0)
        largest = np.zeros(self.num_features)
        for indices, values in self._sparse(rows):
            np.maximum.at(largest, indices, np.abs(values))
        return np.zeros(self.num_features), largest

    def _dense(self, rows: Any) -> Iterator[Float[np.ndarray, "n F"]]:
        """The features of some rows at a time, in float64."""
        for table in rows.with_format("arrow").iter(CHUNK):
            ids = table["id"].to_pylist()
            lengths, flat = _lengths(table["features"]), table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            yield self._checked(np.split(flat, np.cumsum(lengths)[:-1]), ids)

    def _sparse(self, rows: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Feature numbers and their values, of some rows at a time, one after another."""
        for table in rows.with_format("arrow").iter(CHUNK):
            indices, values = (table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False) for name in ("indices", "values"))
            names = np.repeat(np.asarray(table["id"].to_pylist(), dtype=object), _lengths(table["indices"]))
            self._check_indices(indices, names)
            if not np.isfinite(values).all():
                row = names[np.flatnonzero(~np.isfinite(values))[0]]
                raise DataError(f"row '{row}' has a feature value that is not a finite number; mend the row or leave the entry out")
            yield indices, values.astype(np.float64)

    def _checked(self, features: Sequence[Any], ids: Sequence[Any]) -> Float[np.ndarray, "n F"]:
        expected = self.num_features if self.num_features is not None else len(features[0])
        for values, row in zip(features, ids, strict=True):
            if len(values) != expected:
                raise DataError(f"row '{row}' has {len(values)} features where {expected} are expected; give every row the same columns")
        matrix = np.asarray(np.stack([np.asarray(values, dtype=np.float64) for values in features]))
        wrong = np.isinf(matrix) if self.missing == "mean" else ~np.isfinite(matrix)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataError(
                f"row '{ids[row]}': feature {column} is {matrix[row, column]}, not a finite number; "
                "mend it, or fill missing features with the processor's setting missing: mean"
            )
        return matrix

    def _check_indices(self, indices: np.ndarray, rows: np.ndarray) -> None:
        if self.num_features is not None and len(indices) and (indices.min() < 0 or indices.max() >= self.num_features):
            place = np.flatnonzero((indices < 0) | (indices >= self.num_features))[0]
            raise DataError(
                f"row '{rows[place]}' has a feature {indices[place]} outside 0 to {self.num_features - 1}; "
                "state the number of features of all splits with the processor's setting num_features"
            )


def _lengths(column: Any) -> np.ndarray:
    import pyarrow.compute as pc

    return pc.fill_null(pc.list_value_length(column), 0).to_numpy()
