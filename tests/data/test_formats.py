"""Every reader against files written by somebody else's code, or by hand."""

import csv
import gzip
import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from scipy.io import arff as scipy_arff
from sklearn.datasets import dump_svmlight_file, load_svmlight_file

from multihot.data import load
from multihot.data.formats import FORMATS, detect
from multihot.errors import ConfigurationError, DataError

TEXTS = ["wheat, corn\nrise", 'he said "no"', "", "größer"]
SETS = [["grain", "wheat"], [], ["corn"], ["grain"]]


def rows_of(data, split="train"):
    return data.split(split)[:]


def write_csv(path, header, rows, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_jsonl_keeps_texts_and_label_sets(tmp_path, packed):
    lines = [json.dumps({"text": t, "labels": s, "n": i}) for i, (t, s) in enumerate(zip(TEXTS, SETS, strict=True))]
    content = ("\n".join(lines) + "\n\n").encode()
    path = tmp_path / ("x.jsonl.gz" if packed else "x.jsonl")
    path.write_bytes(gzip.compress(content) if packed else content)
    rows = rows_of(load(path))
    assert rows["text"] == TEXTS
    assert rows["labels"] == SETS
    assert rows["id"] == ["0", "1", "2", "3"]


def test_jsonl_null_labels_are_unlabelled_and_a_mapping_gives_degrees(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(
        '{"text": "a", "labels": {"sea": 0.25, "sand": 1, "ship": 0}}\n{"text": "b", "labels": null}\n{"text": "c", "labels": ["sea"]}\n'
    )
    data = load(path)
    assert rows_of(data)["labels"] == [["sea", "sand"], None, ["sea"]]
    targets, unknown = data.targets("train", data.label_space())
    np.testing.assert_array_equal(targets.toarray(), [[1, 0.25], [0, 0], [0, 1]])
    np.testing.assert_array_equal(unknown.toarray(), [[False, False], [True, True], [False, False]])
    assert data.statistics(data.label_space()).num_examples == 2


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_csv_separators_quotes_and_line_breaks(tmp_path, separator):
    mark = ";" if separator == "|" else "|"
    path = write_csv(tmp_path / "x.csv", ["text", "labels"], [[t, mark.join(s)] for t, s in zip(TEXTS, SETS, strict=True)], separator)
    rows = rows_of(load(path))
    assert rows["text"] == TEXTS
    assert rows["labels"] == SETS


@pytest.mark.parametrize(
    "cells",
    [
        ["grain,wheat", "", "corn", "grain"],
        ["grain; wheat", "", "corn", "grain"],
        ["grain wheat", "", "corn", "grain"],
        ['["grain", "wheat"]', "[]", '["corn"]', '["grain"]'],
        ["['grain', 'wheat']", "[]", "['corn']", "['grain']"],
    ],
)
def test_label_cells_in_all_their_spellings(tmp_path, cells):
    path = write_csv(tmp_path / "x.csv", ["body", "tags"], zip(TEXTS, cells, strict=True))
    assert rows_of(load(path, text="body", labels="tags"))["labels"] == SETS


def test_single_labels_with_blanks_stay_whole_and_a_stated_delimiter_wins(tmp_path):
    path = write_csv(tmp_path / "x.csv", ["text", "label"], [["a", "New York"], ["b", "Los Angeles"]])
    assert rows_of(load(path))["labels"] == [["New York"], ["Los Angeles"]]
    assert rows_of(load(path, delimiter=" "))["labels"] == [["New", "York"], ["Los", "Angeles"]]


def test_zero_one_columns_named_listed_as_range_or_found(tmp_path):
    path = write_csv(tmp_path / "x.csv", ["text", "sea", "sand", "ship"], [["a", 1, 0, "?"], ["b", 0, 0, 1]])
    for labels in (["sea", "sand", "ship"], "sea,sand,ship", "sea:ship", None):
        data = load(path, labels=labels)
        assert rows_of(data)["labels"] == [["sea"], ["ship"]]
        assert data.label_space().names == ("sea", "sand", "ship")
        assert data.targets("train", data.label_space())[1].toarray().tolist() == [[False, False, True], [False, False, False]]


def test_title_and_body_are_joined_and_a_split_column_is_followed(tmp_path):
    path = write_csv(
        tmp_path / "x.csv", ["id", "split", "title", "body", "topics"], [["a", "train", "T", "B", "x|y"], ["b", "dev", "", "B2", "y"]]
    )
    data = load(path)
    assert rows_of(data)["text"] == ["T\nB"]
    assert rows_of(data, "validation") == {"id": ["b"], "labels": [["y"]], "text": ["B2"]}
    assert data.options["text"] == "title+body"
    assert rows_of(load(path, text="title"))["text"] == ["T"]


def test_what_is_found_out_about_one_file_reads_the_next(tmp_path):
    train = write_csv(tmp_path / "train.csv", ["body", "tags"], [["a", "x y|z"], ["b", "z"]])
    test = write_csv(tmp_path / "test.csv", ["body", "tags"], [["c", "x y"], ["d", "z"], ["e", "x"]])
    new = write_csv(tmp_path / "new.csv", ["body"], [["f"]])
    data = load({"train": train, "test": test})
    assert rows_of(data, "test")["labels"] == [["x y"], ["z"], ["x"]]
    assert rows_of(load(new, **data.options, require_labels=False))["labels"] == [None]
    assert load(tmp_path).splits.keys() == {"train", "test"}


def test_table_columns_given_and_remaining(tmp_path):
    path = write_csv(tmp_path / "x.csv", ["a", "b", "labels"], [["1", "2.5", "u"], ["", "-1e3", "u v"]])
    data = load(path, labels="labels", delimiter=" ")
    assert (data.modality, data.num_features, data.feature_names) == ("table", 2, ["a", "b"])
    np.testing.assert_array_equal(rows_of(data)["features"], [[1, 2.5], [np.nan, -1000]])
    assert rows_of(load(path, labels="labels", features="b"))["features"] == [[2.5], [-1000]]


def test_parquet_lists_and_strings(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": TEXTS, "labels": SETS, "tags": ["|".join(s) for s in SETS]}), path)
    assert rows_of(load(path))["labels"] == SETS
    assert rows_of(load(path, labels="tags"))["labels"] == SETS


@pytest.mark.parametrize("base", [0, 1])
def test_libsvm_against_scikit_learn(tmp_path, base):
    generator = np.random.default_rng(0)
    inputs = sparse.random(30, 12, density=0.4, random_state=1, format="csr")
    targets = sparse.csr_matrix(generator.random((30, 5)) < 0.3, dtype=int)
    path = tmp_path / "x.svm"
    dump_svmlight_file(inputs, targets, str(path), zero_based=base == 0, multilabel=True)
    expected, sets = load_svmlight_file(str(path), multilabel=True, n_features=12, zero_based=base == 0)
    data = load(path, index_base=base)
    rows = rows_of(data)
    ends = np.cumsum([0] + [len(row) for row in rows["indices"]])
    found = sparse.csr_matrix((np.concatenate(rows["values"]), np.concatenate(rows["indices"]), ends), shape=(30, data.num_features))
    np.testing.assert_allclose(found.toarray(), expected.toarray()[:, : data.num_features], rtol=1e-6)
    assert [sorted(int(label) for label in labels) for labels in rows["labels"]] == [sorted(int(s) for s in row) for row in sets]


def test_extreme_classification_header(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("3 6 4\n0,2 0:0.5 5:1\n 1:2\n3 4:1e-2\n")
    data = load(path)
    assert detect(path) == "libsvm"
    assert (data.num_features, data.label_space().names) == (6, ("0", "1", "2", "3"))
    assert rows_of(data)["labels"] == [["0", "2"], [], ["3"]]
    assert rows_of(data)["indices"] == [[0, 5], [1], [4]]


MEKA = """% a comment
@RELATION 'Toy: -C 2'
@ATTRIBUTE sun {0,1}
@attribute 'Steller\\'s Jay' {0,1}
@attribute 'x 1' real
@attribute kind {low, 'rather high'}
@DATA
1,0,2.5,low
% between
0,1,?,'rather high'
"""


def test_meka_dense(tmp_path):
    path = tmp_path / "x.arff"
    path.write_text(MEKA)
    data = load(path)
    assert data.label_space().names == ("sun", "Steller's Jay")
    assert data.feature_names == ["x 1", "kind"]
    assert rows_of(data)["labels"] == [["sun"], ["Steller's Jay"]]
    np.testing.assert_array_equal(rows_of(data)["features"], [[2.5, 0], [np.nan, 1]])


def test_meka_labels_last_and_sparse_rows_with_left_out_values(tmp_path):
    header = "@relation 'Toy -C -2'\n@attribute a numeric\n@attribute b {no,yes}\n@attribute u {0,1}\n@attribute v {1,0}\n@data\n"
    (tmp_path / "x.arff").write_text(header + "{0 1.5,2 1}\n{1 yes, 3 0}\n{}\n")
    data = load(tmp_path / "x.arff")
    assert rows_of(data)["indices"] == [[0], [1], []]
    assert rows_of(data)["values"] == [[1.5], [1], []]
    assert rows_of(data)["labels"] == [["u", "v"], [], ["v"]]  # v is left out twice: its first value is 1


def test_mulan_xml_beside_the_file_and_in_a_zip(tmp_path):
    body = "@relation toy\n@attribute a numeric\n@attribute u {0,1}\n@attribute v {0,1}\n@data\n"
    xml = '<labels xmlns="http://mulan.sourceforge.net/labels"><label name="v"><label name="u"/></label></labels>'
    (tmp_path / "toy-train.arff").write_text(body + "1,0,1\n2,1,1\n")
    (tmp_path / "toy.xml").write_text(xml)
    with zipfile.ZipFile(tmp_path / "toy.zip", "w") as archive:
        archive.writestr("toy-train.arff", body + "1,0,1\n2,1,1\n")
        archive.writestr("toy-test.arff", body + "3,0,0\n")
        archive.writestr("toy.xml", xml)
    beside, zipped = load(tmp_path / "toy-train.arff"), load(tmp_path / "toy.zip")
    assert beside.label_space().names == zipped.label_space().names == ("v", "u")
    assert rows_of(beside) == rows_of(zipped)
    assert rows_of(zipped, "test")["labels"] == [[]]


def test_dense_arff_against_scipy(shared_data, tmp_path):
    with zipfile.ZipFile(shared_data / "mulan" / "emotions.zip") as archive:
        archive.extractall(tmp_path)
    expected, meta = scipy_arff.loadarff(tmp_path / "emotions-train.arff")
    data = load(tmp_path / "emotions-train.arff")
    names = data.label_space().names
    np.testing.assert_allclose(rows_of(data)["features"], np.array([[row[n] for n in meta.names()[:72]] for row in expected]), rtol=1e-6)
    np.testing.assert_array_equal(
        data.targets("train", data.label_space())[0].toarray(), [[row[n] == b"1" for n in names] for row in expected]
    )


def test_reuters_sgml_equals_the_jsonl_made_elsewhere(shared_data):
    folder = shared_data / "reuters21578"
    ours, theirs = load(folder / "reuters21578_sgml.tar.gz"), load(folder / "reuters_r90.jsonl.gz")
    for split in ("train", "test"):
        assert rows_of(ours, split) == rows_of(theirs, split)
    assert {split: len(rows) for split, rows in ours.splits.items()} == {"train": 7770, "test": 3019}
    assert ours.label_space().names == tuple((folder / "labels_r90.txt").read_text().split())


def test_aptemod_folder(tmp_path):
    for name, text in {"training/1": "COCOA\n  rises", "test/2": "no &lt;GRAIN>"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "cats.txt").write_text("test/2 grain wheat\ntraining/1 cocoa\n")
    data = load(tmp_path)
    assert rows_of(data) == {"id": ["training/1"], "labels": [["cocoa"]], "text": ["COCOA\n  rises"]}
    assert rows_of(data, "test")["labels"] == [["grain", "wheat"]]


def test_paired_files_leave_out_labels_without_texts(tmp_path):
    for name, content in {"text_val": "a b\nc\n", "label_val": "x y\ny\n", "label_train": "x\n", "labels.txt": "x\ny\nz\n"}.items():
        (tmp_path / name).write_text(content)
    data = load(tmp_path)
    assert rows_of(data, "validation")["labels"] == [["x", "y"], ["y"]]
    assert data.splits.keys() == {"validation"}
    assert data.label_space().names == ("x", "y", "z")


def test_goemotions_folder_and_single_file(tmp_path):
    (tmp_path / "labels.txt").write_text("joy\nfear\n")
    (tmp_path / "train.tsv").write_text('a "quote\t0,1\tid1\nb\t1\tid2\n')
    (tmp_path / "dev.tsv").write_text("c\t0\tid3\n")
    assert rows_of(load(tmp_path)) == {"id": ["id1", "id2"], "labels": [["joy", "fear"], ["fear"]], "text": ['a "quote', "b"]}
    assert rows_of(load(tmp_path), "validation")["labels"] == [["joy"]]
    assert rows_of(load(tmp_path / "dev.tsv", format="goemotions"))["text"] == ["c"]


def test_formats_are_told_from_the_content(tmp_path):
    contents = {"jsonl": '{"text": "a"}', "csv": "text,labels\na,b", "libsvm": "1,2 3:0.5 7:1", "arff": "@relation x\n@data\n"}
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    assert {name: detect(tmp_path / name) for name in contents} == {name: name for name in contents}
    (tmp_path / "riddle").write_bytes(b"\x00\x01")
    with pytest.raises(DataError, match="the format cannot be told") as error:
        detect(tmp_path / "riddle")
    assert all(name in str(error.value) for name in FORMATS)
    with pytest.raises(ConfigurationError, match="did you mean 'jsonl'"):
        load(tmp_path / "csv", format="jsnl")
