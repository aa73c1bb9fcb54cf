"""Whatever stands in a file, reading it succeeds or ends in one line that names the file."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from profiles import one_line, quick, slow
from sources import SOURCES, spoiled

from multihot.data import load
from multihot.data.formats import FORMATS
from multihot.errors import MultihotError

WORDS = st.one_of(
    st.none(), st.sampled_from(["", "text", "labels", "id", "f1:f2", "1:2", "0:9:3", "sea,sand", "no such", "a+b", ",", "|", "\t", "x\0"])
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "text": WORDS,
        "labels": WORDS,
        "id": WORDS,
        "features": WORDS,
        "delimiter": st.one_of(st.none(), st.sampled_from(["", ",", "|", " ", "\t", "ab", "\n", "\0"])),
        "encoding": st.one_of(
            st.none(), st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-7", "idna", "hex", "undefined", "x\0", "", "punycode", "cp500"])
        ),
        "index_base": st.sampled_from([0, 1, -1, 10**30]),
        "require_labels": st.booleans(),
        "distribution": st.sampled_from([None, "degrees", "votes", "mean_spread"]),
        "difficult": st.sampled_from(["unknown", "degree"]),
    },
)


def check_reads(files: dict[str, bytes], read: str, options: dict[str, Any]) -> str:
    """Read a source made of some files; the reason why it could not be read, or nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "source"
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        try:
            data = load(folder / read, cache_dir=Path(name) / "cache", **options)
            space = data.label_space("include")
            for split in data.splits:
                assert data.targets(split, space)[0].shape == (len(data.split(split)), len(space))
        except MultihotError as error:
            return one_line(error, "source" if "source" in str(error) else Path(read).name.split(".")[0])
        assert not [path for path in (Path(name) / "cache").rglob("*.partial") if path.is_file()]
    return ""


@st.composite
def spoiled_sources(draw: st.DrawFn, name: str) -> tuple[dict[str, bytes], str, dict[str, Any]]:
    kind, read, files = SOURCES[name]
    chosen = draw(st.sampled_from(sorted(files)))
    changed = dict(files)
    if len(files) > 1 and draw(st.integers(0, 9)) == 0:
        del changed[chosen]
    else:
        changed[chosen] = draw(spoiled(files[chosen]))
    options = draw(st.one_of(st.just({}), st.just({}), OPTIONS))
    return changed, read, options | ({"format": kind} if draw(st.booleans()) else {})


@pytest.mark.parametrize("name", SOURCES)
def test_the_sources_are_valid_and_cover_every_format(name):
    kind, read, files = SOURCES[name]
    assert check_reads(files, read, {"format": kind}) == ""
    if name != "image table":  # without its format it is taken for a data set of the catalogue
        assert check_reads(files, read, {}) == ""
    assert {kind for kind, _, _ in SOURCES.values()} == set(FORMATS)


@pytest.mark.parametrize("name", SOURCES)
def test_spoiled_sources(name):
    @quick(40)
    @given(spoiled_sources(name))
    def read(source):
        assert check_reads(*source) is not None

    read()


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.slow
def test_many_spoiled_sources(name):
    @slow(3000)
    @given(spoiled_sources(name))
    def read(source):
        assert check_reads(*source) is not None

    read()


@quick(100)
@given(
    st.binary(max_size=300), st.sampled_from([None, *FORMATS]), st.sampled_from(["x", "x.csv", "x.gz", "x.csv.gz", "x.zip", "x.parquet"])
)
def test_random_bytes(content, kind, name):
    assert check_reads({name: content}, name, {"format": kind}) is not None


@pytest.mark.parametrize("kind", ["csv", "jsonl", "libsvm", "arff"])
def test_a_compressed_bomb_is_read_or_refused(kind):
    content = gzip.compress(b"\0" * 50_000_000, compresslevel=1)
    assert len(content) < 500_000
    assert check_reads({"x.gz": content}, "x.gz", {"format": kind}) is not None
