"""MATLAB files of version 5, as far as they hold full matrices of numbers.

Read here and not by SciPy, whose compiled reader ends the whole process on some altered files.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import DataError
from .limits import check_unpacked

HEADER = 128  # bytes
CHUNK = 1 << 20  # bytes unpacked at once
BYTE_ORDERS = {b"IM": "<", b"MI": ">"}
MATRIX, COMPRESSED = 14, 15  # kinds of elements
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # other kinds, as stored
NUMERIC = range(6, 16)  # classes of matrices, from double to 64-bit whole numbers
COMPLEX = 0x800
Variable = tuple[str, np.ndarray | None]


def read_matrices(content: bytes, where: Path | str) -> dict[str, np.ndarray | None]:
    """The variables of a file by name.

    Args:
        content: of the file.
        where: the file, for error messages.

    Returns:
        name -> matrix; ``None`` for a variable of another kind, such as text, a structure or a sparse matrix.

    Raises:
        DataError: if it is no such file, or cut short or altered.
    """
    order = BYTE_ORDERS.get(content[HEADER - 2 : HEADER], "")
    if not order or struct.unpack(f"{order}H", content[HEADER - 4 : HEADER - 2])[0] >> 8 != 1:
        raise DataError(f"{where}: no MATLAB file of version 5; save it with -v7 or -v6")
    try:
        return {name: matrix for name, matrix in _variables(memoryview(content)[HEADER:], order, where) if name}
    except DataError:
        raise
    except (ValueError, struct.error, zlib.error, MemoryError, OverflowError) as error:
        raise DataError(f"{where}: the MATLAB file is cut short or altered ({error}); get it again") from error


def _variables(content: memoryview, order: str, where: Path | str) -> Iterator[Variable]:
    for kind, body in _elements(content, order):
        inner = _elements(memoryview(_unpacked(body, where)), order) if kind == COMPRESSED else iter([(kind, body)])
        yield from (_variable(part, order) for found, part in inner if found == MATRIX)


def _unpacked(body: memoryview, where: Path | str) -> bytes:
    """What was compressed, as far as it stays within what so few bytes may come to."""
    packed, content, rest = zlib.decompressobj(), bytearray(), bytes(body)
    while not packed.eof:
        part, rest = packed.decompress(rest, CHUNK), packed.unconsumed_tail
        content += part
        check_unpacked(len(content), len(body), where)
        if not part and not rest and not packed.eof:
            raise ValueError("a compressed variable is cut short")
    return bytes(content)


def _elements(content: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """(kind, body) of one element after another; each has a tag of eight bytes, or of four before a body of at most four."""
    place = 0
    while place < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, place)
        start = place + 8
        if kind >> 16:
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
        if start + size > len(content):
            raise ValueError(f"{len(content) - start} bytes where {size} are announced")
        yield kind, content[start : start + size]
        place = start + size + (0 if kind == COMPRESSED else -(start + size) % 8)


def _variable(body: memoryview, order: str) -> Variable:
    parts = list(_elements(body, order))
    if len(parts) < 3:
        raise ValueError("a variable without a size or a name")
    flags, shape = (np.frombuffer(part, f"{order}{kind}") for (_, part), kind in zip(parts, ("u4", "i4"), strict=False))
    name = bytes(parts[2][1]).decode("latin-1")
    if not len(flags) or flags[0] & 0xFF not in NUMERIC or flags[0] & COMPLEX:
        return name, None
    if len(parts) != 4 or parts[3][0] not in NUMBERS or (shape < 0).any():
        raise ValueError(f"variable '{name[:80]}' without numbers")
    return name, np.frombuffer(parts[3][1], f"{order}{NUMBERS[parts[3][0]]}").reshape(shape.tolist(), order="F")
