"""Digit scenes: the law by which labels keep company, the unseen label sets, and the same bytes every time."""

import hashlib
import io
import itertools
import subprocess
import sys
import zlib
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from multihot.data import digit_scenes
from multihot.errors import DataError

L = len(digit_scenes.LABELS)


@pytest.fixture(scope="module")
def scenes():
    return {split: list(rows) for split, rows in digit_scenes.make().items()}


@pytest.fixture(scope="module")
def label_sets(scenes):
    return {split: [frozenset(row["labels"]) for row in rows] for split, rows in scenes.items()}


def enumerate_law():
    """set -> probability, straight from the formula: exp of the sum of the log odds and the log bonds."""
    law = {}
    for size in range(digit_scenes.MOST_DIGITS + 1):
        for members in itertools.combinations(digit_scenes.LABELS, size):
            weight = Fraction(1)
            for label in members:
                weight *= Fraction(digit_scenes.ODDS[label], digit_scenes.ODDS_UNIT)
            for pair in itertools.combinations(members, 2):
                weight *= digit_scenes.BONDS.get(pair, digit_scenes.BONDS.get(pair[::-1], 1))
            if weight:
                law[frozenset(members)] = weight
    total = sum(law.values())
    return {members: float(weight / total) for members, weight in law.items()}


def held_out_names():
    sets, _ = digit_scenes.law()
    out = digit_scenes.held_out()
    return {frozenset(np.asarray(digit_scenes.LABELS)[row].tolist()) for row in sets[out]}


def pair_frequencies(weighted_sets):
    """(L, L): probability that both labels are shown; the diagonal holds single labels."""
    together = np.zeros((L, L))
    for members, weight in weighted_sets:
        columns = [digit_scenes.LABELS.index(label) for label in members]
        together[np.ix_(columns, columns)] += weight
    return together


def test_law_is_the_stated_formula():
    sets, weights = digit_scenes.law()
    expected = enumerate_law()
    names = [frozenset(np.asarray(digit_scenes.LABELS)[row].tolist()) for row in sets]
    assert set(names) == set(expected)
    assert [weight / sum(weights) for weight in weights] == pytest.approx([expected[name] for name in names], rel=1e-12)


def test_test_split_follows_the_law(label_sets):
    law = pair_frequencies(enumerate_law().items())
    count = len(label_sets["test"])
    found = pair_frequencies((members, 1 / count) for members in label_sets["test"])
    assert np.all(np.abs(found - law) < 4.5 * np.sqrt(law * (1 - law) / count) + 1e-12)  # forbidden pairs: exactly none


def test_training_split_follows_the_law_given_that_the_set_is_not_held_out(label_sets):
    out = held_out_names()
    kept = {members: p for members, p in enumerate_law().items() if members not in out}
    law = pair_frequencies((members, p / sum(kept.values())) for members, p in kept.items())
    count = len(label_sets["train"])
    found = pair_frequencies((members, 1 / count) for members in label_sets["train"])
    assert np.all(np.abs(found - law) < 4.5 * np.sqrt(law * (1 - law) / count) + 1e-12)


def test_law_attracts_excludes_and_is_unbalanced():
    together = pair_frequencies(enumerate_law().items())
    single = np.diag(together)
    for (first, second), bond in digit_scenes.BONDS.items():
        a, b = digit_scenes.LABELS.index(first), digit_scenes.LABELS.index(second)
        lift = together[a, b] / (single[a] * single[b])
        assert lift == 0 if bond == 0 else lift > 1.25
    assert single.max() / single.min() > 3


def test_test_split_holds_label_sets_that_never_occur_in_training(label_sets):
    out = held_out_names()
    assert not out & (set(label_sets["train"]) | set(label_sets["validation"]))
    share = sum(members in out for members in label_sets["test"]) / len(label_sets["test"])
    law = enumerate_law()
    assert 0.15 < share < 0.35
    assert share == pytest.approx(sum(law[members] for members in out), abs=0.04)
    assert len(out) / len(law) == pytest.approx(digit_scenes.HELD_OUT, abs=0.05)


def test_every_pair_that_may_occur_occurs_in_training(label_sets):
    law = pair_frequencies(enumerate_law().items()) > 0
    found = pair_frequencies((members, 1) for members in label_sets["train"]) > 0
    assert np.array_equal(law, found)


def test_sizes_ids_and_empty_label_sets(scenes, label_sets):
    assert {split: len(rows) for split, rows in scenes.items()} == digit_scenes.SIZES
    ids = [row["id"] for rows in scenes.values() for row in rows]
    assert len(set(ids)) == len(ids)
    assert all(frozenset() in sets for sets in label_sets.values())


def test_pictures_are_grey_and_show_more_where_more_digits_are(scenes):
    bright = {0: [], 1: [], 5: []}
    for row in scenes["test"]:
        picture = Image.open(io.BytesIO(row["image"]))
        assert (picture.mode, picture.size) == ("L", (40, 40))
        if len(row["labels"]) in bright:
            bright[len(row["labels"])].append((np.asarray(picture) > 110).sum())
    assert np.mean(bright[0]) < np.mean(bright[1]) < np.mean(bright[5])


def test_files_are_valid_png_and_not_compressed(scenes):
    row = scenes["train"][0]
    Image.open(io.BytesIO(row["image"])).verify()  # checks every CRC
    start = row["image"].index(b"IDAT") + 4
    lines = zlib.decompress(row["image"][start : start + 1651])
    assert lines in row["image"]  # stored as it is
    assert np.array_equal(np.frombuffer(lines, np.uint8).reshape(40, 41)[:, 1:], np.asarray(Image.open(io.BytesIO(row["image"]))))


def test_another_process_makes_the_same_bytes(scenes):
    program = (
        "import hashlib; from multihot.data import digit_scenes as d;"
        "print(hashlib.sha256(b''.join(r['image'] + ' '.join(r['labels']).encode() for r in d.rows('validation'))).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    here = b"".join(row["image"] + " ".join(row["labels"]).encode() for row in scenes["validation"])
    assert other == hashlib.sha256(here).hexdigest()


def test_splits_share_no_glyph():
    stocks = {split: digit_scenes._glyphs(split) for split in digit_scenes.SIZES}
    from sklearn.datasets import load_digits

    counts = np.bincount(load_digits().target)
    for digit in range(L):
        parts = [stocks[split][digit] for split in digit_scenes.SIZES]
        assert sum(map(len, parts)) == counts[digit]
        assert len(np.unique(np.concatenate(parts).reshape(counts[digit], -1), axis=0)) == counts[digit]


def test_enlarging_keeps_a_flat_glyph_flat_and_agrees_with_pillow():
    flat = np.full((8, 8), 32)
    assert np.array_equal(digit_scenes._stretch(flat, 13, 11), np.full((13, 11), 255))
    glyph = np.random.default_rng(0).integers(0, 33, (8, 8))
    pillow = Image.fromarray((glyph * 255 / 32).astype(np.float32)).resize((12, 14), resample=Image.Resampling.BILINEAR)
    assert np.abs(digit_scenes._stretch(glyph, 14, 12) - np.asarray(pillow)).max() < 8


def test_a_blended_glyph_does_not_say_which_of_two_look_alikes_is_meant():
    zero, two = (digit_scenes.LABELS.index(name) for name in ("zero", "two"))
    stocks = [np.full((1, 8, 8), digit) for digit in range(L)]
    draws = digit_scenes._Draws(0)
    for digit in (zero, two):
        shown = [int(digit_scenes._glyph(digit, stocks, draws)[0, 0]) for _ in range(2000)]
        assert set(shown) == {2 * digit, zero + two}
        assert shown.count(zero + two) / 2000 == pytest.approx(digit_scenes.BLENDED / 100, abs=0.04)
    four = digit_scenes.LABELS.index("four")
    assert {int(digit_scenes._glyph(four, stocks, draws)[0, 0]) for _ in range(200)} == {2 * four}


def share_told_right(weight_of_guess):
    """Share of scenes whose label set is guessed by one who sees every glyph perfectly, except which digit a blended one means."""
    right, blended = 0.0, digit_scenes.BLENDED / 100
    for members, probability in enumerate_law().items():
        columns = [digit_scenes.LABELS.index(label) for label in members]
        unsure = [column for column in columns if column in digit_scenes.LOOK_ALIKE]
        for pattern in itertools.product([False, True], repeat=len(unsure)):
            chance = np.prod([blended if hidden else 1 - blended for hidden in pattern])
            choices = [(c, digit_scenes.LOOK_ALIKE[c]) for c, hidden in zip(unsure, pattern, strict=True) if hidden]
            certain = set(columns) - {c for c, hidden in zip(unsure, pattern, strict=True) if hidden}
            guesses = [frozenset(digit_scenes.LABELS[c] for c in certain | set(guess)) for guess in itertools.product(*choices)]
            right += probability * chance * (max(guesses, key=weight_of_guess) == members)
    return right


def test_company_tells_look_alikes_apart():
    law = enumerate_law()
    single = dict(zip(digit_scenes.LABELS, np.diag(pair_frequencies(law.items())), strict=True))
    knowing_the_law = share_told_right(lambda guess: law.get(guess, 0))
    label_by_label = share_told_right(lambda guess: np.prod([single[label] / (1 - single[label]) for label in guess]))
    assert knowing_the_law > label_by_label + 0.1
    assert knowing_the_law < 0.97


def test_an_unknown_split_is_refused():
    with pytest.raises(DataError, match="no split 'valid'; did you mean 'validation'"):
        next(digit_scenes.rows("valid"))
