"""Files as other people's tools write them: read rightly, refused in one line, or read with a line that says what was assumed."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from multihot.data import load
from multihot.data.formats.label_cells import find_delimiter, parse_cell, remarks
from multihot.errors import ConfigurationError, DataError
from multihot.experiments import Config

NAMES = ["Short Film", "Drama", "Music", "Reality TV"]
SETS = [["Short Film", "Drama"], ["Drama"], ["Music", "Reality TV"], ["Short Film", "Music"]]


def table(path, cells, column="genre"):
    pd.DataFrame({"plot": [f"a film number {i}" for i in range(len(cells))], column: cells}).to_csv(path, index=False)
    return path


def label_sets(data):
    return [sorted(labels) if labels is not None else None for labels in data.splits["train"]["labels"]]


def said(data, words):
    """Whether exactly one note holds the words."""
    return sum(words in note for note in data.notes) == 1


WRITTEN = {
    "a list": lambda names: repr(list(names)),
    "a tuple": lambda names: repr(tuple(names)),
    "a set": lambda names: repr(set(names)) if names else "set()",
    "a frozen set": lambda names: repr(frozenset(names)),
    "JSON": lambda names: json.dumps(list(names)),
    "a NumPy array": lambda names: str(np.array(names, dtype=object)),
    "its repr": lambda names: repr(np.array(names, dtype=object)),
    "a pandas index": lambda names: repr(pd.Index(names, dtype=object)),
    "PostgreSQL": lambda names: "{" + ",".join(f'"{name}"' for name in names) + "}",
}


@pytest.mark.parametrize("way", WRITTEN)
def test_a_container_of_names_in_a_cell_is_read_as_its_names(tmp_path, way):
    data = load(table(tmp_path / "films.csv", [WRITTEN[way](names) for names in SETS]), text="plot", labels="genre")
    assert label_sets(data) == [sorted(names) for names in SETS]


@pytest.mark.parametrize("way", WRITTEN)
@given(names=st.lists(st.text("abc xyzÄ7-", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=4, unique=True))
def test_any_names_come_back_from_a_container(way, names):
    assert sorted(parse_cell(WRITTEN[way](names), None, "x")["labels"]) == sorted(names)


def test_vectors_of_zeros_and_ones_are_refused_with_the_way_out(tmp_path):
    for cells in (["[1, 0, 1]", "[0, 1, 0]"] * 3, ["[1 0 1]", "[0 1 0]"] * 3):
        with pytest.raises(DataError, match=r"labels=|JSON"):
            load(table(tmp_path / "hot.csv", cells), text="plot", labels="genre")
    lines = [{"plot": "a film", "genre": [1, 0, 1]}, {"plot": "a song", "genre": [0, 1, 0]}]
    (tmp_path / "hot.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(DataError, match="vectors of 3 zeros and ones"):
        load(tmp_path / "hot.jsonl", text="plot", labels="genre")


def test_the_separator_is_the_one_that_explains_the_cells():
    cells = ["Drama, Music", "Comedy, Reality TV", "Music, Comedy", "Drama, Reality TV"] * 100 + ["Music; Comedy"]
    notes: list[str] = []
    assert find_delimiter(cells, notes) == ","
    assert ["hold ';' too, such as 'Music; Comedy'" in note for note in notes] == [True]


def test_of_separators_that_leave_as_many_names_the_commoner_wins(tmp_path):
    data = load(
        table(tmp_path / "one.csv", ["Drama, Music", "Comedy, Reality TV", "Drama; Music", "Music, Comedy"] * 5),
        text="plot",
        labels="genre",
    )
    assert data.split("train")["labels"][:2] == [["Drama", "Music"], ["Comedy", "Reality TV"]]


def test_marks_of_nothing_are_not_annotated_and_said(tmp_path):
    marks = ["nan", "None", "N/A", "null", "<NA>"]
    path = tmp_path / "films.csv"
    path.write_text("plot,genre\n" + "".join(f"a film,{mark}\n" for mark in marks) + "a film,Drama;Music\n")
    data = load(path, text="plot", labels="genre")
    assert label_sets(data) == [None] * 5 + [["Drama", "Music"]]
    assert said(data, "5 of 6 cells say")


def test_numbers_that_are_named_as_labels_are_labels(tmp_path):
    path = table(tmp_path / "codes.csv", ["250.00", "401.9", "038.9", "428.0"] * 3)
    data = load(path, text="plot", labels="genre")
    assert {label for labels in label_sets(data) for label in labels} == {"250.00", "401.9", "038.9", "428.0"}
    assert said(data, "each is read as the name of a label")


def test_a_line_break_separates_lines_and_nothing_else(tmp_path):
    data = load(table(tmp_path / "films.csv", ["Short Film\nDrama", "Reality TV"] * 2), text="plot", labels="genre", delimiter="\n")
    assert label_sets(data)[:2] == [["Drama", "Short Film"], ["Reality TV"]]


def test_columns_of_one_name_each_are_united(tmp_path):
    (tmp_path / "c.csv").write_text("text,t1,t2,t3\nleaks oil,mechanics,fluids,\nflickers,display,NONE,\nloud,mechanics,noise,fluids\n")
    data = load(tmp_path / "c.csv", text="text", labels="t1,t2,t3")
    assert label_sets(data) == [["fluids", "mechanics"], ["display"], ["fluids", "mechanics", "noise"]]


@pytest.mark.parametrize(("settings", "sets", "unknown"), [
    ({"uncertain": "unknown"}, [["fracture"], ["oedema"], []], [["oedema"], ["nodule"], ["fracture"]]),
    ({"uncertain": "1", "blank": "0"}, [["fracture", "oedema"], ["oedema"], []], [[], [], []]),
    ({"uncertain": "0", "blank": "0"}, [["fracture"], ["oedema"], []], [[], [], []]),
])  # fmt: skip
def test_uncertain_and_blank_mean_what_is_said(tmp_path, settings, sets, unknown):
    (tmp_path / "r.csv").write_text("report,oedema,fracture,nodule\nbroken rib,-1.0,1.0,0\nswelling,1.0,0.0,\nclear,0.0,,0.0\n")
    with pytest.raises(DataError, match="say uncertain="):
        load(tmp_path / "r.csv", text="report", labels="oedema,fracture,nodule").splits["train"]
    data = load(tmp_path / "r.csv", text="report", labels="oedema,fracture,nodule", **settings)
    assert label_sets(data) == sets
    assert [sorted(row or []) for row in data.splits["train"]["unknown"]] == unknown


def test_an_index_column_is_no_feature(tmp_path):
    frame = pd.DataFrame({"a": np.random.default_rng(0).normal(size=30), "b": 1.5, "early": [1, 0] * 15, "late": [0, 1] * 15})
    frame.to_csv(tmp_path / "t.csv")
    data = load(tmp_path / "t.csv", labels="early,late")
    assert data.feature_names == ["a", "b"]
    assert said(data, "numbers the rows and is left out")


def test_pictures_named_without_their_suffix_are_found(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(1, 5):
        Image.new("RGB", (8, 8), (number * 40, 0, 0)).save(tmp_path / "images" / f"{number}.PNG")
    (tmp_path / "p.csv").write_text("image,labels\n" + "".join(f"{n},bolt nut\n" for n in range(1, 5)))
    data = load(tmp_path / "p.csv", labels="labels", delimiter=" ")
    assert data.modality == "image"
    assert len(data.splits["train"]) == 4
    (tmp_path / "q.csv").write_text("image,size,labels\n" + "".join(f"{n}9,{n},bolt\n" for n in range(1, 5)))
    assert load(tmp_path / "q.csv", labels="labels").feature_names == ["size"]


def test_an_xmc_file_holds_as_many_rows_as_its_header_promises(tmp_path):
    (tmp_path / "x.txt").write_text("4 6 3\n0,1 0:1 2:1\n\n2 3:1\n1 5:1\n")
    assert label_sets(load(tmp_path / "x.txt", format="libsvm")) == [["0", "1"], [], ["2"], ["1"]]
    (tmp_path / "cut.txt").write_text("400 6 3\n0,1 0:1 2:1\n1 1:1\n")
    with pytest.raises(DataError, match="promises 400 rows, but it holds 2"):
        load(tmp_path / "cut.txt", format="libsvm")


def test_arff_takes_words_for_true(tmp_path):
    head = "@relation 'tiny: -C 2'\n@attribute wet {FALSE,TRUE}\n@attribute loud {no,yes}\n@attribute size numeric\n@data\n"
    (tmp_path / "t.arff").write_text(head + "TRUE,no,0.8\nFALSE,yes,0.1\n")
    assert label_sets(load(tmp_path / "t.arff")) == [["wet"], ["loud"]]


def coco(path, root="workshop", ids=(1, 2)):
    path.mkdir(parents=True)
    for number in ids:
        Image.new("RGB", (8, 8)).save(path / f"p{number}.jpg")
    groups = [
        {"id": 0, "name": root, "supercategory": "none"},
        *({"id": i, "name": n, "supercategory": root} for i, n in ((1, "bolts"), (2, "nuts"))),
    ]
    found = [{"id": i, "image_id": n, "category_id": 1 + i % 2, "bbox": [1, 1, 4, 4]} for i, n in enumerate(ids)]
    content = {"categories": groups, "images": [{"id": n, "file_name": f"p{n}.jpg"} for n in ids], "annotations": found}
    (path / "_annotations.coco.json").write_text(json.dumps(content))


@pytest.mark.parametrize("root", ["workshop", "bolts"])
def test_a_category_that_only_groups_others_is_no_label(tmp_path, root):
    for split in ("train", "valid", "test"):
        coco(tmp_path / split, root, ids=("img-1", "img-2"))
    data = load(tmp_path)
    assert list(data.label_space().names) == ["bolts", "nuts"]
    assert set(data.splits) == {"train", "validation", "test"}
    assert said(data, f"own no object are no labels: {root} (category 0)")


def test_a_category_that_nobody_annotated_is_said(tmp_path):
    coco(tmp_path / "train")
    path = tmp_path / "train" / "_annotations.coco.json"
    content = json.loads(path.read_text())
    content["categories"].append({"id": 9, "name": "screws"})
    path.write_text(json.dumps(content))
    assert said(load(tmp_path), "1 of 3 labels are never annotated (screws), so macro metrics count 0 for each")


def test_pictures_are_found_under_names_in_another_case(tmp_path):
    (tmp_path / "images" / "a").mkdir(parents=True)
    for number, name in enumerate(("one.JPG", "Two.png", "a/three.Png")):
        Image.new("RGB", (8, 8), (number * 40, 0, 0)).save(tmp_path / "images" / name)
    (tmp_path / "p.csv").write_text("image,labels\nOne.jpg,bolt\nTwo.png,nut\na/THREE.png,nut\n")
    for _ in range(2):  # read, then out of the cache
        data = load(tmp_path / "p.csv")
        assert data.splits["train"]["image"][:] == [(tmp_path / "images" / n).read_bytes() for n in ("one.JPG", "Two.png", "a/three.Png")]
        assert said(data, "2 pictures are found under a name in another case, such as one.JPG for One.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "images" / "ONE.JPG")
    with pytest.raises(DataError, match=r"1 of 3 pictures are missing .*One.jpg"):  # which of the two, nobody knows
        load(tmp_path / "p.csv", cache_dir=tmp_path / "new")


@pytest.mark.parametrize(("cells", "said"), [
    (["'a'", "'b'"], "begin or end with a quote"),
    (["p;u;m;p", "o;i;l", "s;c;r;e"], "single letter"),
])  # fmt: skip
def test_odd_columns_are_remarked_on(cells, said):
    assert any(said in remark for remark in remarks(cells, "tags", ";"))
    assert not remarks(["grain;wheat", "corn", "grain"] * 20, "tags", ";")


def test_settings_of_uncertain_and_blank_may_be_numbers():
    assert Config.from_dict({"data": {"blank": 0, "uncertain": 1}}).data.blank == "0"
    with pytest.raises(ConfigurationError, match=r"data.blank must be one of unknown, 0"):
        Config.from_dict({"data": {"blank": 2}})


def test_a_bracket_at_the_front_makes_no_container():
    assert find_delimiter(["(other);pump", "(other);oil"], []) == ";"
    assert parse_cell("(other);pump", ";", "x")["labels"] == ["(other)", "pump"]


def test_empty_lines_are_said_once(tmp_path):
    (tmp_path / "x.txt").write_text("0,1 0:1 2:1\n\n\n2 3:1\n")
    data = load(tmp_path / "x.txt", format="libsvm")
    assert label_sets(data) == [["0", "1"], ["2"]]
    assert said(data, "2 empty lines are left out, the first is line 2")


def test_what_was_assumed_is_said_again_when_the_cache_has_the_rows(tmp_path):
    for name in ("train", "test"):
        table(tmp_path / f"{name}.csv", ["nan", "Drama;Music", "Drama"])
    first, again = (load(tmp_path, text="plot", cache_dir=tmp_path / "cache").notes for _ in range(2))
    assert (
        first
        == again
        == tuple(f"{split}: column 'genre': 1 of 3 cells say nan, which is read as not annotated" for split in ("train", "test"))
    )


def test_notes_cannot_steer_a_terminal(tmp_path):
    data = load(table(tmp_path / "t.csv", ["'a\x1b[2J'", "b"]), text="plot", labels="genre")
    (note,) = data.notes
    assert "'a\\x1b[2J'" in note
    assert note.isprintable()


def test_empty_lines_between_rows_are_said_and_those_at_the_end_are_not(tmp_path):
    lines = ["text,tags", "a,x;y", "b,y", "", "c,x", "", ""]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    (tmp_path / "t.jsonl").write_text('{"text": "a", "tags": ["x"]}\n{"text": "b", "tags": ["y"]}\n\n{"text": "c", "tags": []}\n\n')
    for name, line in (("t.csv", 4), ("t.jsonl", 3)):
        data = load(tmp_path / name)
        assert data.splits["train"]["text"][:] == ["a", "b", "c"]
        assert data.notes == (f"line {line} is empty and left out; rows without an id are numbered without it",)
