"""Digit scenes: pictures of several handwritten digits whose company follows a stated law, drawn from what scikit-learn ships.

The label set y of a scene, y_l = 1 where digit l is shown, follows a log-linear (Ising) law over the admissible sets::

    P(y) = 1/Z * prod_l odds_l ** y_l * prod_{l<m} bond_lm ** (y_l * y_m),     sum_l y_l <= 5

``odds_l`` makes digits frequent or rare, ``bond_lm > 1`` lets two digits seek each other's company, ``bond_lm = 0`` keeps them apart.
The empty set is admissible. Some glyphs are blended with one of the digit that theirs keeps apart from: the glyph alone does not say
which of the two is meant, but that it is exactly one of them, and the company that each of them seeks says which.

Some admissible sets are held out: training and validation follow the law given that the set is not held out, the test split follows
the law itself. The glyphs of the three splits are different ones. Everything is computed in integers from a PCG64 stream whose values
NumPy guarantees, and the PNG files are written uncompressed, so that every machine makes the same bytes.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, lru_cache
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from ..errors import DataError, nearest

LABELS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZES = {"train": 4000, "validation": 1000, "test": 2000}
SIDE = 40  # pixels
MOST_DIGITS = 5

# Integers keep the law exact: an odds of 9 means 9/32.
ODDS_UNIT = 32
ODDS = dict(zip(LABELS, (9, 11, 9, 5, 8, 5, 3, 2, 2, 1), strict=True))
BONDS = {
    ("zero", "eight"): 24,
    ("two", "three"): 16,
    ("one", "four"): 6,
    ("six", "seven"): 24,
    ("five", "six"): 6,
    ("four", "nine"): 16,
    ("seven", "eight"): 4,
    ("three", "eight"): 0,
    ("one", "seven"): 0,
    ("five", "nine"): 0,
    ("zero", "two"): 0,
}
APART = [tuple(map(LABELS.index, pair)) for pair, bond in BONDS.items() if bond == 0]
LOOK_ALIKE = {a: b for pair in APART for a, b in (pair, pair[::-1])}  # digit -> the one it is blended with
HELD_OUT = 0.3  # of the admissible sets of two digits and more

GLYPH_SHARES = {"train": (0.0, 0.6), "validation": (0.6, 0.75), "test": (0.75, 1.0)}
SEEDS = {"train": 1, "validation": 2, "test": 3}
GLYPH_SIZES = (11, 14)  # pixels, smallest and largest
BLENDED = 35  # per cent of the glyphs of look-alikes that are the mean of a glyph of each
COVERED = 15  # per cent of the glyphs that lie partly under a band
CELLS = 9  # a scene is 3 x 3 cells; each holds at most one glyph, shifted at random
INK = (110, 220)  # brightness of the faintest and the strongest glyph, of 255
NOISE = 45  # the most that noise brightens or darkens a pixel


def rows(split: str) -> Iterator[dict[str, Any]]:
    """The scenes of a split, always the same ones.

    Args:
        split: ``"train"``, ``"validation"`` or ``"test"``.

    Yields:
        ``id``, ``labels`` (names of the digits shown, in the order of ``LABELS``) and ``image`` (a grey PNG of 40 x 40 pixels).

    Raises:
        DataError: if there is no such split.

    >>> scene = next(rows("test"))
    >>> scene["id"], set(scene["labels"]) <= set(LABELS), scene["image"][1:4]
    ('test-0', True, b'PNG')
    """
    if split not in SIZES:
        raise DataError(f"digit-scenes has no split '{split}'; {nearest(split, SIZES)}")
    draws = _Draws(SEEDS[split])
    sets, weights = law()
    if split != "test":
        weights = tuple(0 if out else weight for out, weight in zip(held_out(), weights, strict=True))
    cumulative = list(itertools.accumulate(weights))
    glyphs = _glyphs(split)
    for number in range(SIZES[split]):
        shown = np.flatnonzero(sets[bisect_right(cumulative, draws.below(cumulative[-1]))])
        picture = _scene([_glyph(int(digit), glyphs, draws) for digit in shown], draws)
        yield {"id": f"{split}-{number}", "labels": [LABELS[digit] for digit in shown], "image": _png(picture)}


def make() -> dict[str, Iterator[dict[str, Any]]]:
    """All splits: name -> its rows."""
    return {split: rows(split) for split in SIZES}


@lru_cache(maxsize=1)
def law() -> tuple[Bool[np.ndarray, "U 10"], tuple[int, ...]]:
    """The admissible label sets and their weights, proportional to P(y).

    Returns:
        sets (U, 10), and U positive integers; divided by their sum they are the probabilities.

    >>> sets, weights = law()
    >>> len(sets) == len(weights), sum(weights) > 0, int(sets.sum(axis=1).max())
    (True, True, 5)
    """
    sets, weights = [], []
    for members in itertools.product((False, True), repeat=len(LABELS)):
        shown = {label for label, there in zip(LABELS, members, strict=True) if there}
        weight = prod(ODDS[label] if label in shown else ODDS_UNIT for label in LABELS)
        weight *= prod(bond for pair, bond in BONDS.items() if shown.issuperset(pair))
        if weight and len(shown) <= MOST_DIGITS:
            sets.append(members)
            weights.append(weight)
    return np.asarray(sets), tuple(weights)


def held_out() -> Bool[np.ndarray, " U"]:
    """Which of the admissible sets never occur in training and validation, chosen by a multiplicative hash of the set."""
    sets, _ = law()
    numbers = sets @ (1 << np.arange(len(LABELS), dtype=np.int64))
    return (numbers * 2_654_435_761 % 2**32 < HELD_OUT * 2**32) & (sets.sum(axis=1) >= 2)


class _Draws:
    """Random integers from the raw stream of PCG64: unlike those of ``Generator``, guaranteed to stay what they are."""

    def __init__(self, seed: int):
        self._bits = np.random.PCG64(seed)

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""
        return int(self._bits.random_raw()) * bound >> 64

    def between(self, lowest: int, highest: int) -> int:
        """An integer in [lowest, highest]."""
        return lowest + self.below(highest - lowest + 1)

    def some_of(self, total: int, count: int) -> Int[np.ndarray, " count"]:
        """``count`` different integers in [0, total)."""
        return np.argsort(self._bits.random_raw(total), kind="stable")[:count]

    def bytes(self, shape: tuple[int, ...]) -> Int[np.ndarray, ...]:
        """Integers in [0, 256)."""
        count = prod(shape)
        return self._bits.random_raw(-(-count // 8)).astype("<u8").view(np.uint8)[:count].reshape(shape).astype(np.int32)


@lru_cache(maxsize=len(SIZES))
def _glyphs(split: str) -> list[Int[np.ndarray, "n 8 8"]]:
    """The split's handwritten digits, by digit: brightness 0 to 16.

    scikit-learn keeps them in the order in which people wrote them; consecutive shares therefore separate hands better than chance.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    first, last = GLYPH_SHARES[split]
    by_digit = (digits.images[digits.target == digit].astype(np.int64) for digit in range(len(LABELS)))
    return [glyphs[int(first * len(glyphs)) : int(last * len(glyphs))] for glyphs in by_digit]


def _glyph(digit: int, stocks: list[Int[np.ndarray, "n 8 8"]], draws: _Draws) -> Int[np.ndarray, "8 8"]:
    """A glyph of a digit, blended or not, in brightness 0 to 32."""
    own = stocks[digit][draws.below(len(stocks[digit]))]
    if digit not in LOOK_ALIKE or draws.below(100) >= BLENDED:
        return 2 * own
    other = stocks[LOOK_ALIKE[digit]]
    return own + other[draws.below(len(other))]


def _scene(glyphs: list[Int[np.ndarray, "8 8"]], draws: _Draws) -> Int[np.ndarray, "40 40"]:
    """The glyphs in different cells, under noise: brightness 0 to 255."""
    picture = np.zeros((SIDE, SIDE), dtype=np.int32)
    for small, cell in zip(glyphs, draws.some_of(CELLS, len(glyphs)), strict=True):
        glyph = _stretch(small, draws.between(*GLYPH_SIZES), draws.between(*GLYPH_SIZES))
        glyph = glyph * draws.between(*INK) // 255
        if draws.below(100) < COVERED:
            _cover(glyph, draws)
        height, width = glyph.shape
        top, left = (_place(int(at), size, draws) for at, size in zip(divmod(int(cell), 3), (height, width), strict=True))
        part = picture[top : top + height, left : left + width]
        np.maximum(part, glyph, out=part)
    noise = draws.bytes((SIDE, SIDE)) + draws.bytes((SIDE, SIDE)) - 255  # triangular around 0
    return np.clip(picture + 30 + noise * NOISE // 255, 0, 255)


def _place(cell: int, size: int, draws: _Draws) -> int:
    """Where a glyph starts along one axis: within its cell up to a shift of two pixels, and inside the picture."""
    start = cell * SIDE // 3 + (SIDE // 3 - size) // 2 + draws.between(-2, 2)
    return min(max(start, 0), SIDE - size)


def _cover(glyph: Int[np.ndarray, "h w"], draws: _Draws) -> None:
    """Blank a horizontal or vertical band of a glyph, in place."""
    across = glyph if draws.below(2) else glyph.T
    wide = draws.between(3, 5)
    start = draws.between(0, len(across) - wide)
    across[start : start + wide] = 0


def _stretch(glyph: Int[np.ndarray, "8 8"], height: int, width: int) -> Int[np.ndarray, "height width"]:
    """Bilinear enlargement in integers: brightness 0 to 32 -> 0 to 255."""
    return _weights(height) @ glyph @ _weights(width).T * 255 // (32 * 64 * 64)


@cache
def _weights(size: int, source: int = 8) -> Int[np.ndarray, "size 8"]:
    """How much, in sixty-fourths, each of the source pixels gives to each of the enlarged ones."""
    at = np.clip((2 * np.arange(size) + 1) * source * 64 // (2 * size) - 32, 0, (source - 1) * 64)
    return np.maximum(64 - np.abs(at[:, None] - 64 * np.arange(source)), 0)


def _png(picture: Int[np.ndarray, "h w"]) -> bytes:
    """A grey PNG with one stored block: what a compressor makes of it differs between versions of zlib, and this does not."""
    height, width = picture.shape
    lines = np.zeros((height, width + 1), dtype=np.uint8)  # every line starts with its filter, 0 for none
    lines[:, 1:] = picture
    content = lines.tobytes()
    block = b"\x78\x01\x01" + struct.pack("<HH", len(content), len(content) ^ 0xFFFF) + content + struct.pack(">I", zlib.adler32(content))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", block) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
