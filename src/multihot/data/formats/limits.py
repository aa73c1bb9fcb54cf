"""How much a file may make of itself in memory before it is refused, so that a small file cannot fill a large machine.

What an honest file needs lies far below; who has a larger one sets the environment variable that the message names.
"""

from __future__ import annotations

import io
import os
from typing import IO

from ...errors import ConfigurationError, DataError

LIMITS = {
    "MULTIHOT_MAX_LINE_BYTES": 2**26,  # of a line, a cell or a record: 64 MiB hold a text of ten million words
    "MULTIHOT_MAX_UNPACKED_BYTES": 2**28,  # that any packed file may come to, however small it is
    "MULTIHOT_MAX_DECLARED": 1_000_000,  # labels or features that a header may announce, however short the file is
}
MOST_TIMES = 200  # as large as it is packed may content be above that; text shrinks to a fifth, bit tables to a hundredth


def limit(name: str) -> int:
    """A limit, by the name of the environment variable that sets another one.

    Raises:
        ConfigurationError: if the variable is no whole number above 0.

    >>> limit("MULTIHOT_MAX_DECLARED")
    1000000
    """
    given = os.environ.get(name)
    if given is None:
        return LIMITS[name]
    if not given.isdecimal() or len(given) > 18 or int(given) < 1:
        raise ConfigurationError(f"the environment variable {name} must be a whole number above 0, got {given!r}")
    return int(given)


def check_line(size: int, where: str, what: str = "a line") -> None:
    """Refuse a line, cell or record of more bytes than any that is meant to be read.

    Raises:
        DataError: naming the place and the limit.
    """
    if size > limit("MULTIHOT_MAX_LINE_BYTES"):
        raise _beyond(f"{where}: {what} of more than {limit('MULTIHOT_MAX_LINE_BYTES'):,} bytes", "MULTIHOT_MAX_LINE_BYTES")


def check_unpacked(size: int, packed: int, where: object) -> None:
    """Refuse content that is far larger than the bytes it is packed in.

    Args:
        size: of the content in bytes, as far as it is known.
        packed: bytes on the disk.
        where: the file, for the message.

    Raises:
        DataError: above 256 MiB, if it is also 200 times what it is packed in.
    """
    if size > max(limit("MULTIHOT_MAX_UNPACKED_BYTES"), MOST_TIMES * packed):
        raise _beyond(f"{where}: {packed:,} bytes unpack to more than {size:,}", "MULTIHOT_MAX_UNPACKED_BYTES")


def check_declared(count: int, what: str, size: int, where: str) -> None:
    """Refuse a file that announces more labels or features than it could say anything about.

    Args:
        count: announced.
        what: ``"labels"`` or ``"features"``.
        size: of the file in bytes; nobody describes more things than that.
        where: the place in the file.

    Raises:
        DataError: above a million, if there are also more than bytes.
    """
    if count > max(limit("MULTIHOT_MAX_DECLARED"), size):
        raise _beyond(f"{where}: {count:,} {what} in a file of {size:,} bytes", "MULTIHOT_MAX_DECLARED")


def unpacking(file: IO[bytes], packed: int, where: object) -> IO[bytes]:
    """A packed file that is read as it is unpacked, and refused as soon as it comes to too much.

    Args:
        file: gives the content.
        packed: bytes on the disk.
        where: the file, for the message.
    """
    return io.BufferedReader(_Counting(file, packed, where), 1 << 16)


class _Counting(io.RawIOBase):
    """Counts what is read."""

    def __init__(self, file: IO[bytes], packed: int, where: object):
        self.file, self.packed, self.where, self.size = file, packed, where, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self.file.read(len(buffer))
        self.size += len(content)
        check_unpacked(self.size, self.packed, self.where)
        buffer[: len(content)] = content
        return len(content)


def _beyond(what: str, variable: str) -> DataError:
    return DataError(f"{what}; if the file is meant to be so, set the environment variable {variable} to more ({limit(variable):,} now)")
