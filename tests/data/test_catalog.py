"""The catalogue: published sizes, digests, and copies at hand."""

import gzip
import hashlib
import io
import shutil
import tarfile
import urllib.error
import urllib.request

import numpy as np
import pytest

from multihot.data import catalog, load
from multihot.data.catalog import CatalogEntry, CatalogFile
from multihot.errors import DataError

CONTENT = {"train.tsv": b"joy\t0\ta\nsad\t1\tb\n", "labels.txt": b"good\nbad\n"}


@pytest.fixture
def toy(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MULTIHOT_DATA", raising=False)
    files = tuple(CatalogFile(name, hashlib.sha256(c).hexdigest(), len(c), f"https://example.org/{name}") for name, c in CONTENT.items())
    entry = CatalogEntry(
        "toy", "Toy", "text", "https://example.org", "none", "nobody", {"train": 2}, 2, 1.0,
        format="goemotions", files=files, archives=("toy.tar.gz",), folder="toy_folder",
    )  # fmt: skip
    monkeypatch.setitem(catalog.ENTRIES, "toy", entry)
    return entry


def put(folder, pack=lambda name, content: (name, content)):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENT.items():
        packed, content = pack(name, content)
        (folder / packed).write_bytes(content)
    return folder


def test_copies_in_every_form(toy, tmp_path):
    put(tmp_path / "plain")
    put(tmp_path / "packed", lambda name, content: (f"{name}.gz", gzip.compress(content)))
    put(tmp_path / "many" / "toy_folder")
    (tmp_path / "archive").mkdir()
    with tarfile.open(tmp_path / "archive" / "toy.tar.gz", "w:gz") as archive:
        for name, content in CONTENT.items():
            member = tarfile.TarInfo(f"inner/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    for place in ("plain", "packed", "many", "archive", "archive/toy.tar.gz"):
        folder = catalog.obtain(toy, tmp_path / place, tmp_path / "out" / place)
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == CONTENT


def test_after_get_the_name_loads(toy, tmp_path, monkeypatch):
    assert load("toy", from_path=put(tmp_path / "plain")).split("train")["labels"][:] == [["good"], ["bad"]]
    shutil.rmtree(tmp_path / "plain")
    assert len(load("toy").split("train")) == 2


def test_the_data_folder_of_the_environment_is_searched(toy, tmp_path, monkeypatch):
    put(tmp_path / "many" / "toy_folder")
    monkeypatch.setenv("MULTIHOT_DATA", str(tmp_path / "many"))
    assert len(load("toy").split("train")) == 2


@pytest.mark.parametrize("name", ["train.tsv", "train.tsv.gz"])
def test_an_altered_or_truncated_file_is_refused_with_both_digests(toy, tmp_path, name):
    folder = put(tmp_path / "plain")
    (folder / "train.tsv").unlink()
    content = gzip.compress(CONTENT["train.tsv"])[:-9] if name.endswith(".gz") else b"jox" + CONTENT["train.tsv"][3:]
    (folder / name).write_bytes(content)
    with pytest.raises(
        DataError, match=rf"'train.tsv' is cut short or altered: expected sha256 {toy.files[0].sha256}.*found [0-9a-f]{{64}}"
    ):
        load("toy", from_path=folder)
    assert not (tmp_path / "cache" / "downloads" / "toy" / "train.tsv").exists()


def test_a_truncated_archive_is_refused(toy, tmp_path):
    (tmp_path / "toy.tar.gz").write_bytes(gzip.compress(b"no archive")[:-5])
    with pytest.raises(DataError, match=r"toy.tar.gz: the archive is cut short or altered.*found sha256"):
        catalog.obtain(toy, tmp_path / "toy.tar.gz")


def test_copies_that_lack_a_file(toy, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match=r"other: holds neither train.tsv nor toy.tar.gz"):
        catalog.obtain(toy, tmp_path / "other")
    (tmp_path / "other" / "labels.txt").write_bytes(CONTENT["labels.txt"])
    with pytest.raises(DataError, match=r"holds no 'train.tsv' of toy; get a whole copy from https://example.org"):
        catalog.obtain(toy, tmp_path / "other")
    with pytest.raises(DataError, match="there is no such file"):
        catalog.obtain(toy, tmp_path / "nowhere")


def test_a_download_is_checked_and_moved_into_place(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda address, timeout: io.BytesIO(CONTENT[address.rpartition("/")[2]]))
    assert load("toy").split("train")["id"][:] == ["a", "b"]
    monkeypatch.setattr(urllib.request, "urlopen", lambda address, timeout: io.BytesIO(b"<html>not found</html>"))
    with pytest.raises(DataError, match=r"https://example.org/train.tsv: 'train.tsv' is cut short or altered"):
        catalog.obtain(toy, to=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_download_that_fails_says_what_to_do(toy, tmp_path, monkeypatch):
    def refuse(address, timeout):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(DataError, match=r"cannot be downloaded \(no network\); try again, or say --from PATH"):
        load("toy")
    with pytest.raises(DataError, match="no stable public address is known"):
        catalog.obtain(catalog.get("ucmerced"), to=tmp_path / "out")


def test_names_near_by_are_suggested():
    with pytest.raises(DataError, match="did you mean 'goemotions'"):
        catalog.get("goemotion")
    with pytest.raises(DataError, match="did you mean 'mulan/yeast'\\? `multihot data list` shows all") as error:
        load("yeats")
    assert "reuters" not in str(error.value)


def test_the_end_of_one_name_stands_for_the_whole(monkeypatch, toy):
    assert catalog.get("yeast") is catalog.get("mulan/yeast")
    assert catalog.find("flag") is None
    monkeypatch.setitem(catalog.ENTRIES, "other/yeast", toy)
    with pytest.raises(DataError, match="data set 'yeast' may be mulan/yeast or other/yeast; give one of these names"):
        load("yeast")


@pytest.mark.parametrize("name", [name for name, entry in catalog.ENTRIES.items() if entry.files and not entry.pictures])
def test_what_is_counted_is_what_was_published(shared_data, name):
    entry = catalog.get(name)
    data = load(name, from_path=shared_data)
    space = data.label_space()
    targets = {split: data.targets(split, space)[0] for split in data.splits}
    assert {split: len(rows) for split, rows in data.splits.items()} == dict(entry.rows)
    assert len(space) == entry.labels
    cardinality = sum(t.sum() for t in targets.values()) / sum(t.shape[0] for t in targets.values())
    assert cardinality == pytest.approx(entry.cardinality, abs=0.012)
    assert data.unseen_labels(space) == {}
    assert data.modality == entry.modality


@pytest.mark.parametrize(("name", "features"), [("bibtex", 1836), ("corel5k", 499), ("foodtruck", 21), ("genbase", 1186), ("yeast", 103)])
def test_mulan_features_as_published(shared_data, name, features):
    assert load(f"mulan/{name}", from_path=shared_data).num_features == features


def test_difficult_objects_are_unknown(shared_data):
    data = load("voc2007-vehicles", from_path=shared_data)
    table = np.genfromtxt(shared_data / "voc2007_vehicle_cat" / "labels.csv", delimiter=",", dtype=str)
    cells = table[1:, 3:][table[1:, 1] == "test"].astype(int)
    targets, unknown = data.targets("test", data.label_space())
    np.testing.assert_array_equal(targets.toarray(), cells == 1)
    np.testing.assert_array_equal(unknown.toarray(), cells == 0)
    assert data.split("test")["image"][0][:2] == b"\xff\xd8"


def test_digit_scenes_are_made_as_stated():
    data = load("digit-scenes")
    assert {split: len(rows) for split, rows in data.splits.items()} == dict(catalog.get("digit-scenes").rows)
    assert len(data.label_space()) == catalog.get("digit-scenes").labels
    assert data.modality == "image"


def test_a_folder_of_a_known_data_set_loads_by_its_path(shared_data):
    assert load(shared_data / "goemotions").fingerprint == load("goemotions", from_path=shared_data).fingerprint


def test_files_of_the_same_names_are_no_known_data_set(toy, tmp_path):
    folder = put(tmp_path / "own")
    assert catalog.recognise(folder) is toy
    (folder / "train.tsv").write_bytes(b"mine\t0\ta\n")
    assert catalog.recognise(folder) is None
    load("toy", from_path=put(tmp_path / "plain"))  # what lies in the cache is not taken for it either
    assert load(folder).split("train")["text"][:] == ["mine"]
