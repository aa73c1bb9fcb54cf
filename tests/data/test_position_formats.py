"""Pictures whose names or tables tell ages and head poses, and difficult objects as degrees."""

import numpy as np
import pytest
from PIL import Image

from multihot.data import load
from multihot.data.formats import detect
from multihot.errors import ConfigurationError, DataError


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))


def put(folder, *names):
    for red, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (20 * red, 0, 0)).save(folder / name, "JPEG")
    return folder


def labels(data, split="train"):
    rows = data.split(split)
    return {name: chosen[0] for name, chosen in zip(rows["id"], rows["labels"], strict=True)}


def test_ages_of_morph_are_told_by_the_names(tmp_path):
    folder = put(tmp_path / "album", "009055_1M54.JPG", "009055_2M55.jpg", "more/12_00F16.JPG")
    assert detect(folder) == "morph"
    data = load(folder)
    assert labels(data) == {"009055/009055_1M54": "54", "009055/009055_2M55": "55", "12/12_00F16": "16"}
    assert data.label_space().positions[:, 0].tolist() == list(range(101))
    assert data.modality == "image"


def test_ages_of_fg_net_keep_the_person_and_folders_are_splits(tmp_path):
    folder = put(tmp_path / "faces", "train/001A05.JPG", "train/001A43b.JPG", "test/082A00.JPG")
    assert detect(folder) == "fg-net"
    data = load(folder)
    assert labels(data) == {"001/001A05": "5", "001/001A43b": "43"}
    assert labels(data, "test") == {"082/082A00": "0"}
    assert len(data.label_space()) == 70


def test_poses_of_pointing04_are_pitch_and_yaw(tmp_path):
    folder = put(tmp_path / "heads", "Personne01/personne01146-30+60.jpg", "Personne15/personne15200+90+0.jpg", "x/person02101+15-75.jpg")
    assert detect(folder) == "pointing04"
    data = load(folder)
    assert sorted(labels(data).values()) == ["-30,60", "15,-75", "90,0"]
    positions = data.label_space().positions
    assert positions.shape == (93, 2)
    assert {yaw for pitch, yaw in positions if abs(pitch) == 90} == {0}
    assert len({tuple(position) for position in positions if abs(position[0]) < 90}) == 7 * 13


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("morph", "holiday.jpg", r"holiday\.jpg: the name tells no label; allowed are names such as 009055_1M54\.JPG"),
        ("fg-net", "001A70.jpg", r"001A70\.jpg: the label 70 is not one of the 70"),
        ("pointing04", "personne01146-90+60.jpg", "the label -90,60 is not one of the 93"),
        ("pointing04", "personne01146-31+60.jpg", "the label -31,60 is not one of the 93"),
    ],
)
def test_names_that_tell_no_label_are_refused(tmp_path, kind, name, said):
    with pytest.raises(DataError, match=said):
        load(put(tmp_path / "x", name), format=kind)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no picture"):
        load(tmp_path / "empty", format=kind)


def test_angles_are_put_on_the_nearest_point_of_the_grid(tmp_path):
    put(tmp_path, "a.jpg", "images/b.jpg")
    table = tmp_path / "poses.csv"
    table.write_text("file,yaw,pitch,split\na.jpg,-31.4,4.6,train\nb.jpg,91,-0.5,test\n")
    assert detect(table) == "aflw"
    data = load(table)
    axis = np.arange(-90, 91, 3)
    assert len(data.label_space()) == len(axis) ** 2
    pitch, yaw = (int(axis[np.abs(axis - angle).argmin()]) for angle in (4.6, -31.4))
    assert labels(data) == {"a.jpg": f"{pitch},{yaw}"}
    assert labels(data, "test") == {"b.jpg": "0,90"}
    values, spreads = data.positions("train", data.label_space())
    np.testing.assert_array_equal(values, [[4.6, -31.4]])
    assert spreads is None
    coarse = load(table, labels="-60:60:5;-90:90:30")
    assert (len(coarse.label_space()), labels(coarse)) == (25 * 7, {"a.jpg": "5,-30"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("file,yaw,pitch\na.jpg,95,0\n", "line 2: the yaw is 95, off the axis from -90 to 90"),
        ("file,yaw,pitch\na.jpg,0,-92\n", "line 2: the pitch is -92, off the axis"),
        ("file,yaw,pitch\na.jpg,left,0\n", "line 2: the yaw is 'left'; allowed are finite numbers"),
        ("file,yaw,roll\na.jpg,1,0\n", "line 1: there is no column 'pitch'; it needs file, yaw and pitch"),
        ("yaw,pitch\n1,0\n", "there is no column 'file'"),
        ("file,yaw,pitch,split\na.jpg,0,0,half\n", "line 2: the split is 'half'"),
        ("file,yaw,pitch\nb.jpg,0,0\n", "1 of 1 pictures are missing"),
    ],
)
def test_bad_poses_are_refused(tmp_path, content, said):
    put(tmp_path, "a.jpg")
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=said):
        load(tmp_path / "x.csv", format="aflw")


def test_a_table_of_pictures_with_mean_and_spread(tmp_path):
    put(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "ages.csv").write_text("file_name,num_ratings,apparent_age_avg,apparent_age_std\na.jpg,35,20.2,4\nb.jpg,31,60,2.5\n")
    data = load(tmp_path / "ages.csv", distribution="mean_spread", labels="0:100")
    values, spreads = data.positions("train", data.label_space())
    assert (data.modality, data.degrees) == ("image", "distribution")
    np.testing.assert_array_equal(values, [[20.2], [60]])
    np.testing.assert_array_equal(spreads, [4, 2.5])


def voc(folder):
    objects = {"1": [("car", 0), ("bus", 1)], "2": [("car", 1), ("car", 0)], "3": [("train", 1)]}
    for name, things in objects.items():
        put(folder, f"JPEGImages/{name}.jpg")
        body = "".join(f"<object><name>{label}</name><difficult>{hard}</difficult></object>" for label, hard in things)
        (folder / "Annotations").mkdir(exist_ok=True)
        (folder / "Annotations" / f"{name}.xml").write_text(f"<annotation>{body}</annotation>")
    return folder


def test_difficult_objects_count_half_where_they_count(tmp_path):
    folder = voc(tmp_path / "voc")
    unknown, degree = load(folder), load(folder, difficult="degree")
    space = degree.label_space()
    expected = np.zeros((3, 20))
    for row, label, value in ((0, "car", 1), (0, "bus", 0.5), (1, "car", 1), (2, "train", 0.5)):
        expected[row, space.index[label]] = value
    targets, hidden = degree.targets("train", space)
    np.testing.assert_array_equal(targets.toarray(), expected)
    assert hidden is None
    assert degree.degrees == "membership"
    targets, hidden = unknown.targets("train", space)
    np.testing.assert_array_equal(targets.toarray(), expected == 1)
    np.testing.assert_array_equal(hidden.toarray(), expected == 0.5)
    with pytest.raises(ConfigurationError, match="difficult must be 'unknown' or 'degree', got 'half'"):
        load(folder, difficult="half")


def test_difficult_objects_of_the_vehicles_of_voc_count_half(shared_data):
    data = load("voc2007-vehicles", from_path=shared_data, difficult="degree")
    table = np.genfromtxt(shared_data / "voc2007_vehicle_cat" / "labels.csv", delimiter=",", dtype=str)
    cells = table[1:, 3:][table[1:, 1] == "test"].astype(int)
    targets, unknown = data.targets("test", data.label_space())
    np.testing.assert_array_equal(targets.toarray(), (cells + 1) / 2)
    assert unknown is None
