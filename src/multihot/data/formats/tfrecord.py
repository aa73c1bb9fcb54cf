"""TFRecord files of ``tf.SequenceExample`` messages, read without TensorFlow.

A file is a row of records: length (8 bytes), checksum of the length (4), message, checksum of the message (4). A message is in the wire
format of protocol buffers: fields of a number, a kind, and content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import DataError
from .limits import check_line
from .opening import open_bytes

CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, bits reversed
Values = list[bytes] | list[float] | list[int]


@dataclass
class Example:
    """A ``tf.SequenceExample``: values by name, and sequences of values by name."""

    context: dict[str, Values] = field(default_factory=dict)
    sequences: dict[str, list[Values]] = field(default_factory=dict)


def read_examples(path: Path) -> Iterator[tuple[str, Example]]:
    """(place in the file, example) of every record.

    Raises:
        DataError: for a record that is cut short or altered, naming it.
    """
    for number, message in enumerate(records(path), start=1):
        where = f"{path}: record {number}"
        try:
            yield where, parse_example(message)
        except (ValueError, IndexError, struct.error, UnicodeDecodeError) as error:
            raise DataError(f"{where}: is no tf.SequenceExample ({error}); give AudioSet's frame features as released") from error


def records(path: Path) -> Iterator[bytes]:
    """The messages of a TFRecord file, plain or compressed, their checksums held.

    Raises:
        DataError: for a record that is cut short or altered, naming it.
    """
    number = 0
    with open_bytes(path) as file:
        while head := file.read(12):
            number += 1
            where = f"{path}: record {number}"
            if len(head) < 12:
                raise DataError(f"{where}: is cut short; get the file again")
            length, check = struct.unpack("<QI", head)
            if masked_crc(head[:8]) != check:
                raise DataError(f"{where}: its length is altered, or this is no TFRecord file; get the file again")
            check_line(length, where, "a message")
            message, tail = file.read(length), file.read(4)
            if len(message) < length or len(tail) < 4:
                raise DataError(f"{where}: is cut short; get the file again")
            if masked_crc(message) != struct.unpack("<I", tail)[0]:
                raise DataError(f"{where}: its checksum does not hold; get the file again")
            yield message


def masked_crc(content: bytes) -> int:
    """CRC-32C, turned by 15 bits and moved by a constant, as TFRecord stores it."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def parse_example(message: bytes) -> Example:
    """A ``tf.SequenceExample`` from its wire format: field 1 holds the context, field 2 the sequences.

    >>> parse_example(bytes.fromhex("0a 0b 0a 09 0a 01 61 12 04 1a 02 08 05")).context
    {'a': [5]}
    """
    example = Example()
    for number, content in _fields(message):
        for _, entry in _fields(_bytes(content)):
            parts = dict(_fields(_bytes(entry)))
            name = _bytes(parts.get(1, b"")).decode()
            value = _bytes(parts.get(2, b""))
            if number == 1:
                example.context[name] = _feature(value)
            elif number == 2:
                example.sequences[name] = [_feature(_bytes(step)) for _, step in _fields(value)]
    return example


def _feature(message: bytes) -> Values:
    """The one list that a feature holds: 1 bytes, 2 floats, 3 whole numbers; numbers come packed or one by one."""
    for kind, content in _fields(message):
        parts = [part for _, part in _fields(_bytes(content))]
        if kind == 1:
            return [_bytes(part) for part in parts]
        joined = b"".join(part for part in parts if isinstance(part, bytes))
        if kind == 2:
            return [number for (number,) in struct.iter_unpack("<f", joined)]
        whole = [part for part in parts if isinstance(part, int)] or _packed(joined)
        return [number - (1 << 64) if number >> 63 else number for number in whole]
    return []


def _packed(content: bytes) -> list[int]:
    numbers, place = [], 0
    while place < len(content):
        number, place = _varint(content, place)
        numbers.append(number)
    return numbers


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """(number, content) of every field; a kind-5 field (a lone float) comes as its four bytes."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == 0:
            content: bytes | int
            content, place = _varint(message, place)
            yield key >> 3, content
            continue
        if kind == 2:
            size, place = _varint(message, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"field of kind {kind}")
        if place + size > len(message):
            raise ValueError("field longer than its message")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """A whole number in groups of seven bits, lowest first, and the place behind it."""
    number = shift = 0
    while True:
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
        if shift > 63:
            raise ValueError("number of more than ten bytes")


def _bytes(content: bytes | int) -> bytes:
    if isinstance(content, int):
        raise ValueError("a number where a message is expected")
    return content


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (CASTAGNOLI if byte & 1 else 0)
        entries.append(byte)
    return tuple(entries)


TABLE = _table()
