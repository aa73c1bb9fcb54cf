"""Parquet files, read in batches."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import DataError
from .limits import check_unpacked
from .opening import check_exists
from .reading import Options, Reading
from .records import Records, read_records


def read_parquet(path: Path, options: Options) -> Reading:
    """Read a Parquet file whose labels are lists or delimited strings.

    Raises:
        DataError: if it is no Parquet file or cut short.
    """
    check_exists(path)
    return read_records(path, options, lambda: _records(path), [])


def _records(path: Path) -> Records:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            _check_sizes(path, file.metadata)
            for batch in file.iter_batches(batch_size=1000):
                for record in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", record
    except DataError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]}); write it again") from error


def _check_sizes(path: Path, metadata: pq.FileMetaData) -> None:
    """Refuse a column that announces far more than what is stored of it."""
    on_disk = path.stat().st_size
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            size = max(column.total_uncompressed_size, 8 * column.num_values)
            check_unpacked(size, min(column.total_compressed_size, on_disk), f"{path}: column '{column.path_in_schema}'")
