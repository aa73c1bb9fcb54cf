"""Word vectors from a file: GloVe's text format or word2vec's, of which only the words that are asked for are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..components import check_keys
from ..errors import ConfigurationError, DataError
from ..storage import digest
from .formats.opening import byte_lines, check_exists
from .formats.reading import at_line

MOST_NUMBERS = 10_000  # a word; those in use have some hundred
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")  # no text holds them, and words written as binary numbers hardly lack them
BINARY = "holds bytes that are no text; word2vec's binary form is not read, so write the file as text (gensim: binary=False)"


@dataclass(frozen=True)
class VectorFile:
    """A file of word vectors, as the setting ``word_vectors`` names it.

    Args:
        file: a word and its numbers on each line, as GloVe writes them, or the same below a line ``words numbers``, as word2vec does; also
            gzipped.
        sha256: of the file; None: not looked at yet.
        size: numbers a word; None: not looked at yet.
    """

    file: str
    sha256: str | None = None
    size: int | None = None

    @classmethod
    def of(cls, setting: Any) -> VectorFile:
        """The file that a setting names by its path alone, or by a mapping with ``file``, as a run folder keeps it.

        Raises:
            ConfigurationError: for anything else.

        >>> VectorFile.of("glove.6B.300d.txt")
        VectorFile(file='glove.6B.300d.txt', sha256=None, size=None)
        """
        given = setting if isinstance(setting, Mapping) else {"file": str(setting) if isinstance(setting, Path) else setting}
        check_keys(given, {"file", "sha256", "size"}, where="word_vectors")
        found = cls(**{"file": None, **given})
        kinds = {"file": str, "sha256": str | None, "size": int | None}
        wrong = next((name for name, kind in kinds.items() if not isinstance(getattr(found, name), kind)), None)
        if wrong is not None or (found.size is not None and not 1 <= found.size <= MOST_NUMBERS):
            raise ConfigurationError(f"word_vectors must name a file in GloVe's or word2vec's text format, got {setting!r}")
        return found

    @property
    def numbers(self) -> int:
        """The size, as stated or as the file's first line tells it."""
        return self.size or _Layout.of(self.path).size

    def may_be(self, other: VectorFile) -> bool:
        """Whether nothing stated here speaks against its being another one.

        >>> VectorFile("a.txt").may_be(VectorFile("a.txt", "0f", 300)), VectorFile("a.txt", "1e").may_be(VectorFile("a.txt", "0f", 300))
        (True, False)
        """
        return self.file == other.file and self.sha256 in (None, other.sha256) and self.size in (None, other.size)

    def to_dict(self) -> dict[str, Any]:
        """The setting in full, as a run folder keeps it."""
        return asdict(self)

    @property
    def path(self) -> Path:
        """Where it lies.

        Raises:
            DataError: if no file is there.
        """
        path = check_exists(Path(self.file).expanduser())
        if not path.is_file():
            raise DataError(f"{path}: is no file; word_vectors takes one in GloVe's or word2vec's text format")
        return path

    def pinned(self) -> VectorFile:
        """The same with its checksum and its size.

        Raises:
            DataError: if it is not the file whose checksum or size was stated.
        """
        path = self.path
        found = VectorFile(self.file, digest(path), _Layout.of(path).size)
        if self.sha256 not in (None, found.sha256):
            raise DataError(f"{path}: is not the file of word vectors that this began with (its sha256 is another); put that one back")
        if self.size not in (None, found.size):
            raise DataError(f"{path}: holds {found.size} numbers a word, not {self.size}; leave the size of word_vectors out")
        return found


@dataclass(frozen=True)
class _Layout:
    """How a file is laid out: the number of words that its first line announces, or None without such a line; the numbers a word."""

    words: int | None
    size: int

    @classmethod
    def of(cls, path: Path) -> _Layout:
        number, first = next(_lines(path), (1, b""))
        fields, where = first.split(), at_line(path, number)
        announced = len(fields) == 2 and all(field.isdigit() and len(field) < 10 for field in fields)
        layout = cls(int(fields[0]), int(fields[1])) if announced else cls(None, max(len(fields) - 1, 0))
        if CONTROLS.search(first):
            raise DataError(f"{where}: {BINARY}")
        if not 1 <= layout.size <= MOST_NUMBERS:
            raise DataError(f"{where}: {layout.size:,} numbers for a word; there must be 1 to {MOST_NUMBERS:,} behind each word")
        if not announced:
            _numbers(fields[1:], where)
        return layout


def read_word_vectors(file: str | Path, rows: Sequence[Sequence[str]]) -> Float[np.ndarray, "R E"]:
    """A vector a row: the mean of its words' vectors, NaN where the file has none of them.

    The file is read line by line, and only what is asked for is kept. Of words that stand in it twice, the first counts. Lines of other
    words are only looked at for their number of fields.

    Args:
        file: in GloVe's or word2vec's text format (see ``VectorFile``).
        rows: the words of each row.

    Returns:
        (R, E) float32.

    Raises:
        DataError: naming the file and the line that is no word with its numbers, or the file that has not one of the words.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "vectors.txt")
    >>> _ = path.write_text("the 0 1\\nwheat 2 4\\ncorn 4 4\\n")
    >>> read_word_vectors(path, [["wheat"], ["millet"], ["corn", "wheat", "millet"]]).tolist()
    [[2.0, 4.0], [nan, nan], [3.0, 4.0]]
    """
    path = VectorFile(str(file)).path
    layout = _Layout.of(path)
    wanted = {word.encode("utf-8", "replace"): word for words in rows for word in words}
    found: dict[str, Float[np.ndarray, " E"]] = {}
    for where, word, numbers in _entries(path, layout, wanted):
        if wanted[word] not in found:
            found[wanted[word]] = _numbers(numbers, where)
    if not found:
        some = ", ".join(repr(word) for word in list(wanted.values())[:3])
        raise DataError(f"{path}: has no vector for any of {len(wanted):,} words ({some}, ...); give a file of that language and case")
    vectors = np.full((len(rows), layout.size), np.nan, dtype=np.float32)
    for row, words in enumerate(rows):
        if known := [found[word] for word in words if word in found]:
            vectors[row] = np.mean(known, axis=0)
    return vectors


def words_of_label(name: str) -> list[str]:
    """The words of a label's name, in lower case.

    >>> words_of_label("dining_table"), words_of_label("Money-FX")
    (['dining', 'table'], ['money', 'fx'])
    """
    return re.findall(r"[^\W_]+", name.lower())


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, without the white space at their ends, by number."""
    for number, line in enumerate(byte_lines(path), start=1):
        stripped = (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).rstrip()
        if stripped:
            yield number, stripped


def _entries(path: Path, layout: _Layout, wanted: Mapping[bytes, str]) -> Iterator[tuple[str, bytes, list[bytes]]]:
    """Place, word and numbers of each line of a word that is asked for."""
    size, words = layout.size, 0
    lines = _lines(path)
    if layout.words is not None:
        next(lines)
    for number, line in lines:
        words += 1
        word = line.partition(b" ")[0]
        if word not in wanted and line.count(b" ") == size:  # nearly all lines of a large file
            continue
        fields = line.split()
        where = at_line(path, number)
        if len(fields) != size + 1:
            _check_fields(fields, size, line, where)
        elif fields[0] in wanted:
            yield where, fields[0], fields[1:]
    if layout.words not in (None, words):
        raise DataError(f"{path}: announces {layout.words:,} words, but holds {words:,}; it is cut short or altered, get it again")


def _check_fields(fields: list[bytes], size: int, line: bytes, where: str) -> None:
    """Let a line with more fields pass where its word has spaces, as some of GloVe's have: then its second field is no number."""
    if CONTROLS.search(line):
        raise DataError(f"{where}: {BINARY}")
    if len(fields) <= size or _is_number(fields[1]):
        raise DataError(f"{where}: {len(fields) - 1:,} numbers behind the word, where the first line says {size:,}; get the file again")


def _numbers(fields: Sequence[bytes], where: str) -> Float[np.ndarray, " E"]:
    wrong = next((field for field in fields if not _is_number(field)), None)
    if wrong is not None:
        text = wrong[:20].decode("utf-8", "backslashreplace")
        raise DataError(f"{where}: {BINARY}" if CONTROLS.search(wrong) else f"{where}: '{text}' is no finite number; get the file again")
    return np.array([float(field) for field in fields], dtype=np.float32)


def _is_number(field: bytes) -> bool:
    try:
        return abs(float(field)) <= float(np.finfo(np.float32).max) and b"_" not in field
    except ValueError:
        return False
