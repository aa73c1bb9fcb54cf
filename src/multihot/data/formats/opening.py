"""Opens plain and compressed files, and says in one line what is wrong with those that cannot be read."""

from __future__ import annotations

import difflib
import gzip
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, AnyStr

from ...errors import DataError, nearest
from .limits import check_line, check_unpacked, limit, unpacking
from .reading import at_line

COMPRESSIONS = (".gz", ".zip")
# what the readers of gzip and zip raise for files that are damaged, encrypted, or packed in a way they do not know
BROKEN = (EOFError, OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, IndexError, RuntimeError, UnicodeError)


def check_exists(path: Path) -> Path:
    """The path, if there is something to read.

    Raises:
        DataError: if it is missing (naming near misses in its folder) or empty.
    """
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty; give a file with at least one row")
        if path.exists():
            return path
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    except PermissionError as error:
        raise DataError(f"{path}: may not be read; change its permissions") from error
    except (OSError, ValueError) as error:  # a name that is too long, or holds what no name may
        raise error if isinstance(error, DataError) else DataError(f"{path}: is no name of a file ({error}); check the path") from error
    close = difflib.get_close_matches(path.name, siblings, n=3)
    hint = f"; {nearest(path.name, close)}" if close else "" if siblings else f": the folder {path.parent} is missing or empty"
    raise DataError(f"{path}: there is no such file{hint or '; check the path'}")


def suffix_of(path: Path) -> str:
    """The suffix that tells the format, in lower case, without the one that tells the compression.

    >>> suffix_of(Path("train.CSV.gz"))
    '.csv'
    """
    inner = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS and Path(path.stem).suffix else path
    return inner.suffix.lower()


@contextmanager
def open_bytes(path: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Open a plain, ``.gz`` or ``.zip`` file; of a zip, the member named, or else the only one.

    Raises:
        DataError: if it is missing, empty, cut short, or a zip of several files.
    """
    check_exists(path)
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path, "rb") as file:
                yield unpacking(file, path.stat().st_size, path)  # type: ignore[arg-type]
        elif path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                found = archive.getinfo(member) if member else _only_member(archive, path)
                with archive.open(found) as file:
                    yield unpacking(file, min(found.compress_size, path.stat().st_size), path)
        else:
            with path.open("rb") as file:
                yield file
    except PermissionError as error:
        raise DataError(f"{path}: may not be read; change its permissions") from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: is a folder; give a file, or leave format= out") from error
    except BROKEN as error:
        if path.suffix.lower() not in COMPRESSIONS:
            raise DataError(f"{path}: cannot be read ({error}); get it again") from error
        raise DataError(f"{path}: the compressed file is cut short or altered ({error}); get it again") from error


def text_lines(path: Path, encoding: str | None = None, member: str | None = None) -> Iterator[str]:
    """The lines of a text file, or of a member of a zip, ends included.

    Raises:
        DataError: naming the line that is not written in the encoding.
    """
    codec = _codec(path, encoding)
    with open_bytes(path, member) as file:
        if codec.startswith(("utf-16", "utf-32")):  # their line ends are no single bytes
            try:
                yield from _short_lines(io.TextIOWrapper(file, encoding=codec, newline=""), path)
            except UnicodeError as error:
                raise DataError(f"{path}: not {codec.upper()} ({error}); say encoding= as the file is written") from error
            return
        for number, line in enumerate(_short_lines(file, f"{path}: {member}" if member else path), start=1):
            try:
                yield line.decode("utf-8-sig" if number == 1 and codec == "utf-8" else codec)
            except UnicodeError as error:
                where = at_line(f"{path}: {member}" if member else path, number)
                if not isinstance(error, UnicodeDecodeError):
                    raise DataError(f"{where}: not {codec.upper()} ({error}); say encoding= as the file is written") from error
                bad = f"byte {error.start + 1} of the line is 0x{line[error.start]:02x}"
                hint = "UTF-16" if line[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
                raise DataError(f"{where}: not {codec.upper()} ({bad}); if the file is {hint}, say encoding='{hint.lower()}'") from error


def byte_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file as they are, ends included.

    Raises:
        DataError: if it cannot be read, or a line goes on and on.
    """
    with open_bytes(path) as file:
        yield from _short_lines(file, path)


def _short_lines(file: IO[AnyStr], where: object) -> Iterator[AnyStr]:
    """The lines of a file; one that goes on and on is refused before it is all in memory."""
    most, number = limit("MULTIHOT_MAX_LINE_BYTES"), 0
    while line := file.readline(most + 1):
        number += 1
        if len(line) > most:
            check_line(len(line), at_line(str(where), number))
        yield line


def _codec(path: Path, encoding: str | None) -> str:
    codec = (encoding or "utf-8").lower()
    try:
        "".encode(codec)
    except (LookupError, ValueError) as error:
        raise DataError(
            f"{path}: there is no encoding '{encoding}'; allowed are Python's, such as utf-8, latin-1, cp1252, utf-16"
        ) from error
    return codec


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip whose members are looked at one by one.

    Raises:
        DataError: if it is missing, cut short or altered.
    """
    check_exists(path)
    try:
        return zipfile.ZipFile(path)
    except BROKEN as error:
        raise DataError(f"{path}: the zip is cut short or altered ({error}); get it again") from error


def read_member(archive: zipfile.ZipFile, name: str, where: Path | str) -> bytes:
    """The content of a member of a zip.

    Raises:
        DataError: if it is cut short, altered or encrypted.
    """
    try:
        info = archive.getinfo(name)
        on_disk = os.path.getsize(str(archive.filename))  # the archive may say anything of itself
        check_unpacked(info.file_size, min(info.compress_size, on_disk), f"{where}: '{name}'")
        return archive.read(info)
    except BROKEN as error:
        raise DataError(f"{where}: '{name}' is altered ({error}); get the zip again") from error


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) != 1:
        raise DataError(f"{path}: holds {len(members)} files, not one; unpack it and give the file or the folder")
    return members[0]
