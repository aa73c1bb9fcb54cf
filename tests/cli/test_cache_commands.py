"""``multihot cache``: what is kept of files is shown, and goes when it is told to; nothing else does."""

import os
import time

import pytest
from typer.testing import CliRunner

from multihot.cli import app
from multihot.data import load
from multihot.data.cache_contents import clear, contents
from multihot.data.processors import WordsProcessor

KEY = "0123456789abcdef" * 2


def call(*words):
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, [str(word) for word in words])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    root = tmp_path / "cache"
    monkeypatch.setenv("MULTIHOT_CACHE", str(root))
    for name in ("letters", "secret"):
        (tmp_path / f"{name}.csv").write_text("text,labels\n" + f"{name} wheat,a\n" * 5 + "corn,b\n" * 5)
        rows = load(tmp_path / f"{name}.csv").split("train")
        WordsProcessor().fit(rows).prepare(rows)
    (root / "downloads" / "mulan" / "yeast").mkdir(parents=True)
    (root / "downloads" / "mulan" / "yeast" / "yeast.arff").write_bytes(bytes(2_000_000))
    (root / "encoded" / KEY).mkdir(parents=True)
    (root / "encoded" / KEY / "rows.arrow").write_bytes(bytes(500_000))
    return root


def test_what_is_kept_is_listed_with_its_size(cache):
    printed = call("cache", "list").stdout
    for words in (("letters", "data"), ("secret", "data"), ("mulan/yeast", "downloads", "2.0"), ("1 files of encoded", "0.5")):
        assert any(all(word in line for word in words) for line in printed.splitlines()), (words, printed)
    assert f"MB in {cache}" in printed
    assert {kept.kind for kept in contents()} == {"data", "tokens", "vocabularies", "encoded", "downloads"}


def test_clearing_leaves_downloads_and_whatever_is_not_ours(cache, tmp_path):
    for stranger in (
        cache / "mine.txt",
        cache / "data" / "mine" / "data.json",
        cache / "tokens" / "mine" / "x",
        cache / "downloads" / "mine",
    ):
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_text("mine")
    result = call("cache", "clear")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("removed 0.5 MB (")
    assert f"2.0 MB are left in {cache}" in result.stdout
    assert {kept.kind for kept in contents()} == {"downloads"}
    assert b"secret" not in b"".join(path.read_bytes() for path in cache.rglob("*") if path.is_file())
    for stranger in (
        cache / "mine.txt",
        cache / "data" / "mine" / "data.json",
        cache / "tokens" / "mine" / "x",
        cache / "downloads" / "mine",
    ):
        assert stranger.read_text() == "mine"
    assert "removed 2.0 MB (1 things)" in call("cache", "clear", "--downloads").stdout
    assert len(load(tmp_path / "letters.csv").split("train")) == 10  # made again


def test_only_what_is_old_goes(cache):
    [old] = [kept for kept in contents() if kept.name == "secret"]
    for file in old.path.iterdir():
        os.utime(file, (time.time() - 40 * 86400,) * 2)
    assert [kept.name for kept in clear(older_than=30)] == ["secret"]
    assert call("cache", "clear", "--older-than", "30").stdout.startswith("removed 0.0 MB (0 things)")
    assert any(kept.name == "letters" for kept in contents())
    assert call("cache", "clear", "--older-than", "-1").exit_code == 2


def test_an_empty_cache_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "none"))
    assert call("cache", "list").stdout == f"0.0 MB in {tmp_path / 'none'}\n"
    assert call("cache", "clear").exit_code == 0
