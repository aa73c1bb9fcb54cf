"""Pictures and recordings that a source only names: whatever happens to them, the rows are those of the files as they are now."""

import itertools
import json
import os
import shutil
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from multihot.data import load
from multihot.errors import DataError


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    return path


def records(ending, folder, column="image"):
    rows = [{"id": "a", column: "a.png", "labels": "x|y"}, {"id": "b", column: "b.png", "labels": "y"}]
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), folder / "t.parquet")
    elif ending == "jsonl":
        write(folder / "t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    else:
        separator = "\t" if ending == "tsv" else ","
        write(folder / f"t.{ending}", "\n".join(separator.join(cells) for cells in [rows[0], *(row.values() for row in rows)]) + "\n")
    return folder / f"t.{ending}", {"a": folder / "a.png", "b": folder / "b.png"}


def beside(folder):
    source, _ = records("csv", folder)
    return source, {"a": folder / "images" / "a.png", "b": folder / "images" / "b.png"}


def aflw(folder):
    write(folder / "poses.csv", "id,file,yaw,pitch\na,a.png,3,6\nb,b.png,-3,0\n")
    return folder / "poses.csv", {"a": folder / "a.png", "b": folder / "b.png"}


def voc(folder):
    for name, label in (("a", "car"), ("b", "dog")):
        body = f"<filename>{name}.jpg</filename><object><name>{label}</name></object>"
        write(folder / "Annotations" / f"{name}.xml", f"<annotation>{body}</annotation>")
    return folder, {name: folder / "JPEGImages" / f"{name}.jpg" for name in "ab"}


def coco(folder):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 1}, {"image_id": 2, "category_id": 2}],
        "categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}],
    }
    write(folder / "annotations" / "instances_train2017.json", json.dumps(content))
    return folder, {"1": folder / "train2017" / "a.jpg", "2": folder / "train2017" / "b.jpg"}


def coco_file(folder):
    _, files = coco(folder)
    return folder / "annotations" / "instances_train2017.json", files


def nus_wide(folder):
    write(folder / "ImageList" / "TrainImagelist.txt", "sky\\a.jpg\nsky\\b.jpg\n")
    write(folder / "TrainTestLabels" / "Labels_sky_Train.txt", "1\n0\n")
    write(folder / "TrainTestLabels" / "Labels_sea_Train.txt", "1\n1\n")
    return folder, {f"sky/{name}.jpg": folder / "Flickr" / "sky" / f"{name}.jpg" for name in "ab"}


def image_list(folder):
    write(folder / "mine_labels.txt", "x 0\ny 1\n")
    write(folder / "mine_train.txt", "pictures/a.jpg 0 1\npictures/b.jpg 1\n")
    return folder, {"a": folder / "pictures" / "a.jpg", "b": folder / "pictures" / "b.jpg"}


def audio_table(folder):
    write(folder / "labels.csv", "id,audio,labels\na,a.wav,x|y\nb,b.wav,y\n")
    return folder, {"a": folder / "a.wav", "b": folder / "b.wav"}


def audio_lines(folder):
    write(folder / "labels.jsonl", "".join(json.dumps({"id": n, "audio": f"{n}.wav", "labels": ["x"]}) + "\n" for n in "ab"))
    return folder, {"a": folder / "a.wav", "b": folder / "b.wav"}


def named_after_labels(**names):
    return lambda folder: (folder, {f"{person[1:]}/{name.partition('.')[0]}": folder / name for person, name in names.items()})


READERS = {
    **{ending: lambda folder, ending=ending: records(ending, folder) for ending in ("csv", "tsv", "jsonl", "parquet")},
    "images beside": beside,
    "aflw": aflw,
    "voc-xml": voc,
    "coco-json": coco,
    "coco-json, one file": coco_file,
    "nus-wide": nus_wide,
    "image-list": image_list,
    "audio-table": audio_table,
    "audio-table, lines": audio_lines,
    "morph": named_after_labels(p001="001_1M54.JPG", p002="002_1F33.JPG"),
    "fg-net": named_after_labels(p001="001A43b.JPG", p002="002A02.JPG"),
    "pointing04": named_after_labels(p01="personne01146-30+60.jpg", p02="personne02146+0+0.jpg"),
}
SKIPPING = [name for name in READERS if not name.startswith(("audio", "morph", "fg-net", "pointing04"))]
OWN_ID = ("morph", "fg-net", "pointing04")  # rows named after the picture


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make(reader, folder, first=b"1st.", second=b"2nd."):
    folder.mkdir()
    source, files = READERS[reader](folder)
    for path, content in zip(files.values(), (first, second), strict=True):
        write(path, content)
    return source, files


def contents(source, **options):
    """id -> the bytes of its picture or recording, over all splits."""
    data = load(source, **options)
    column = data.input_column
    return {row["id"]: row[column] for split in data.splits.values() for row in split}


def assert_as_they_are(source, files, **options):
    """The rows hold what the files hold now, read afresh with nothing but the standard library."""
    found = contents(source, **options)
    assert found == {name: path.read_bytes() for name, path in files.items() if path.exists()}


@pytest.mark.parametrize("reader", READERS)
def test_two_folders_with_equal_tables_and_different_pictures(reader, tmp_path):
    one, theirs = make(reader, tmp_path / "one"), make(reader, tmp_path / "two", b"3rd.", b"4th.")
    for source, files in (one, theirs, one, theirs):
        assert_as_they_are(source, files)
    (tmp_path / "three").mkdir()
    shutil.copytree(tmp_path / "one", tmp_path / "three", dirs_exist_ok=True)
    shutil.move(tmp_path / "one", tmp_path / "four")
    for name in ("three", "four"):
        source, files = READERS[reader](tmp_path / name)
        assert_as_they_are(source, files)


@pytest.mark.parametrize("reader", READERS)
def test_pictures_replaced_in_place(reader, tmp_path):
    source, files = make(reader, tmp_path / "data")
    assert_as_they_are(source, files)
    first, second = files.values()
    first.write_bytes(b"another size")
    assert_as_they_are(source, files)
    times = second.stat().st_atime_ns, second.stat().st_mtime_ns
    second.write_bytes(b"2ND.")  # same size, same time of change
    os.utime(second, ns=times)
    assert_as_they_are(source, files)


@pytest.mark.parametrize("reader", READERS)
def test_pictures_exchanged_by_renaming(reader, tmp_path):
    source, files = make(reader, tmp_path / "data")
    first, second = files.values()
    for path in (first, second):
        os.utime(path, ns=(10**18, 10**18))  # the same size and time of change, as out of an archive
    assert_as_they_are(source, files)
    time.sleep(0.02)  # file systems count in steps
    first.rename(tmp_path / "aside")
    second.rename(first)
    (tmp_path / "aside").rename(second)
    assert_as_they_are(source, files)


@pytest.mark.parametrize("reader", READERS)
def test_a_picture_that_is_gone_is_named_and_comes_back(reader, tmp_path):
    source, files = make(reader, tmp_path / "data")
    assert_as_they_are(source, files)
    first = next(iter(files.values()))
    first.rename(tmp_path / "aside")
    if reader in OWN_ID:
        assert_as_they_are(source, files)
    else:
        with pytest.raises(DataError, match=first.name):
            load(source)
    if reader in SKIPPING:
        assert_as_they_are(source, files, missing="skip")
    (tmp_path / "aside").rename(first)
    assert_as_they_are(source, files)
    if reader in SKIPPING:
        assert_as_they_are(source, files, missing="skip")


@pytest.mark.parametrize("reader", OWN_ID)
def test_a_picture_that_is_added_to_a_folder_of_pictures(reader, tmp_path):
    source, files = make(reader, tmp_path / "data")
    assert_as_they_are(source, files)
    first = next(iter(files.values()))
    added = first.with_name(first.name.replace("01", "07", 1))
    person = next(iter(files)).partition("/")[0].replace("01", "07")
    files[f"{person}/{added.stem}"] = write(added, b"new")
    assert_as_they_are(source, files)


def test_a_picture_that_turns_up_where_it_is_looked_for_first(tmp_path):
    source, files = make("images beside", tmp_path / "data")
    assert_as_they_are(source, files)
    nearer = {name: write(tmp_path / "data" / path.name, b"nearer " + name.encode()) for name, path in files.items()}
    assert_as_they_are(source, nearer)


def test_tables_that_are_links_and_folders_that_are_linked(tmp_path):
    source, _ = make("csv", tmp_path / "shared")
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "t.csv").symlink_to(source)
        files = {key: write(folder / f"{key}.png", f"{name} {key}".encode()) for key in "ab"}
        assert_as_they_are(folder / "t.csv", files)
    (tmp_path / "link").symlink_to("one")
    assert contents(tmp_path / "link" / "t.csv")["a"] == b"one a"
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("two")
    assert contents(tmp_path / "link" / "t.csv")["a"] == b"two a"


def test_annotations_shared_by_a_link(tmp_path):
    make("coco-json", tmp_path / "shared")
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "annotations").symlink_to(tmp_path / "shared" / "annotations")
        files = {key: write(folder / "train2017" / f"{letter}.jpg", f"{name} {key}".encode()) for key, letter in (("1", "a"), ("2", "b"))}
        assert_as_they_are(folder / "annotations" / "instances_train2017.json", files)


@pytest.mark.parametrize("reader", ["csv", "audio-table", "morph"])
def test_a_link_out_of_the_folder_is_followed_and_said(reader, tmp_path):
    source, files = make(reader, tmp_path / "data")
    outside, inside = write(tmp_path / "outside", b"not of the data set"), next(iter(files.values()))
    inside.unlink()
    inside.symlink_to(outside)
    assert_as_they_are(source, files)
    (note,) = load(source).notes
    assert note.startswith(f"1 of its files are links that lead out of the folder ({inside.name} -> {outside}")
    outside.write_bytes(b"changed there")
    assert_as_they_are(source, files)


def test_a_folder_that_is_a_link_is_the_users_own_and_not_remarked(tmp_path):
    source, files = make("voc-xml", tmp_path / "data")
    (tmp_path / "data" / "JPEGImages").rename(tmp_path / "disk")
    (tmp_path / "data" / "JPEGImages").symlink_to(tmp_path / "disk")
    assert_as_they_are(source, files)
    assert load(source).notes == ()


def test_many_changes_one_after_another(tmp_path):
    """Every order of three changes to the files of one table."""

    def exchange(folder):
        for old, new in (("a.png", "c"), ("b.png", "a.png"), ("c", "b.png")):
            (folder / old).rename(folder / new)

    def move(folder):
        write(folder / "images" / "b.png", b"moved")
        (folder / "b.png").unlink()

    changes = {"replace": lambda folder: (folder / "a.png").write_bytes(b"replaced"), "exchange": exchange, "move": move}
    for number, order in enumerate(itertools.permutations(changes)):
        folder = tmp_path / str(number)
        source, files = make("csv", folder)
        for name in order:
            if name == "exchange" and not (folder / "b.png").exists():
                continue
            changes[name](folder)
            if not files["b"].exists():
                files["b"] = folder / "images" / "b.png"
            assert_as_they_are(source, files)
