"""The cache, the splits of a data set, and the policy for labels that training has not."""

import errno
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from multihot import storage
from multihot.data import cache, cache_root, load
from multihot.errors import ConfigurationError, DataError
from multihot.labels import LabelSpace


@pytest.fixture
def files(tmp_path):
    (tmp_path / "train.csv").write_text("id,text,labels\n" + "".join(f"a{i},text {i},{'x|y' if i % 3 else 'z'}\n" for i in range(30)))
    (tmp_path / "test.csv").write_text("id,text,labels\nb1,new,x|new\nb2,none,\nb3,new again,new\n")
    return tmp_path


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def stored(folder):
    """What lies in the cache, a killed process's leavings included."""
    return sorted(p.name for p in (folder / "data").glob("*"))


def test_prepared_once_and_again_when_content_or_options_change(files, own_cache):
    first, second = load(files), load(files)
    assert first.fingerprint == second.fingerprint
    assert first.split("train")._fingerprint == second.split("train")._fingerprint
    assert cache_root() == own_cache
    assert len(stored(own_cache)) == 1
    load(files, text="text", labels="labels", delimiter="|")
    (files / "test.csv").write_text("id,text,labels\nb1,changed,x\n")
    assert load(files).split("test")["text"][:] == ["changed"]
    assert len(stored(own_cache)) == 3


def test_a_copy_elsewhere_shares_the_cache_and_a_cache_of_its_own_can_be_named(files, own_cache, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "train.csv").write_bytes((files / "train.csv").read_bytes())
    assert load(copy / "train.csv").fingerprint == load(files / "train.csv").fingerprint
    load(files / "train.csv", cache_dir=tmp_path / "other")
    assert len(stored(own_cache)) == len(stored(tmp_path / "other")) == 1


def test_a_failed_reading_leaves_nothing_behind(files, own_cache):
    (files / "test.csv").write_text("id,text,labels\nb1,a,b,c\n")
    for _ in range(2):
        with pytest.raises(DataError, match=r"test.csv: line 2: 4 cells"):
            load(files)
    assert stored(own_cache) == []


def test_a_killed_process_leaves_nothing_broken(files, own_cache):
    program = (
        "import os, signal, sys, multihot.data.loading as loading\n"
        "loading._description = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "loading.load(sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(files)], capture_output=True, check=False)
    assert done.returncode == -9
    (leaving,) = (own_cache / "data").glob(".*.partial")
    assert len(load(files).split("train")) == 30
    os.utime(leaving, (0, 0))
    load(files / "train.csv")
    assert not leaving.exists()


def test_two_at_once(files):
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: load(files), range(4)))
    assert {data.split("train")["text"][5] for data in loaded} == {"text 5"}


def test_a_full_disk_is_one_line(files, own_cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_stream", full)
    with pytest.raises(DataError, match="the disk is full; free some space, or set MULTIHOT_CACHE"):
        load(files)
    assert stored(own_cache) == []


def test_digest_of_a_large_file_is_kept_until_it_changes(tmp_path, own_cache, monkeypatch):
    path = tmp_path / "large"
    path.write_bytes(b"one")
    monkeypatch.setattr(cache, "SMALL_FILE", 1)
    first = cache.digest_of(path)
    monkeypatch.setattr(cache, "_digests", {})  # as another process would begin
    monkeypatch.setattr(storage, "digest", lambda path: "computed again")
    assert cache.digest_of(path) == first
    os.utime(path, ns=(1, 1))
    assert cache.digest_of(path) == "computed again"


def test_memory_stays_flat_at_a_second_start(tmp_path):
    import resource

    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("text,labels\n")
        file.writelines(f"{'word ' * 200}{i},a|b\n" for i in range(60_000))  # about 60 MB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    load(path)
    data = load(path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024  # MiB
    assert len(data.split("train")) == 60_000
    assert grown < 40


def test_labels_unseen_in_training(files):
    data = load(files)
    space = data.label_space()
    assert space.names == ("x", "y", "z")
    targets, unknown = data.targets("test", space)
    assert targets.toarray().tolist() == [[True, False, False], [False] * 3, [False] * 3]
    assert unknown is None
    assert data.unseen_labels(space) == {"test": {"new": 2}}
    with pytest.raises(DataError, match=r"\(test\): row 1 carries the label 'new'"):
        data.targets("test", space, unseen="error")
    wide = data.label_space(unseen="include")
    assert wide.names == ("new", "x", "y", "z")
    assert data.targets("test", wide, unseen="error")[0].sum() == 3
    with pytest.raises(ConfigurationError, match="did you mean 'ignore'"):
        data.label_space(unseen="ignor")


def test_targets_agree_with_encoding_row_by_row(files):
    data = load(files)
    space = LabelSpace(["z", "x"])
    expected = space.encode(data.split("train")["labels"][:], unseen="ignore")
    assert (data.targets("train", space)[0] != expected).nnz == 0
    assert data.statistics(space).counts.tolist() == [10, 20]


def test_parts_of_other_training_rows_have_other_names_in_caches(files):
    """Rows that were selected, filtered or mapped by hand must not be served what was prepared of others."""
    data = load(files / "train.csv")
    train = data.split("train")
    changed = [train, train.select(range(20)), train.select(range(5, 25)), train.map(lambda row: {"labels": row["labels"][:1]})]
    made = [replace(data, splits={"train": rows}).with_validation(0.2) for rows in changed]
    for name in ("train", "validation"):
        assert len({parts.split(name)._fingerprint for parts in made}) == len(changed)
    assert len({parts.fingerprint for parts in made}) == len(changed)


def test_a_part_of_training_is_cut_off(files):
    data = load(files / "train.csv")
    cut = data.with_validation(0.2, seed=1)
    train, validation = cut.split("train"), cut.split("validation")
    assert sorted(train["id"][:] + validation["id"][:]) == sorted(data.split("train")["id"][:])
    assert cut.targets("validation", cut.label_space())[0].sum(axis=0).tolist() == [[4, 4, 2]]
    assert cut.with_validation(0.5) is cut
    again = data.with_validation(0.2, seed=1)
    assert again.split("validation")["id"][:] == validation["id"][:]
    assert again.split("validation")._fingerprint == validation._fingerprint
    assert list(data.with_validation(0.2, "random", split="test").splits) == ["train", "test"]
    assert cut.fingerprint != data.fingerprint
    with pytest.raises(ConfigurationError, match="allowed are 0 < fraction < 1"):
        data.with_validation(1.5)
    with pytest.raises(DataError, match="30 training rows are too few"):
        data.with_validation(0.001, "random")


def test_label_columns_that_say_nothing(tmp_path, caplog):
    (tmp_path / "empty.csv").write_text("text,labels\na,\nb,\n")
    with pytest.raises(DataError, match="empty: all label sets of the training split are empty"):
        load(tmp_path / "empty.csv").label_space()
    (tmp_path / "none.csv").write_text("text,topic_list\na,b\n")
    with pytest.raises(DataError, match="no column holds labels; name it with labels=, the columns are text, topic_list"):
        load(tmp_path / "none.csv").label_space()
    (tmp_path / "one.csv").write_text("text,labels\na,x\nb,\n")
    with caplog.at_level(logging.WARNING):
        assert load(tmp_path / "one.csv").label_space().names == ("x",)
    assert "there is only one label, 'x'" in caplog.text


def test_splits_must_exist_and_have_known_names(files):
    with pytest.raises(DataError, match="has no split 'validation'"):
        load(files).split("validation")
    with pytest.raises(DataError, match="there is no split 'tset'; did you mean 'test'"):
        load({"train": files / "train.csv", "tset": files / "test.csv"})


def test_unlabelled_rows_can_be_loaded(tmp_path):
    (tmp_path / "new.csv").write_text("text\na\nb\n")
    data = load(tmp_path / "new.csv", labels="tags", id="name", require_labels=False)
    assert data.split("train")["labels"][:] == [None, None]
    targets, unknown = data.targets("train", LabelSpace(["x", "y"]))
    np.testing.assert_array_equal(unknown.toarray(), np.ones((2, 2), dtype=bool))
    assert targets.nnz == 0
