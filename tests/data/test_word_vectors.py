"""Word vectors from files: against NumPy's own parsing, and what is said of files that are something else."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multihot.data.word_vectors import VectorFile, read_word_vectors, words_of_label
from multihot.errors import ConfigurationError, DataError

WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.fixture
def write(tmp_path):
    def written(content, name="vectors.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return written


@st.composite
def tables(draw):
    size = draw(st.integers(2, 4))
    table = draw(st.dictionaries(WORDS, st.lists(NUMBERS, min_size=size, max_size=size), min_size=1, max_size=8))
    asked = draw(st.lists(st.sampled_from([*table]), min_size=1, unique=True))
    return table, asked, draw(st.lists(WORDS.filter(lambda word: word not in table), max_size=3))


@settings(max_examples=60, deadline=None)
@given(tables(), st.booleans(), st.booleans(), st.sampled_from([" ", "\t"]), st.sampled_from(["\n", " \n", "\r\n"]))
def test_what_is_read_is_what_numpy_reads(tmp_path_factory, made, header, packed, between, end):
    table, asked, missing = made
    lines = [between.join([word, *map(repr, numbers)]) for word, numbers in table.items()]
    size = len(next(iter(table.values())))
    content = "".join(line + end for line in [*([f"{len(table)} {size}"] if header else []), *lines]).encode()
    path = tmp_path_factory.mktemp("vectors") / ("v.txt.gz" if packed else "v.txt")
    path.write_bytes(gzip.compress(content) if packed else content)
    found = read_word_vectors(path, [*([word] for word in [*asked, *missing]), [], [*asked, *missing]])
    expected = np.array([np.loadtxt([between.join(map(repr, table[word]))], dtype=np.float32, ndmin=1) for word in asked])
    np.testing.assert_array_equal(found[: len(asked)], expected)
    assert np.isnan(found[len(asked) : -1]).all()
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found[-1], expected.mean(axis=0))
    assert VectorFile.of(str(path)).pinned().size == size


def test_words_with_spaces_and_words_that_stand_twice(write):
    path = write(". . . 1 2\nat name@domain.com 3 4\nwheat 5 6\nwheat 7 8\n\nna\u00a0me 9 9\n")
    with pytest.raises(DataError, match=r"line 1: '\.' is no finite number"):  # nobody can tell how many numbers follow
        read_word_vectors(path, [["wheat"]])
    path = write(", 0 0\n. . . 1 2\nat name@domain.com 3 4\nwheat 5 6\nwheat 7 8\n\nna\u00a0me 9 9\n")
    np.testing.assert_array_equal(
        read_word_vectors(path, [["wheat"], ["."], ["at"], ["name"], ["na\u00a0me"]])[:, 0], [5, *[np.nan] * 3, 9]
    )


DAMAGED = {
    "a short line": ("the 1 2\nwheat 3\n", "line 2: 1 numbers behind the word, where the first line says 2"),
    "a long line": ("the 1 2\nwheat 3 4 5\n", "line 2: 3 numbers behind the word, where the first line says 2"),
    "a short line of another word": ("the 1 2\nrye 3\nwheat 3 4\n", "line 2: 1 numbers"),
    "another width than announced": ("2 3\nthe 1 2\nwheat 3 4\n", "line 2: 2 numbers behind the word, where the first line says 3"),
    "a word for a number": ("the 1 2\nwheat 3 four\n", "line 2: 'four' is no finite number"),
    "a decimal comma": ("the 1 2\nwheat 3 0,5\n", "line 2: '0,5' is no finite number"),
    "no finite number": ("the 1 2\nwheat 3 nan\n", "line 2: 'nan' is no finite number"),
    "a number beyond single precision": ("the 1 2\nwheat 3 1e39\n", "line 2: '1e39' is no finite number"),
    "a first line without numbers": ("the of and\nwheat 3 4\n", "line 1: 'of' is no finite number"),
    "words alone": ("the\nwheat\n", "line 1: 0 numbers for a word"),
    "a file cut short": ("9 2\nthe 1 2\nwheat 3 4\n", "announces 9 words, but holds 2; it is cut short or altered"),
    "no word that is asked for": ("the 1 2\nof 3 4\n", r"no vector for any of 1 words \('wheat', ...\)"),
    "nothing": ("", "the file is empty"),
    "blank lines": ("\n\n", "line 1: 0 numbers for a word"),
    "far too many numbers": ("the" + " 1" * 10_001 + "\n", "line 1: 10,001 numbers for a word; there must be 1 to 10,000"),
    "an absurd announcement": ("3 999999999\nwheat 1\n", "line 1: 999,999,999 numbers for a word"),
    "word2vec's binary form": (
        b"2 3\n" + b"".join(word + b" " + struct.pack("<3f", 0.1, -2.0, 0.3) for word in (b"the", b"wheat")),
        "line 2: holds bytes that are no text; word2vec's binary form is not read",
    ),
    "UTF-16": ("the 1 2\nwheat 3 4\n".encode("utf-16"), "line 1: holds bytes that are no text"),
}


@pytest.mark.parametrize(("content", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_named_with_its_line(write, content, said):
    with pytest.raises(DataError, match=said) as error:
        read_word_vectors(write(content), [["wheat"]])
    assert "vectors.txt" in str(error.value)


def test_a_file_that_is_cut_endless_missing_or_none_is_one_line(write, tmp_path, monkeypatch):
    cut = write(gzip.compress(b"".join(b"w%d 1 2\n" % i for i in range(999)))[:-20], "cut.txt.gz")
    with pytest.raises(DataError, match=r"cut.txt.gz: the compressed file is cut short"):
        read_word_vectors(cut, [["w1"]])
    for missing, said in ((tmp_path / "vector.txt", "there is no such file"), (tmp_path, "is no file")):
        with pytest.raises(DataError, match=said):
            read_word_vectors(missing, [["wheat"]])
    monkeypatch.setenv("MULTIHOT_MAX_LINE_BYTES", "1000")
    with pytest.raises(DataError, match="line 2: a line of more than 1,000 bytes"):
        read_word_vectors(write("the 1 2\n" + "wheat" * 500), [["wheat"]])


def test_only_the_words_asked_for_are_kept(write):
    path = write("".join(f"word{i}" + " 0.125" * 50 + "\n" for i in range(20_000)))
    tracemalloc.start()
    read_word_vectors(path, [["word7"], ["word19999"]])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < path.stat().st_size / 10


def test_a_file_is_recognised_by_its_content(write):
    path = write("the 1 2\nwheat 3 4\n")
    pinned = VectorFile.of(str(path)).pinned()
    assert VectorFile.of(pinned.to_dict()).pinned() == pinned
    with pytest.raises(DataError, match="holds 2 numbers a word, not 3"):
        VectorFile(str(path), size=3).pinned()
    write("the 1 2\nwheat 3 5\n")
    with pytest.raises(DataError, match="is not the file of word vectors that this began with"):
        pinned.pinned()


@pytest.mark.parametrize("setting", [3, ["a.txt"], {}, {"file": None}, {"file": "a.txt", "size": 0}, {"file": "a.txt", "sha256": 3}])
def test_what_names_no_file_is_refused(setting):
    with pytest.raises(ConfigurationError, match="word_vectors must name a file"):
        VectorFile.of(setting)
    with pytest.raises(ConfigurationError, match="word_vectors has no setting 'fil'; did you mean 'file'"):
        VectorFile.of({"fil": "a.txt"})


def test_names_of_labels_fall_apart_into_words():
    assert words_of_label("Traffic-light (red)/crossing_2") == ["traffic", "light", "red", "crossing", "2"]
