"""The prediction: scores, the labels chosen, and how it is kept on disk. No PyTorch here, so reports read it quickly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from .labels import binarise
from .storage import replacing

Scores: TypeAlias = Float[np.ndarray, "N L"] | sparse.csr_matrix
Chosen: TypeAlias = Bool[np.ndarray, "N L"] | sparse.csr_matrix

# what a score is: the logarithm of a label's odds or of its probability, the probability itself, or a number that only ranks
ScoreKind = Literal["log_odds", "log_probabilities", "probabilities", "margins"]

DENSE_UP_TO = 1000  # labels; beyond, a prediction keeps only the best scores of each instance
KEEP = 100
MATRICES = ("scores", "chosen", "uncalibrated", "degrees", "values")  # of a prediction, a row each instance
DENSE_COLUMNS = {"score": "scores", "uncalibrated": "uncalibrated"}  # of a file of predictions


@dataclass
class Prediction:
    """What a method says about some instances.

    Args:
        ids: N names.
        scores: (N, L), only their order means something; dense, or sparse with the best labels of each instance.
        chosen: (N, L) boolean, dense or sparse: the predicted label sets.
        sequences: the order in which a decoder emitted the labels, N lists of columns; None without a decoder.
        uncalibrated: (N, L), the scores as they were before a calibration; None without one.
        degrees: (N, L), the predicted label distributions, rows sum to 1; None of a method that predicts none.
        values: (N, d), where the instances lie on the label axis, as the method reads its distributions; None without an axis.
    """

    ids: list[str]
    scores: Scores
    chosen: Chosen
    sequences: list[list[int]] | None = None
    uncalibrated: Scores | None = None
    degrees: Float[np.ndarray, "N L"] | None = None
    values: Float[np.ndarray, "N d"] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_labels(self) -> int:
        return self.chosen.shape[1]

    @classmethod
    def concatenate(cls, parts: Sequence[Prediction]) -> Prediction:
        """One prediction out of those of several batches."""
        sequences = [part.sequences for part in parts if part.sequences is not None]

        def stacked(name: str) -> Any:
            present = [matrix for part in parts if (matrix := getattr(part, name)) is not None]
            return _stack(present) if len(present) == len(parts) else None

        return cls(
            ids=[name for part in parts for name in part.ids],
            sequences=[sequence for part in sequences for sequence in part] if len(sequences) == len(parts) else None,
            **{name: stacked(name) for name in MATRICES},
        )

    def reorder(self, ids: Sequence[str]) -> Prediction:
        """The same prediction in the order of the given ids (batches of similar length shuffle the instances)."""
        place = {name: i for i, name in enumerate(self.ids)}
        rows = [place[name] for name in ids]
        sequences = [self.sequences[i] for i in rows] if self.sequences is not None else None
        matrices = {name: None if (matrix := getattr(self, name)) is None else matrix[rows] for name in MATRICES}
        return Prediction(list(ids), sequences=sequences, **matrices)


@dataclass
class TrueDegrees:
    """What is known of some instances beyond their label sets: their label distributions, and where they lie on the label axis.

    Args:
        degrees: (N, L), rows sum to 1; a row of zeros where the distribution is not known.
        axis: (L, d), where the labels lie, or None where they lie on no axis.
        values: (N, d), where the instances lie, NaN where nobody knows; None without an axis.
        spreads: (N,), the standard deviation of their annotators; None where the data does not say.
    """

    degrees: sparse.csr_matrix
    axis: Float[np.ndarray, "L d"] | None = None
    values: Float[np.ndarray, "N d"] | None = None
    spreads: Float[np.ndarray, " N"] | None = None


def _stack(parts: Sequence[Any]) -> Any:
    return sparse.vstack(parts) if sparse.issparse(parts[0]) else np.concatenate(parts)


def save_prediction(
    path: Path,
    prediction: Prediction,
    targets: sparse.csr_matrix | None = None,
    excerpts: Sequence[str] | Sequence[bytes] | None = None,
    truth: TrueDegrees | None = None,
) -> None:
    """Write a prediction, with the true label sets where they are known, as one Parquet file.

    Columns: ``id``; ``targets``, the columns of the true labels (null where unlabelled); ``chosen``, those of the predicted labels;
    ``scores``, L numbers a row, or ``score_labels`` and ``score_values`` where scores are sparse; ``uncalibrated`` (or
    ``uncalibrated_labels`` and ``uncalibrated_values``), the scores before a calibration; ``sequence`` where there is one;
    ``excerpt``, what a report shows of the instance. Of label distributions: ``degrees``, L numbers a row, and ``value``, d numbers;
    ``target_values``, the true degrees, L numbers a row, where they are not those of one label; ``target_position`` and ``target_spread``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def lists(matrix: sparse.csr_matrix, values: np.ndarray, kind: pa.DataType) -> pa.Array:
        return pa.ListArray.from_arrays(pa.array(matrix.indptr, pa.int32()), pa.array(values, kind))

    def columns_of(matrix: Chosen) -> pa.Array:
        rows = sparse.csr_matrix(matrix)
        rows.eliminate_zeros()
        rows.sort_indices()
        return lists(rows, rows.indices, pa.int32())

    table = {"id": pa.array(prediction.ids, pa.string()), "chosen": columns_of(prediction.chosen)}
    if targets is not None:
        table["targets"] = columns_of(binarise(targets))
    for name, scores in (("score", prediction.scores), ("uncalibrated", prediction.uncalibrated)):
        if sparse.issparse(scores):
            rows = sparse.csr_matrix(scores)
            table[f"{name}_labels"] = lists(rows, rows.indices, pa.int32())
            table[f"{name}_values"] = lists(rows, rows.data, pa.float32())
        elif scores is not None:
            table[DENSE_COLUMNS[name]] = _fixed(scores)
    if prediction.sequences is not None:
        table["sequence"] = pa.array(prediction.sequences, pa.list_(pa.int32()))
    if excerpts is not None:
        table["excerpt"] = pa.array(excerpts)
    table |= _distribution_columns(prediction, truth)
    schema_metadata = {"multihot.num_labels": str(prediction.num_labels)}
    with replacing(path) as partial, partial.open("wb") as file:  # opened here, where a name need not be UTF-8
        pq.write_table(pa.table(table).replace_schema_metadata(schema_metadata), file, compression="zstd")


def _fixed(matrix: np.ndarray, dtype: type = np.float32) -> Any:
    """(N, D) numbers as lists of D."""
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(matrix, dtype=dtype).ravel()), matrix.shape[1])


def _distribution_columns(prediction: Prediction, truth: TrueDegrees | None) -> dict[str, Any]:
    import pyarrow as pa

    found = {} if prediction.degrees is None else {"degrees": _fixed(prediction.degrees)}
    if prediction.values is not None:
        found["value"] = _fixed(prediction.values, np.float64)
    if truth is None:
        return found
    if (np.diff(truth.degrees.indptr) > 1).any():
        found["target_values"] = _fixed(truth.degrees.toarray())
    if truth.values is not None:
        found["target_position"] = _fixed(truth.values, np.float64)
    if truth.spreads is not None:
        found["target_spread"] = pa.array(truth.spreads)
    return found


def load_truth(path: Path, axis: Float[np.ndarray, "L d"] | None = None) -> TrueDegrees | None:
    """Read back the true degrees that ``save_prediction`` wrote, or None where there are no targets; ``axis``: where labels lie."""
    import pyarrow.parquet as pq

    _, targets = load_prediction(path)
    if targets is None:
        return None
    names = ("target_values", "target_position", "target_spread")
    table = pq.read_table(path, columns=[name for name in names if name in pq.read_schema(path).names])
    found = {name: table[name].combine_chunks() for name in table.column_names}

    def matrix(name: str) -> np.ndarray | None:
        return None if name not in found else found[name].flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)

    degrees = matrix("target_values")
    spreads = found["target_spread"].to_numpy(zero_copy_only=False) if "target_spread" in found else None
    kept = sparse.csr_matrix(targets, dtype=np.float32) if degrees is None else sparse.csr_matrix(degrees)
    return TrueDegrees(kept, axis, matrix("target_position"), spreads)


def load_prediction(path: Path) -> tuple[Prediction, sparse.csr_matrix | None]:
    """Read back what ``save_prediction`` wrote: the prediction and the targets (N, L), or None where unlabelled."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    num_labels = int(table.schema.metadata[b"multihot.num_labels"])

    def column(name: str) -> Any:
        return table[name].combine_chunks()

    def matrix(index: str, values: str | None = None) -> sparse.csr_matrix:
        array = column(index)
        indices = array.flatten().to_numpy(zero_copy_only=False)
        ends = np.concatenate([[0], np.cumsum(array.value_lengths().to_numpy(zero_copy_only=False))])
        data = column(values).flatten().to_numpy(zero_copy_only=False) if values else np.ones(len(indices), dtype=bool)
        return sparse.csr_matrix((data, indices, ends), shape=(table.num_rows, num_labels))

    names = table.column_names

    def dense(name: str, width: int | None = None) -> np.ndarray | None:
        if name not in names:
            return None
        flat = column(name).flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(table.num_rows, width or len(flat) // max(table.num_rows, 1))

    def scores_of(name: str) -> Scores | None:
        if f"{name}_values" in names:
            return matrix(f"{name}_labels", f"{name}_values")
        return dense(DENSE_COLUMNS[name], num_labels)

    scores, chosen = scores_of("score"), matrix("chosen")
    if scores is None:
        raise KeyError("neither scores nor score_values among its columns")
    prediction = Prediction(
        column("id").to_pylist(),
        scores,
        chosen if sparse.issparse(scores) else chosen.toarray(),
        sequences=column("sequence").to_pylist() if "sequence" in names else None,
        uncalibrated=scores_of("uncalibrated"),
        degrees=dense("degrees", num_labels),
        values=dense("value"),
    )
    return prediction, matrix("targets") if "targets" in names else None
