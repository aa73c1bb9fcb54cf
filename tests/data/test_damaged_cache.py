"""A cache that was damaged in any way: what is read is right, with one word where something had to be made again."""

import json
import logging
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from multihot import storage
from multihot.data import cache, derived, load
from multihot.data.catalog import CatalogEntry, CatalogFile, obtain
from multihot.data.processors.tokens import add_tokens
from multihot.data.processors.words import WordsProcessor
from multihot.errors import DataError
from multihot.learners.feature_cache import encode_once


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def flip_in_the_text(path):
    """A byte that no reader of the format would stumble over."""
    content = path.read_bytes()
    place = content.find(b"text 7")
    path.write_bytes(content.replace(b"text 7", b"text 8") if place >= 0 else content.replace(b'"sha256"', b'"sha257"'))


def make_folder(path):
    path.unlink()
    path.mkdir()


def make_link_to_nothing(path):
    path.unlink()
    path.symlink_to("nowhere")


DAMAGE = {
    "emptied": lambda path: path.write_bytes(b""),
    "halved": cut,
    "a flipped bit": flip,
    "another letter": flip_in_the_text,
    "deleted": Path.unlink,
    "foreign bytes": lambda path: path.write_bytes(b"\x00\xff not ours"),
    "foreign JSON": lambda path: path.write_text(json.dumps(["not", "ours"])),
    "a folder": make_folder,
    "a dead link": make_link_to_nothing,
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def csv(tmp_path):
    (tmp_path / "train.csv").write_text("id,text,labels\n" + "".join(f"a{i},text {i},{'x|y' if i % 3 else 'z'}\n" for i in range(30)))
    return tmp_path / "train.csv"


@pytest.fixture
def pictures(tmp_path):
    rows = ["image,labels"]
    for number in range(4):
        Image.fromarray(np.full((8, 8, 3), number * 40, np.uint8)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,x|y" if number % 2 else f"{number}.png,z")
    (tmp_path / "train.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "train.csv"


def as_another_process(monkeypatch):
    monkeypatch.setattr(cache, "_digests", {})


def everything(data):
    return {name: split.to_dict() for name, split in data.splits.items()}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["data.json", "train.arrow"])
def test_damaged_rows_are_prepared_again(csv, own_cache, monkeypatch, caplog, damage, name):
    whole, fingerprint = everything(load(csv)), load(csv).fingerprint
    (path,) = own_cache.glob(f"data/*/{name}")
    DAMAGE[damage](path)
    as_another_process(monkeypatch)
    with caplog.at_level(logging.WARNING):
        again = load(csv)
        assert everything(again) == whole
        assert load(csv).fingerprint == again.fingerprint == fingerprint
    told = [record.message for record in caplog.records]
    if (damage, name) not in (("deleted", "data.json"), ("a dead link", "data.json")):  # then it is as if nothing were there
        assert told == [f"{path} is damaged; it is made again"]
    assert sorted(path.name for path in (own_cache / "data").iterdir()) == [path.parent.name]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_stamps_of_pictures_are_taken_again(pictures, own_cache, monkeypatch, damage):
    whole = everything(load(pictures))
    (path,) = own_cache.glob("data/*/named.json")
    DAMAGE[damage](path)
    as_another_process(monkeypatch)
    assert everything(load(pictures)) == whole


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["data.json", "rows.arrow"])
def test_damaged_tokens_are_made_again(csv, own_cache, monkeypatch, damage, name):
    rows = load(csv).split("train")

    def tokens():
        return add_tokens(rows, lambda texts: [[len(text), int(text.split()[1])] for text in texts], "mine")["tokens"][:]

    whole = tokens()
    assert whole == [[len(f"text {i}"), i] for i in range(30)]
    (path,) = own_cache.glob(f"tokens/*/{name}")
    DAMAGE[damage](path)
    as_another_process(monkeypatch)
    assert tokens() == whole


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_vocabulary_is_made_again(csv, own_cache, damage):
    rows = load(csv).split("train")
    whole = WordsProcessor().fit(rows).to_dict()
    (path,) = own_cache.glob("vocabularies/*.json")
    DAMAGE[damage](path)
    assert WordsProcessor().fit(rows).to_dict() == whole
    assert WordsProcessor().fit(rows).to_dict() == whole


class Shades(torch.nn.Module):
    """A frozen network of one number."""

    cache = True

    def encode(self, inputs):
        return inputs["image"].float().mean(dim=(1, 2, 3))[:, None, None]


class Pixels:
    augment = None

    def to_dict(self):
        return {}

    def collate(self, rows):
        import io

        return {"image": torch.stack([torch.from_numpy(np.array(Image.open(io.BytesIO(row["image"])))) for row in rows])}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_outputs_of_a_frozen_network_are_worked_out_again(pictures, own_cache, monkeypatch, damage):
    rows = load(pictures).split("train")
    whole = encode_once(Shades(), Pixels(), rows, "cpu")["encoded"][:]
    assert whole == [[0.0], [40.0], [80.0], [120.0]]
    (path,) = own_cache.glob("encoded/*/rows.arrow")
    DAMAGE[damage](path)
    as_another_process(monkeypatch)
    assert encode_once(Shades(), Pixels(), rows, "cpu")["encoded"][:] == whole


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_note_of_a_digest_never_stands_for_the_digest(tmp_path, own_cache, monkeypatch, damage):
    path = tmp_path / "large"
    path.write_bytes(b"content")
    monkeypatch.setattr(cache, "SMALL_FILE", 1)
    whole = cache.digest_of(path)
    (note,) = (own_cache / "digests").iterdir()
    DAMAGE[damage](note)
    as_another_process(monkeypatch)
    assert cache.digest_of(path) == whole == storage.digest(path)


@pytest.mark.parametrize("damage", ["emptied", "halved", "a flipped bit", "deleted", "foreign bytes"])
def test_a_damaged_download_is_fetched_again(tmp_path, own_cache, monkeypatch, caplog, damage):
    source = tmp_path / "copy" / "mine.txt"
    source.parent.mkdir()
    source.write_text("text 7 and more")
    file = CatalogFile("mine.txt", storage.digest(source), source.stat().st_size)
    entry = CatalogEntry(
        name="mine", title="", modality="text", format="csv", folder="copy", origin="", licence="", citation="", files=(file,),
        rows={"train": 1}, labels=1, cardinality=1.0,
    )  # fmt: skip
    folder = obtain(entry, source.parent)
    DAMAGE[damage](folder / "mine.txt")
    as_another_process(monkeypatch)
    with caplog.at_level(logging.WARNING):
        assert (obtain(entry, source.parent) / "mine.txt").read_text() == "text 7 and more"
    assert ("is damaged; it is fetched again" in caplog.text) == (damage != "deleted")


def test_a_file_that_changes_between_two_starts_is_never_taken_for_the_old_one(csv, own_cache, monkeypatch):
    """Large files are known by size and times; those say when one was written over."""
    monkeypatch.setattr(cache, "SMALL_FILE", 1)
    whole = everything(load(csv))
    (path,) = own_cache.glob("data/*/train.arrow")
    flip_in_the_text(path)
    as_another_process(monkeypatch)
    assert everything(load(csv)) == whole


@pytest.mark.parametrize("place", ["a file", "a file/below", "closed"])
def test_a_cache_that_cannot_be_is_one_line(tmp_path, csv, monkeypatch, place):
    (tmp_path / "a file").write_text("mine")
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / place))
    if place == "closed":
        make = Path.mkdir

        def refuse(path, *arguments, **options):
            if (tmp_path / "closed") in (path, *path.parents):
                raise PermissionError(13, "Permission denied", str(path))
            make(path, *arguments, **options)

        monkeypatch.setattr(Path, "mkdir", refuse)
    done = subprocess.run(
        [sys.executable, "-m", "multihot.cli", "data", "stats", str(csv)], capture_output=True, text=True, check=False
    ) if place != "closed" else None  # fmt: skip
    if done is not None:
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert str(tmp_path / "a file") in line
    else:
        with pytest.raises(DataError, match="set MULTIHOT_CACHE to a folder that may"):
            load(csv)
    assert (tmp_path / "a file").read_text() == "mine"


def test_many_at_once_that_find_it_damaged_all_get_the_rows(csv, own_cache, monkeypatch):
    whole = everything(load(csv))
    for _ in range(5):
        (path,) = own_cache.glob("data/*/train.arrow")
        flip(path)
        as_another_process(monkeypatch)
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(lambda _: everything(load(csv)), range(6))) == [whole] * 6


def test_what_is_damaged_as_soon_as_it_is_written_ends_in_one_line(csv, monkeypatch):
    monkeypatch.setattr(cache, "_damaged", lambda folder, files: "train.arrow")
    with pytest.raises(DataError, match="damaged as soon as it is written; check the disk"):
        load(csv)


def test_the_same_rows_give_the_same_bytes_in_another_process(csv, tmp_path):
    first = load(csv)
    program = f"from multihot.data import load; print(load({str(csv)!r}, cache_dir={str(tmp_path / 'other')!r}).contents)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(first.contents)


def test_a_moved_cache_is_whole(csv, own_cache, tmp_path, monkeypatch):
    whole = everything(load(csv))
    shutil.move(own_cache, tmp_path / "elsewhere")
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "elsewhere"))
    monkeypatch.setattr("multihot.data.loading._store", None)  # nothing is prepared again
    assert everything(load(csv)) == whole


def test_rows_in_memory_leave_nothing_in_the_cache(own_cache):
    import datasets

    rows = datasets.Dataset.from_dict({"text": ["a", "b"]})
    mapped = derived.map_once(rows, lambda text: {"n": len(text)}, kind="mine", key="k", title="", long=10, input_columns="text")
    assert mapped["n"][:] == [1, 1]
    assert not own_cache.exists()
