"""A small file that would fill the memory is refused before it does; what people have passes."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from multihot.data import load
from multihot.data.formats.limits import LIMITS, check_declared, check_unpacked, limit
from multihot.data.formats.matlab import HEADER, read_matrices
from multihot.data.formats.tfrecord import masked_crc
from multihot.errors import ConfigurationError, DataError, MultihotError

MIB = 2**20
MEASURED = Path(__file__).with_name("measured.py")


def endless(path: Path, before: bytes, piece: bytes, size: int, after: bytes = b"") -> Path:
    """A packed file of a piece again and again."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(before)
        block = piece * (MIB // len(piece))
        for _ in range(size // len(block)):
            file.write(block)
        file.write(after)
    return path


def npz(path: Path, size: int) -> Path:
    """A pack whose x of zeros is far larger than the file."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (1, size // 10, 10)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("x.npy", "w") as file:
            file.write(header.getvalue())
            for _ in range(size // MIB):
                file.write(bytes(MIB))
        buffer = io.BytesIO()
        np.save(buffer, np.ones((1, 3), dtype=bool))
        archive.writestr("y.npy", buffer.getvalue())
    return path


def matlab(size: int) -> bytes:
    """A MATLAB file with one compressed variable of zeros."""
    packer = zlib.compressobj(1)
    body = b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])
    head = b"MATLAB 5.0 MAT-file".ljust(HEADER - 4, b" ") + struct.pack("<H", 0x0100) + b"IM"
    return head + struct.pack("<II", 15, len(body)) + body


def bombs(folder: Path) -> dict[str, tuple[Path, dict]]:
    """Small files that come to hundreds of megabytes."""
    labels = {"text": "text", "labels": "labels"}
    xmc, index, mat = folder / "xmc.svm", folder / "index.svm", folder / "a.mat"
    xmc.write_text("1 2147483647 10000000\n0 1:1\n")
    index.write_text("0 2147483646:1\n")
    mat.write_bytes(matlab(300 * MIB))
    return {
        "a cell": (endless(folder / "cell.csv.gz", b"text,labels\n", b"a", 300 * MIB, b",x\n"), labels),
        "a quoted cell of many lines": (endless(folder / "quoted.csv.gz", b'text,labels\n"', b"aaaaaaa\n", 300 * MIB, b'",x\n'), labels),
        "a line of blanks": (endless(folder / "blank.jsonl.gz", b"", b" ", 300 * MIB), {}),
        "a line without a suffix that tells": (endless(folder / "unknown.gz", b"", b"a,b", 300 * MIB), {}),
        "announced labels": (xmc, {}),
        "a feature's number": (index, {}),
        "a MATLAB file": (mat, {}),
        "an npz pack": (npz(folder / "a.npz", 300 * MIB), {}),
    }


def test_small_files_do_not_fill_the_memory(tmp_path):
    """Peak memory above that of a process that reads nothing, in processes of their own."""
    files = bombs(tmp_path)
    assert all(path.stat().st_size < 4 * MIB for path, _ in files.values())
    long = tmp_path / "long.csv"
    draw = random.Random(0)
    words = " ".join(draw.choices([f"word{number}" for number in range(1000)], k=10_000)) + " "
    text = (words * (50 * 10**6 // len(words) + 1))[: 50 * 10**6]
    long.write_text("text,labels\n" + "\n".join([f"{text},x", "short,y", "short,x"]) + "\n")
    asked = [(str(path), options) for path, options in [*files.values(), (long, {"text": "text", "labels": "labels"})]]
    found = subprocess.run([sys.executable, MEASURED], input=json.dumps(asked), capture_output=True, text=True, timeout=500)
    assert found.returncode == 0, found.stderr
    *refused, whole = json.loads(found.stdout)
    for (name, (path, _)), result in zip(files.items(), refused, strict=True):
        assert str(path) in result["said"], (name, result)
        assert "MULTIHOT_MAX_" in result["said"], (name, result)
        assert result["bytes"] < 400 * MIB, (name, result)
    assert whole["said"] == ""  # a text of 50 MB is read


SMALL = {"MULTIHOT_MAX_LINE_BYTES": 2000, "MULTIHOT_MAX_UNPACKED_BYTES": 20_000, "MULTIHOT_MAX_DECLARED": 30}


@pytest.fixture
def small(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setenv(name, str(value))


def refusal(source: Path, **options) -> str:
    with pytest.raises(MultihotError) as error:
        load(source, **options)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


TEXTS = {"text": "text", "labels": "labels"}
LONG_LINES = {
    "csv": ("a.csv", "text,labels\n" + "a" * 3000 + ",x\n", TEXTS, "line 2: a line of more than 2,000 bytes"),
    "csv header": ("a.csv", "a" * 3000 + ",labels\n", {}, "line 1: a line"),
    "csv cell": ("a.csv", 'text,labels\n"' + "aaaa\n" * 600 + '",x\n', TEXTS, "a cell of more than 2,000 bytes"),
    "jsonl": ("a.jsonl", json.dumps({"text": "a" * 3000, "labels": []}) + "\n", {}, "line 1: a line"),
    "svm": ("a.svm", "0 " + " ".join(f"{i}:1" for i in range(1000)) + "\n", {}, "line 1: a line"),
    "arff": (
        "a.arff",
        "@relation 'x: -C 1'\n@attribute y {0,1}\n@attribute x numeric\n@data\n" + "0," + "1." + "0" * 3000 + "\n",
        {},
        "line 5",
    ),
    "utf-16": ("a.csv", ("text,labels\n" + "a" * 3000 + ",x\n").encode("utf-16"), TEXTS | {"encoding": "utf-16"}, "line 2: a line"),
}


@pytest.mark.parametrize(("name", "content", "options", "message"), LONG_LINES.values(), ids=LONG_LINES)
def test_long_lines(small, tmp_path, monkeypatch, name, content, options, message):
    path = written(tmp_path / name, content)
    said = refusal(path, **options)
    assert message in said
    assert str(path) in said
    assert "set the environment variable MULTIHOT_MAX_LINE_BYTES to more (2,000 now)" in said
    monkeypatch.setenv("MULTIHOT_MAX_LINE_BYTES", "10000")
    if options or name != "a.csv":  # a header of nothing but a long name has no rows below it
        assert len(load(path, **options).splits)


def test_packed_text(small, tmp_path):
    rows = "".join("same words,x\n" for _ in range(20_000))
    packed = written(tmp_path / "a.csv.gz", gzip.compress(("text,labels\n" + rows).encode()))
    assert f"{packed}: {packed.stat().st_size:,} bytes unpack to more than" in refusal(packed, **TEXTS)
    archive = tmp_path / "a.csv.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", "text,labels\n" + rows)
    assert f"{archive}: " in refusal(archive, **TEXTS)
    words = [f"{draw:x}" for draw in np.random.default_rng(0).integers(0, 2**60, 5000).tolist()]
    honest = "".join(f"{word},x\n" for word in words)
    assert len(load(written(tmp_path / "b.csv.gz", gzip.compress(f"text,labels\n{honest}".encode())), **TEXTS).split("train")) == 5000


def test_announced_sizes(small, tmp_path):
    for text, what in {"1 9 500000\n0 1:1\n": "labels", "1 500000 9\n0 1:1\n": "features", "0 499999:1\n": "features"}.items():
        said = refusal(written(tmp_path / "a.svm", text))
        assert f"500,000 {what} in a file of {len(text)} bytes" in said
        assert "MULTIHOT_MAX_DECLARED" in said
    assert load(written(tmp_path / "b.svm", "2 30 30\n0,29 1:1\n3 29:2\n")).num_features == 30
    rows = "".join(f"{i},{i + 1} {i}:1 {i + 50}:1\n" for i in range(100))
    assert len(load(written(tmp_path / "c.svm", f"100 200 150\n{rows}")).label_space()) == 150  # more bytes than labels


def test_records_packs_and_archives(small, tmp_path):
    head = struct.pack("<Q", 10**9)
    record = written(tmp_path / "a.tfrecord", head + struct.pack("<I", masked_crc(head)) + b"x" * 100)
    assert "record 1: a message of more than 2,000 bytes" in refusal(record)
    assert "'x.npy'" in refusal(npz(tmp_path / "a.npz", 8 * MIB))
    with pytest.raises(DataError, match=r"bytes unpack to more than"):
        read_matrices(matlab(8 * MIB), "a.mat")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("reut2-000.sgm")
        info.size = 8 * MIB
        archive.addfile(info, io.BytesIO(bytes(8 * MIB)))
    assert "unpack to more than" in refusal(tmp_path / "a.tar.gz")
    pq.write_table(pa.table({"text": ["the same"] * 10**6, "labels": ["x"] * 10**6}), tmp_path / "a.parquet", row_group_size=10**6)
    assert "column 'text'" in refusal(tmp_path / "a.parquet", **TEXTS)


def test_hdf5_that_announces_more_than_it_holds(small, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as pack:
        pack.create_dataset("x", shape=(10, 10**6, 128), dtype="u1", chunks=(1, 100, 128), compression="gzip")
        pack["y"] = np.ones((10, 3), dtype=bool)
    assert "'x'" in refusal(tmp_path / "a.h5")
    secret = written(tmp_path / "secret", bytes(range(200)))
    with h5py.File(tmp_path / "b.h5", "w") as pack:
        pack.create_dataset("x", shape=(2, 10, 10), dtype="u1", external=[(str(secret), 0, 200)])
        pack["y"] = np.ones((2, 3), dtype=bool)
    assert "lies in another file" in refusal(tmp_path / "b.h5")
    with h5py.File(tmp_path / "c.h5", "w") as pack:
        pack["x"] = np.zeros((2, 10, 10), dtype="u1")
        pack["y"] = np.ones((2, 3), dtype=bool)
    with h5py.File(tmp_path / "d.h5", "w") as pack:
        pack["x"] = h5py.ExternalLink(str(tmp_path / "c.h5"), "x")
        pack["y"] = np.ones((2, 3), dtype=bool)
    assert "lies in another file" in refusal(tmp_path / "d.h5")
    assert load(tmp_path / "c.h5").num_features == 10


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_that_is_no_number_is_named(monkeypatch, name):
    for wrong in ("", "0", "-1", "much", "1e9", "9" * 30):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(ConfigurationError, match=name):
            limit(name)
    monkeypatch.setenv(name, "123")
    assert limit(name) == 123


def test_what_is_just_allowed(small):
    check_unpacked(20_000, 1, "x")
    check_unpacked(200 * 500, 500, "x")
    check_declared(30, "labels", 5, "x")
    check_declared(31, "labels", 31, "x")
    for refused in (lambda: check_unpacked(20_001, 1, "x"), lambda: check_unpacked(200 * 500 + 1, 500, "x")):
        with pytest.raises(DataError):
            refused()
    with pytest.raises(DataError):
        check_declared(31, "labels", 30, "x")
