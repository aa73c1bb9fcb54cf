"""Writes a data set into a folder that ``load`` reads again, in a plain format of its modality."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..storage import replacing
from .dataset import MultiLabelData
from .formats.columns import IDS, LABELS, SPLITS, TEXTS, TITLES

ROWS_AT_ONCE = 1000
KNOWN_COLUMNS = frozenset((*IDS, *LABELS, *SPLITS, *TEXTS, *TITLES))


def write_folder(data: MultiLabelData, folder: Path) -> list[Path]:
    """Write every split of a data set.

    Texts become ``SPLIT.jsonl``, dense tables ``SPLIT.parquet``, sparse tables ``SPLIT.svm`` (whose rows have no ids), pictures
    ``labels.csv`` with ``images_SPLIT.zip``, frames ``SPLIT.npz``, recordings ``labels.jsonl`` with the files.

    Args:
        data: the data set.
        folder: a new or an empty folder.

    Returns:
        The files.

    Raises:
        DataError: if the folder holds something, or the data cannot be said in the format.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: is there already and not an empty folder; choose another --out")
    if data.input_column != "image" and any(_has_unknown(rows) for rows in data.splits.values()):
        raise DataError(f"{data.name}: has labels that nobody annotated in single rows, which only image tables can say; use pictures")
    write = {
        "text": _write_texts, "features": _write_table, "indices": _write_libsvm,
        "image": _write_pictures, "frames": _write_frames, "audio": _write_recordings,
    }  # fmt: skip
    return write[data.input_column](data, folder)


def _write_texts(data: MultiLabelData, folder: Path) -> list[Path]:
    files = []
    for split, rows in data.splits.items():
        files.append(folder / f"{split}.jsonl")
        with replacing(files[-1]) as partial, partial.open("w", encoding="utf-8") as file:
            for row in _rows(rows):
                record = {"id": row["id"], "text": row["text"], "labels": _labels(row)}
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return files


def _write_table(data: MultiLabelData, folder: Path) -> list[Path]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    _refuse_degrees(data, "Parquet")
    names = list(data.feature_names or ())
    if len(names) != data.num_features or KNOWN_COLUMNS & {name.lower() for name in names}:
        names = [f"feature {number}" for number in range(1, (data.num_features or 0) + 1)]  # none may be taken for the text or the labels
    files = []
    for split, rows in data.splits.items():
        schema = pa.schema([("id", pa.string()), ("labels", pa.list_(pa.string())), *((name, pa.float32()) for name in names)])
        files.append(folder / f"{split}.parquet")
        with replacing(files[-1]) as partial, pq.ParquetWriter(partial, schema) as writer:
            for table in rows.select_columns(["id", "labels", "features"]).with_format("arrow").iter(ROWS_AT_ONCE):
                values = table["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
                columns = [table["id"].combine_chunks(), table["labels"].combine_chunks(), *(pa.array(column) for column in values.T)]
                writer.write_table(pa.table(columns, schema=schema))
    return files


def _write_libsvm(data: MultiLabelData, folder: Path) -> list[Path]:
    _refuse_degrees(data, "LibSVM")
    files = []
    for split, rows in data.splits.items():
        files.append(folder / f"{split}.svm")
        with replacing(files[-1]) as partial, partial.open("w", encoding="utf-8") as file:
            for row in _rows(rows):
                wrong = next((label for label in row["labels"] or () if re.search(r"[\s,:#]", label)), None)
                if row["labels"] is None or wrong is not None:
                    problem = "has no annotation" if wrong is None else f"carries the label '{wrong}'"
                    raise DataError(f"{data.name} ({split}): row '{row['id']}' {problem}, which LibSVM cannot say; give a dense table")
                pairs = (f"{index}:{np.float32(value)}" for index, value in zip(row["indices"], row["values"], strict=True))
                file.write(f"{','.join(row['labels'])} {' '.join(pairs)}".rstrip(" ") + "\n")
    return files


def _write_pictures(data: MultiLabelData, folder: Path) -> list[Path]:
    """``labels.csv`` as the PASCAL VOC challenge writes it: 1 present, -1 absent, 0 unknown."""
    _refuse_degrees(data, "An image table")
    space = data.label_space("include")
    files = [folder / "labels.csv"]
    with replacing(files[0]) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image_id", "split", *space.names])
        for split, rows in data.splits.items():
            files.append(folder / f"images_{split}.zip")
            with replacing(files[-1]) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
                for row in _rows(rows):
                    name = row["id"].replace("/", "_")
                    archive.writestr(f"{name}{_ending(row['image'])}", row["image"])
                    table.writerow([name, split, *_cells(row, space.names)])
    return files


def _write_frames(data: MultiLabelData, folder: Path) -> list[Path]:
    """``x`` (N, T, F), ``y`` (N, L), ``video_id_list`` and ``labels``, as AudioSet's features are packed."""
    _refuse_degrees(data, "A pack of frames")
    space = data.label_space("include")
    files = []
    for split, rows in data.splits.items():
        counts = set(rows["num_frames"])
        if len(counts) > 1 or any(row["labels"] is None for row in _rows(rows)):
            problem = f"has recordings of {min(counts)} to {max(counts)} frames" if len(counts) > 1 else "has rows without annotation"
            raise DataError(f"{data.name} ({split}): {problem}, which a pack of frames cannot say; keep the files as they are")
        files.append(folder / f"{split}.npz")
        frames = np.asarray(rows.with_format("numpy")["frames"][:], dtype=np.float32).reshape(len(rows), counts.pop(), -1)
        targets = data.targets(split, space)[0].toarray().astype(bool)
        with replacing(files[-1]) as partial, partial.open("wb") as file:
            np.savez(file, x=frames, y=targets, video_id_list=np.array(rows["id"][:]), labels=np.array(space.names))
    return files


def _write_recordings(data: MultiLabelData, folder: Path) -> list[Path]:
    files = [folder / "labels.jsonl"]
    with replacing(files[0]) as partial, partial.open("w", encoding="utf-8") as table:
        for split, rows in data.splits.items():
            for row in _rows(rows):
                ending = ".wav" if row["audio"][:4] in (b"RIFF", b"RIFX", b"RF64") else ".flac"
                files.append(folder / split / f"{row['id'].removesuffix(ending).replace('/', '_')}{ending}")
                with replacing(files[-1]) as sound:
                    sound.write_bytes(row["audio"])
                record = {"id": row["id"], "split": split, "audio": f"{split}/{files[-1].name}", "labels": _labels(row)}
                table.write(json.dumps(record, ensure_ascii=False) + "\n")
    return files


def _cells(row: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    labels, unknown = set(row["labels"] or ()), set(names if row["labels"] is None else row.get("unknown") or ())
    return ["1" if name in labels else "0" if name in unknown else "-1" for name in names]


def _ending(picture: bytes) -> str:
    return ".png" if picture.startswith(b"\x89PNG") else ".jpg"


def _labels(row: dict[str, Any]) -> Any:
    values = row.get("label_values")
    return row["labels"] if values is None or row["labels"] is None else dict(zip(row["labels"], values, strict=True))


def _rows(rows: Any) -> Iterator[dict[str, Any]]:
    for table in rows.with_format("arrow").iter(ROWS_AT_ONCE):
        yield from table.to_pylist()


def _has_unknown(rows: Any) -> bool:
    return "unknown" in rows.column_names and any(row["unknown"] for row in _rows(rows.select_columns(["unknown"])))


def _refuse_degrees(data: MultiLabelData, kind: str) -> None:
    if any("label_values" in rows.column_names for rows in data.splits.values()):
        raise DataError(f"{data.name}: its labels have degrees; {kind} here holds labels that are present or absent")
