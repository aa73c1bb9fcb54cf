"""VOC-MLT and COCO-MLT: their lists as published, beside stand-ins for the pictures, which are not ours to ship."""

import io
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from multihot.data import catalog, load
from multihot.errors import DataError

PUBLISHED = {  # rows, class sizes from and to, head, medium and tail labels, training labels a row
    "voc-mlt": ("voc", 1142, 4952, 4, 775, {"head": 6, "medium": 6, "tail": 8}, 2.054),
    "coco-mlt": ("coco", 1909, 5000, 6, 1128, {"head": 22, "medium": 33, "tail": 25}, 4.356),
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MULTIHOT_DATA", raising=False)


def picture(colour=0):
    Image.new("RGB", (4, 4), (colour, 0, 0)).save(file := io.BytesIO(), "JPEG")
    return file.getvalue()


def small_copy(folder):
    """Two training pictures and a test picture in the layout of VOC-MLT."""
    (folder / "VOCdevkit" / "VOC2012").mkdir(parents=True)
    (folder / "my_labels.txt").write_text("aeroplane 0\ntraffic light 1 \n")
    (folder / "my_lt_train.txt").write_text("VOCdevkit/VOC2012/a.jpg 1 0 \nVOCdevkit/VOC2012/b.jpg\n")
    (folder / "my_lt_test.txt").write_text("VOCdevkit/VOC2012/c.jpg 1\n")
    for number, name in enumerate("abc"):
        (folder / "VOCdevkit" / "VOC2012" / f"{name}.jpg").write_bytes(picture(80 * number))
    return folder


def test_a_small_copy_is_read(tmp_path):
    data = load(small_copy(tmp_path / "small"))
    assert data.split("train")["id"][:] == ["a", "b"]
    assert data.split("train")["labels"][:] == [["traffic light", "aeroplane"], []]
    assert data.split("test")["labels"][:] == [["traffic light"]]
    assert data.label_space().names == ("aeroplane", "traffic light")
    pixel = np.asarray(Image.open(io.BytesIO(data.split("test")["image"][0])))[0, 0]
    assert pixel[0] == pytest.approx(160, abs=3)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("my_lt_train.txt", "VOCdevkit/VOC2012/a.jpg 2\n", r"my_lt_train.txt: line 1: label number '2'; allowed are 0 to 1"),
        ("my_lt_train.txt", "VOCdevkit/VOC2012/a.jpg 0,1\n", r"line 1: label number '0,1'"),
        (
            "my_labels.txt",
            "aeroplane 0\nbird 2\n",
            r"my_labels.txt: line 2: 'bird 2'; allowed is a new label name, a blank and the number 1",
        ),
        (
            "my_lt_test.txt",
            "VOCdevkit/VOC2012/z.jpg 1\n",
            r"my_lt_test.txt: line 1: 1 of 3 pictures are missing from .*VOCdevkit/VOC2012/z.jpg\); .*--from",
        ),
        ("more_labels.txt", "x 0\n", r"needs one NAME_labels.txt .*; found 2 and 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, file, content, message):
    folder = small_copy(tmp_path / "small")
    (folder / file).write_text(content)
    with pytest.raises(DataError, match=message):
        load(folder)


def stand_ins(lists, where):
    """One small picture under all the names that the lists hold."""
    (where / "one.jpg").write_bytes(picture())
    for file in lists:
        for line in file.read_text().splitlines():
            name = where / line.split()[0]
            name.parent.mkdir(parents=True, exist_ok=True)
            os.link(where / "one.jpg", name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_lists(shared_data, tmp_path, monkeypatch, name):
    prefix, train, test, rarest, largest, groups, cardinality = PUBLISHED[name]
    folder = shared_data / f"{prefix}_mlt"
    (pictures := tmp_path / "pictures").mkdir()
    stand_ins([folder / f"{prefix}_lt_{split}.txt" for split in ("train", "test")], pictures)
    monkeypatch.setenv("MULTIHOT_DATA", str(shared_data))  # the lists from there, the pictures from the folder that is given
    load(name, from_path=pictures)
    data = load(name)  # the second time without saying where they are
    statistics = data.statistics(data.label_space())
    assert {split: len(rows) for split, rows in data.splits.items()} == {"train": train, "test": test} == catalog.get(name).rows
    assert (statistics.counts.min(), statistics.counts.max()) == (rarest, largest)
    assert statistics.cardinality == pytest.approx(cardinality, abs=5e-4)
    split = json.loads((folder / f"{prefix}_class_split.json").read_text())
    found = statistics.split_by_frequency()
    assert {group: len(labels) for group, labels in found.items()} == groups
    assert [sorted(split[group]) for group in ("head", "middle", "tail")] == [labels.tolist() for labels in found.values()]
    with np.load(folder / f"{prefix}_train_stats.npz") as stated:
        np.testing.assert_array_equal(statistics.counts, np.ravel(stated["class_freq"]))
    space = data.label_space()
    rows = sum(data.targets(part, space)[0].sum() for part in data.splits)
    assert rows / (train + test) == pytest.approx(catalog.get(name).cardinality, abs=5e-4)


def test_lists_without_pictures_name_the_first_that_is_missing(shared_data, tmp_path):
    shutil.copytree(shared_data / "voc_mlt", tmp_path / "voc_mlt")
    with pytest.raises(
        DataError, match=r"line 1: 6,094 of 6,094 pictures .*VOCdevkit/VOC2007/JPEGImages/000001.jpg, .*VOCdevkit \(--from\)"
    ):
        load("voc-mlt", from_path=tmp_path)
