"""Parquet files, read in batches."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import DataError
from .opening import check_exists
from .reading import Options, Reading
from .records import Records, read_records


def read_parquet(path: Path, options: Options) -> Reading:
    """Read a Parquet file whose labels are lists or delimited strings.

    Raises:
        DataError: if it is no Parquet file or cut short.
    """
    check_exists(path)
    return read_records(path, options, lambda: _records(path))


def _records(path: Path) -> Records:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                for record in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", record
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]}); write it again") from error
