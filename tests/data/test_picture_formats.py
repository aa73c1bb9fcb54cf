"""Pictures beside CSV, JSON Lines, PASCAL VOC, MS-COCO and NUS-WIDE label files, made in the released layouts and counted by hand."""

import io
import json

import pytest
from PIL import Image

from multihot.data import load
from multihot.data.formats import detect
from multihot.errors import ConfigurationError, DataError


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))


def put(folder, *names):
    """One small picture, each of another red, under every name."""
    for red, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (20 * red, 0, 0)).save(folder / name)


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def rows(data, split):
    """id -> (labels, unknown labels, red of the picture)."""
    part = data.split(split)
    unknown = part["unknown"] if "unknown" in part.column_names else [None] * len(part)
    reds = [Image.open(io.BytesIO(picture)).convert("RGB").getpixel((1, 1))[0] for picture in part["image"]]
    return {name: (labels, hidden, red) for name, labels, hidden, red in zip(part["id"], part["labels"], unknown, reds, strict=True)}


# CSV and JSON Lines


def test_a_csv_names_its_pictures(tmp_path):
    put(tmp_path, "a.png", "more/b.png")
    table = write(tmp_path, {"x.csv": "image,split,labels\na.png,train,sea|sand\nmore/b.png,test,\n"}) / "x.csv"
    data = load(table)
    assert data.modality == "image"
    assert rows(data, "train") == {"a.png": (["sea", "sand"], None, 0)}
    assert rows(data, "test") == {"more/b.png": ([], None, 20)}
    assert load(table, **data.options).split("test")["id"][:] == ["more/b.png"]


def test_flag_columns_json_lines_and_a_folder_of_pictures(tmp_path):
    put(tmp_path, "images/a.png", "images/b.png")
    flags = load(write(tmp_path, {"x.csv": "id,file,sea,sand\n1,a.png,1,0\n2,b.png,1,?\n"}) / "x.csv")
    assert rows(flags, "train") == {"1": (["sea"], [], 0), "2": (["sea"], ["sand"], 20)}
    lines = "".join(json.dumps({"shot": name, "tags": ["sea"], "text": "a caption"}) + "\n" for name in ("a.png", "b.png"))
    path = write(tmp_path, {"x.jsonl": lines}) / "x.jsonl"
    assert load(path).modality == "text"
    assert rows(load(path, image="shot"), "train") == {"a.png": (["sea"], None, 0), "b.png": (["sea"], None, 20)}
    with pytest.raises(DataError, match=r"there is no column 'shoot' \(image=\); did you mean 'shot'"):
        load(path, image="shoot")


def test_missing_pictures_are_listed_once_or_left_out_until_they_turn_up(tmp_path):
    put(tmp_path, "p0.png")
    table = write(tmp_path, {"x.csv": "image,labels\n" + "".join(f"p{i}.png,sea\n" for i in range(8))}) / "x.csv"
    with pytest.raises(
        DataError, match=r"line 3: .*7 of 8 pictures are missing .*\(p1.png, .*, p5.png, \.\.\.\); .*missing='skip'"
    ) as error:
        load(table)
    assert "p6" not in str(error.value)
    for there in (["p0.png"], ["p0.png", "p1.png"]):
        put(tmp_path, there[-1])
        data = load(table, missing="skip")
        assert data.split("train")["id"][:] == there
        assert [f"{8 - len(there)} of 8 pictures are missing" in note for note in data.notes] == [True]
    with pytest.raises(ConfigurationError, match="missing must be 'error' or 'skip'"):
        load(table, missing="ignore")


def test_none_there_or_outside_is_an_error_whatever_is_said(tmp_path):
    table = write(tmp_path, {"x.csv": "image,labels\np1.png,sea\n", "y.csv": "image,labels\n../p1.png,sea\n"})
    with pytest.raises(DataError, match="1 of 1 pictures are missing"):
        load(table / "x.csv", missing="skip")
    with pytest.raises(DataError, match=r"y.csv: line 2: the picture '../p1.png' lies outside the folder"):
        load(table / "y.csv")


# PASCAL VOC


def annotation(name, *things):
    objects = "".join(
        f"<object><name>{label}</name><difficult>{difficult}</difficult><part><name>head</name></part></object>"
        for label, difficult in things
    )
    return f"<annotation><filename>{name}.jpg</filename>{objects}</annotation>"


def voc(folder, lists=None):
    put(folder, *(f"JPEGImages/{name}.jpg" for name in ("000001", "000002", "000003")))
    annotations = {
        "000001": annotation("000001", ("dog", 0), ("person", 1), ("dog", 1)),
        "000002": annotation("000002", ("car", 1), ("car", 0)),
        "000003": annotation("000003"),
    }
    lists = {"trainval": "000001\n000002\n", "test": "000003\n"} if lists is None else lists
    files = {f"Annotations/{name}.xml": content for name, content in annotations.items()}
    return write(folder, files | {f"ImageSets/Main/{name}.txt": content for name, content in lists.items()})


def test_voc_difficult_objects_alone_make_a_label_unknown(tmp_path):
    folder = voc(tmp_path / "VOC2007")
    assert detect(folder) == "voc-xml"
    data = load(folder)
    train = rows(data, "train")
    assert {name: row[:2] for name, row in train.items()} == {"000001": (["dog"], ["person"]), "000002": (["car"], [])}
    assert rows(data, "test")["000003"][0] == []
    assert len(data.label_space()) == 20
    space = data.label_space()
    _, unknown = data.targets("train", space)
    assert unknown.toarray().nonzero()[1].tolist() == [space.index["person"]]


def test_voc_splits_follow_the_lists(tmp_path):
    halves = voc(tmp_path / "a", {"train": "000001 1\n", "val": "000002 -1\n", "trainval": "000001\n000002\n"})
    assert {name: len(part) for name, part in load(halves).splits.items()} == {"train": 1, "validation": 1}
    assert {name: len(part) for name, part in load(voc(tmp_path / "b", {})).splits.items()} == {"train": 3}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("ImageSets/Main/test.txt", "000009\n", r"test.txt: line 1: '000009' has no annotations"),
        ("ImageSets/Main/test.txt", "../x\n", r"line 1: '../x' is no name of a picture"),
        ("Annotations/000001.xml", "<annotation><object>", r"000001.xml: broken XML \(no element found: line 1, column 20\)"),
        ("Annotations/000001.xml", "<annotation><object/></annotation>", r"000001.xml: object 1 has no name"),
    ],
)
def test_voc_errors_are_named(tmp_path, file, content, message):
    with pytest.raises(DataError, match=message):
        load(write(voc(tmp_path / "VOC2007"), {file: content}))


# MS-COCO


def instances(images, annotations, categories=((1, "person"), (18, "dog"), (3, "traffic light"))):
    return json.dumps(
        {
            "info": {"year": 2014},
            "images": [{"id": number, "file_name": f"{number:012}.jpg", "height": 4, "width": 4} for number in images],
            "annotations": [
                {"id": i, "image_id": image, "category_id": label, "iscrowd": i % 2, "segmentation": [[1.5, 2]], "bbox": [0, 0, 1, 1]}
                for i, (image, label) in enumerate(annotations)
            ],
            "categories": [{"id": number, "name": name, "supercategory": "x"} for number, name in categories],
        }
    )


def coco(folder):
    put(folder, *(f"train2014/{i:012}.jpg" for i in (7, 8)), "images/val2014/000000000009.jpg")
    train, val = instances((7, 8), ((7, 18), (7, 1), (7, 18))), instances((9,), ((9, 3),))
    return write(folder, {"annotations/instances_train2014.json": train, "annotations/instances_val2014.json": val})


def test_coco_labels_are_the_categories_in_the_order_of_their_numbers(tmp_path):
    folder = coco(tmp_path / "coco")
    assert detect(folder) == detect(folder / "annotations" / "instances_val2014.json") == "coco-json"
    data = load(folder)
    assert data.label_space().names == ("person", "traffic light", "dog")
    assert {name: row[0] for name, row in rows(data, "train").items()} == {"7": ["dog", "person"], "8": []}
    assert rows(data, "test")["9"][0] == ["traffic light"]
    files = {
        split: folder / "annotations" / f"instances_{name}.json" for split, name in (("train", "train2014"), ("validation", "val2014"))
    }
    assert list(load(files).splits) == ["train", "validation"]


def test_coco_pictures_without_annotations_are_to_be_predicted(tmp_path):
    put(tmp_path, "a.jpg")
    content = {"images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 1, "name": "x"}]}
    data = load(write(tmp_path, {"image_info.json": json.dumps(content)}) / "image_info.json")
    assert data.split("train")["labels"][:] == [None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (instances((7,), ((6, 1),)), "annotations, entry 1: there is no image 6"),
        (instances((7,), ((7, 2),)), "annotations, entry 1: there is no category 2"),
        (instances((7,), (), ((5, "a"), (6, "a"))), "two categories have the same name"),
        ('{"images": [{"id": 1}], "categories": []}', "images, entry 1: 'file_name' is 'None'"),
        ('{"images": 3, "categories": []}', "'images' is no list"),
        ('{"images": [', r"instances_train2014.json: broken JSON \("),
    ],
)
def test_coco_errors_are_named(tmp_path, content, message):
    folder = coco(tmp_path / "coco")
    (folder / "annotations" / "instances_train2014.json").write_text(content)
    with pytest.raises(DataError, match=message):
        load(folder)


def test_json_lines_in_a_json_file_stay_json_lines(tmp_path):
    path = write(tmp_path, {"x.json": '{"categories": ["a"], "text": "x"}\n{"categories": ["b"], "text": "y"}\n'}) / "x.json"
    assert detect(path) == "jsonl"


# NUS-WIDE


def nus_wide(folder):
    put(folder, *(f"Flickr/{name}.jpg" for name in ("actor/1", "actor/2", "zoo/3")))
    return write(
        folder,
        {
            "ImageList/TrainImagelist.txt": "actor\\1.jpg\nzoo\\3.jpg\n",
            "ImageList/TestImagelist.txt": "actor\\2.jpg\n",
            "Concepts81.txt": "water\nanimal\n",
            "TrainTestLabels/Labels_water_Train.txt": "1\n1\n",
            "TrainTestLabels/Labels_animal_Train.txt": "0\n1\n",
            "TrainTestLabels/Labels_water_Test.txt": "0\n",
            "TrainTestLabels/Labels_animal_Test.txt": "1\n",
        },
    )


def test_nus_wide_lines_belong_together(tmp_path):
    folder = nus_wide(tmp_path / "nus")
    assert detect(folder) == "nus-wide"
    data = load(folder)
    assert data.label_space().names == ("water", "animal")
    assert rows(data, "train") == {"actor/1.jpg": (["water"], None, 0), "zoo/3.jpg": (["water", "animal"], None, pytest.approx(40, abs=3))}
    assert rows(data, "test")["actor/2.jpg"][0] == ["animal"]
    (folder / "Concepts81.txt").unlink()
    assert load(folder).label_space().names == ("animal", "water")
    (folder / "Flickr" / "actor" / "1.jpg").unlink()
    assert load(folder, missing="skip").split("train")["id"][:] == ["zoo/3.jpg"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("TrainTestLabels/Labels_water_Train.txt", "1\n", r"has 1 lines, but TrainImagelist.txt 2 pictures"),
        ("TrainTestLabels/Labels_water_Test.txt", "x\n", r"Labels_water_Test.txt: line 1: 'x'; allowed are 0 and 1"),
        ("Concepts81.txt", "water\nwater\n", r"Concepts81.txt: names a concept twice"),
        ("Concepts81.txt", "water\nfire\n", r"Labels_fire_Train.txt: there is no such file"),
    ],
)
def test_nus_wide_errors_are_named(tmp_path, file, content, message):
    with pytest.raises(DataError, match=message):
        load(write(nus_wide(tmp_path / "nus"), {file: content}))
