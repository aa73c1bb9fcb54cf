"""AudioSet's frame features: TFRecord files as Google releases them, or the HDF5 and npz packs made from them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ...errors import DataError
from .limits import check_line, check_unpacked, limit
from .opening import BROKEN, check_exists, open_zip, read_member, text_lines
from .reading import Options, Reading, Row, at_line, distinct, split_of
from .tfrecord import Example, read_examples

NAMES_FILE = "class_labels_indices.csv"
FOLDERS = {"bal_train": "train", "unbal_train": "train", "eval": "test"}
PACKS = (".h5", ".hdf5", ".npz")
ROWS_AT_ONCE = 1000


def read_audioset(path: Path, options: Options) -> Reading:
    """Read one file or a folder of ``bal_train``, ``unbal_train`` and ``eval``, each a folder of TFRecord files or one pack.

    A TFRecord message holds ``video_id``, ``labels`` (numbers) and ``audio_embedding`` (frames of bytes). A pack holds ``x`` (N, T, F),
    ``y`` (N, L) and maybe ``video_id_list`` and ``labels`` (L names). Names of the labels come from the pack, or from
    ``class_labels_indices.csv`` beside the files or above them; without, a label is named by its number. Features kept as bytes q
    are taken back to what they were, ``4 q / 255 - 2``.

    Raises:
        DataError: if a file is damaged, or features or labels do not fit together.
    """
    files = [file for file in files_of_audioset(path) if file.name != NAMES_FILE]
    named = _names(path, options)
    first = files[0]
    names = named or (_pack_names(first) if first.suffix.lower() in PACKS else None)
    rows = (row for file in files for row in _rows(file, names))
    width = _width(first)
    columns = ("video_id", "labels", "audio_embedding") if first.suffix.lower() not in PACKS else ("x", "y", "video_id_list")
    return Reading("audio", rows, options, declared_labels=names, num_features=width, columns=columns)


def files_of_audioset(path: Path) -> list[Path]:
    """The file of label names, if there is one, then the files of features.

    Raises:
        DataError: if there are none.
    """
    found = [file for file in sorted(path.rglob("*")) if is_features(file)] if path.is_dir() else [check_exists(path)]
    if not found:
        raise DataError(f"{path}: holds no .tfrecord, .h5 or .npz file; give the folder with bal_train, unbal_train and eval")
    names = _names_file(path)
    return [*([names] if names else []), *found]


def is_features(file: Path) -> bool:
    """Whether a file is named as one of features."""
    return file.is_file() and file.suffix.lower() in (".tfrecord", *PACKS)


def _rows(file: Path, names: list[str] | None) -> Iterator[Row]:
    folder = FOLDERS.get(file.parent.name.lower())
    part = folder or ("test" if file.stem.lower().startswith("eval") else split_of(file.name))
    read = _pack_rows if file.suffix.lower() in PACKS else _record_rows
    for row in read(file, names):
        yield row | {"split": part}


def _record_rows(file: Path, names: list[str] | None) -> Iterator[Row]:
    for where, example in read_examples(file):
        frames = _frames(example, where)
        numbers = [number for number in example.context.get("labels", []) if isinstance(number, int)]
        yield {"id": _identity(example, where), "labels": _labels(numbers, names, where)} | _columns(frames, where)


def _identity(example: Example, where: str) -> str:
    """The video's name; only with its start is a segment's name unlike any other."""
    name = next(iter(example.context.get("video_id", [])), b"")
    start = next(iter(example.context.get("start_time_seconds", [])), None)
    if not isinstance(name, bytes) or not name:
        raise DataError(f"{where}: has no video_id; give AudioSet's frame features as released")
    return name.decode(errors="replace") + (f"_{start:g}" if isinstance(start, float) else "")


def _frames(example: Example, where: str) -> np.ndarray:
    steps = [step[0] for step in example.sequences.get("audio_embedding", []) if step]
    if not steps or len({len(step) for step in steps if isinstance(step, bytes)}) != 1 or not all(isinstance(s, bytes) for s in steps):
        raise DataError(f"{where}: 'audio_embedding' must hold frames of one size; give AudioSet's frame features as released")
    return np.frombuffer(b"".join(steps), dtype=np.uint8).reshape(len(steps), -1)  # type: ignore[arg-type]


def _labels(numbers: list[int], names: list[str] | None, where: str) -> list[str]:
    wrong = next((number for number in numbers if number < 0 or (names is not None and number >= len(names))), None)
    if wrong is not None:
        raise DataError(f"{where}: label number {wrong}; allowed are 0 to {len(names) - 1 if names else 'any number above'}")
    return distinct([names[number] if names else str(number) for number in numbers])


def _columns(frames: np.ndarray, where: str) -> Row:
    values = _from_bytes(frames)
    if not np.isfinite(values).all():
        raise DataError(f"{where}: a feature is not a finite number; mend it or leave the row out")
    return {"frames": values.ravel(), "num_frames": len(frames)}


def _from_bytes(frames: np.ndarray) -> Float[np.ndarray, "T F"]:
    return frames.astype(np.float32) * np.float32(4 / 255) - 2 if frames.dtype == np.uint8 else frames.astype(np.float32)


def _pack_rows(file: Path, names: list[str] | None) -> Iterator[Row]:
    with _opened(file) as pack:
        features, targets = _arrays(file, pack)
        if names is not None and len(names) != targets.shape[1]:
            raise DataError(f"{file}: 'y' has {targets.shape[1]} columns, but there are {len(names)} label names; give those of this pack")
        identities = pack.get("video_id_list")
        row_size = max(features.dtype.itemsize * features.shape[1] * features.shape[2], 1)
        check_line(row_size, str(file), "a row")
        rows_at_once = max(min(ROWS_AT_ONCE, limit("MULTIHOT_MAX_LINE_BYTES") // row_size), 1)
        for start in range(0, len(features), rows_at_once):
            part = slice(start, start + rows_at_once)
            chosen = np.asarray(targets[part]) > 0
            ids = identities[part] if identities is not None else [None] * len(chosen)
            for number, (frames, row, name) in enumerate(zip(np.asarray(features[part]), chosen, ids, strict=True), start=start + 1):
                where = f"{file}: row {number}"
                identity = {} if name is None else {"id": name.decode(errors="replace") if isinstance(name, bytes) else str(name)}
                yield identity | {"labels": _labels(np.flatnonzero(row).tolist(), names, where)} | _columns(frames, where)


def _arrays(file: Path, pack: Any) -> tuple[Any, Any]:
    for name, part in pack.items() if not isinstance(pack, dict) else ():
        _check_stored(file, name, part, pack)
    missing = next((name for name in ("x", "y") if name not in pack), None)
    if missing:
        raise DataError(f"{file}: has no '{missing}'; a pack holds x (N, T, F) and y (N, L)")
    features, targets = pack["x"], pack["y"]
    if features.ndim != 3 or targets.ndim != 2 or len(features) != len(targets) or 0 in (*features.shape, targets.shape[1]):
        raise DataError(f"{file}: x has shape {features.shape} and y {targets.shape}; a pack holds x (N, T, F) and y (N, L), none empty")
    if "video_id_list" in pack and len(pack["video_id_list"]) != len(features):
        raise DataError(f"{file}: video_id_list has {len(pack['video_id_list'])} names for {len(features)} rows; write the pack again")
    if features.dtype.kind not in "fu" or targets.dtype.kind not in "bui":
        raise DataError(f"{file}: x holds {features.dtype} and y {targets.dtype}; allowed are bytes or floats, and 0 or 1")
    return features, targets


def _check_stored(file: Path, name: str, part: Any, pack: Any) -> None:
    """Refuse a data set of HDF5 that lies in other files, or that is announced far larger than what is stored of it."""
    import h5py

    if not isinstance(part, h5py.Dataset):
        return
    if part.file.filename != pack.file.filename or part.external or part.is_virtual:
        raise DataError(f"{file}: '{name}' lies in another file; write the pack with everything in it")
    check_unpacked(part.size * part.dtype.itemsize, part.id.get_storage_size(), f"{file}: '{name}'")


def _width(file: Path) -> int | None:
    if file.suffix.lower() in PACKS:
        with _opened(file) as pack:
            return int(_arrays(file, pack)[0].shape[2])
    for where, example in read_examples(file):
        return _frames(example, where).shape[1]
    return None


def _pack_names(file: Path) -> list[str] | None:
    with _opened(file) as pack:
        if "labels" not in pack:
            return None
        names = [name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in np.asarray(pack["labels"]).ravel()]
    if len(set(names)) < len(names):
        raise DataError(f"{file}: 'labels' names a label twice; make the names distinct")
    return names


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    """An HDF5 or npz pack, open; what its library raises for a damaged one becomes one line."""
    try:
        if file.suffix.lower() == ".npz":
            with open_zip(file) as archive:
                yield {member.removesuffix(".npy"): _npy(read_member(archive, member, file)) for member in archive.namelist()}
        else:
            with _hdf5(file) as pack:
                yield pack
    except DataError:
        raise
    except (*BROKEN, ValueError, KeyError, AttributeError, SyntaxError, MemoryError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{file}: cannot be read ({reason}); get it again") from error


def _npy(content: bytes) -> np.ndarray:
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _hdf5(file: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise DataError(f'{file}: HDF5 needs h5py; install it with pip install "multihot[audio]", or give an .npz') from error
    return h5py.File(file, "r")


def _names_file(path: Path) -> Path | None:
    folder = path if path.is_dir() else path.parent
    return next((place / NAMES_FILE for place in (folder, folder.parent) if (place / NAMES_FILE).is_file()), None)


def _names(path: Path, options: Options) -> list[str] | None:
    """The display names of the labels, in the order of their numbers."""
    file = _names_file(path)
    if file is None:
        return None
    names: list[str] = []
    for line, cells in enumerate(csv.reader(text_lines(file, options.encoding)), start=1):
        if not cells or cells[0] == "index":
            continue
        if len(cells) < 3 or cells[0] != str(len(names)) or cells[2] in names:
            raise DataError(f"{at_line(file, line)}: allowed are the number {len(names)}, an id and a new name, got {cells!r}")
        names.append(cells[2])
    return names or None
