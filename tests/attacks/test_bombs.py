"""Small files that unfold into far more than the memory, or declare it: one line, in little memory and time."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from commands import GIBIBYTE, SURVIVED
from scipy.io import savemat

MEMORY = 3 * GIBIBYTE  # beyond it the process is at its end
SECONDS = 60
PIECE = 2**24


def many(piece: bytes, times: int) -> bytes:
    """gzip of a piece repeated: gzip files may be put one behind the other."""
    return gzip.compress(piece) * times


def one_cell(path: Path, gigabytes: float) -> Path:
    packed = many(b"x" * PIECE, int(gigabytes * GIBIBYTE / PIECE))
    path.write_bytes(gzip.compress(b"text,labels\n") + packed + gzip.compress(b",a\nb,a\n"))
    return path


def blanks(path: Path, gigabytes: float) -> Path:
    path.write_bytes(many(b" " * PIECE, int(gigabytes * GIBIBYTE / PIECE)))
    return path


def one_json(path: Path, gigabytes: float) -> Path:
    packed = many(b"x" * PIECE, int(gigabytes * GIBIBYTE / PIECE))
    path.write_bytes(gzip.compress(b'{"labels": ["a"], "text": "') + packed + gzip.compress(b'"}\n'))
    return path


def zipped(path: Path, gigabytes: float) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("x.csv", "w") as file:
        file.write(b"text,labels\n")
        for _ in range(int(gigabytes * GIBIBYTE / PIECE)):
            file.write(b"x" * PIECE)
        file.write(b",a\n")
    return path


def declared(text: str) -> Callable[[Path, float], Path]:
    def write(path: Path, gigabytes: float) -> Path:
        path.write_text(text)
        return path

    return write


def same_text(path: Path, gigabytes: float) -> Path:
    """Every row points to the same long text, which the file holds once."""
    rows = int(gigabytes * GIBIBYTE / 2**20)
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 2**20]))
    pq.write_table(pa.table({"text": texts, "labels": pa.array([["a"]] * rows)}), path)
    return path


def matrix(path: Path, gigabytes: float) -> Path:
    zeros = np.zeros((int(gigabytes * GIBIBYTE / 8 / 100), 100))
    savemat(path, {"features": zeros, "labels": np.full((len(zeros), 2), 0.5)}, do_compression=True)
    return path


def png(width: int, height: int) -> bytes:
    """A black picture of one bit a pixel."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(b"\0" * (1 + width // 8)) for _ in range(height)) + rows.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def large_picture(path: Path, gigabytes: float) -> Path:
    for number in range(12):
        (path.parent / f"p{number}.png").write_bytes(png(30_000, 30_000) if number == 5 else png(16, 16))
    path.write_text("image,labels\n" + "".join(f"p{number}.png,{'ab'[number % 2]}\n" for number in range(12)))
    return path


def npz(path: Path, gigabytes: float) -> Path:
    """A header that declares a large array, and nothing behind it."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (int(gigabytes * GIBIBYTE), 10, 128)})
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("x.npy", "y.npy", "video_id_list.npy"):
            archive.writestr(name, header.getvalue())
    return path


STATS = ("data", "stats")
TRAIN = ("train", "--method", "br", "--set", "training.epochs=1", "--out", "run")
ARFF = "@relation 'x: -C 1'\n@attribute a {0,1}\n@attribute b real\n@data\n{2147483646 1}\n"
MANY_LABELS = "1 2147483647 10000000\n0 1:1\n"
# what -> (file, how it is written, the command, into how many GiB it unfolds)
BOMBS: dict[str, tuple[str, Callable[[Path, float], Path], tuple[str, ...], float]] = {
    "gzip, one cell of 1 GiB": ("x.csv.gz", one_cell, STATS, 1),
    "LibSVM, 28 bytes that declare ten million labels and two billion features": ("x.txt", declared(MANY_LABELS), STATS, 0),
    "gzip, 1.5 GiB of blanks": ("x.csv.gz", blanks, STATS, 1.5),
    "gzip, one JSON text of 1 GiB": ("x.jsonl.gz", one_json, STATS, 1),
    "zip, one cell of 1 GiB": ("x.csv.zip", zipped, STATS, 1),
    "LibSVM, a feature numbered two billion": ("x.svm", declared("1 1:1\n2 2147483646:1\n"), STATS, 0),
    "LibSVM, a label numbered ten million": ("x.txt", declared("2 5 10000000\n0 1:1\n9999999 1:1\n"), STATS, 0),
    "ARFF, a sparse index of two billion": ("x.arff", declared(ARFF), STATS, 0),
    "Parquet, 4 GiB of the same text": ("x.parquet", same_text, STATS, 4),
    "MAT, a compressed matrix of 2 GiB": ("x.mat", matrix, STATS, 2),
    "NPZ, a header that declares a terabyte": ("x.npz", npz, STATS, 1),
    "PNG of 30,000 x 30,000 pixels, trained on": ("x.csv", large_picture, TRAIN, 0),
}


def test_bombs(row, size, forks, tmp_path):
    table = row(f"bombs: done or refused in one line, within {MEMORY // GIBIBYTE} GiB and {SECONDS} s of processor time")
    for number, (name, (file, make, words, gigabytes)) in enumerate(list(BOMBS.items())[: size(2, len(BOMBS))]):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = make(folder / file, gigabytes)
        ended = forks.run(*words, path, folder=str(folder), memory=MEMORY, seconds=SECONDS)
        case = f"{name} ({path.stat().st_size:,} bytes; {ended.peak / GIBIBYTE:.2f} GiB at most, {ended.seconds:.1f} s)"
        table.tried(case, ended.fault if ended.outcome not in SURVIVED else "", ended.outcome)
        path.unlink()
    assert table.faults == []
