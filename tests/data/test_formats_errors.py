"""Bad input gets one line that names file, row and remedy."""

import gzip
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from multihot.data import load
from multihot.errors import DataError

CASES = {
    "broken JSON": ("x.jsonl", b'{"text": "a", "labels": []}\n{"text": \n', r"line 2: broken JSON"),
    "JSON array": ("x.json", b'[{"text": "a"},\n {"text": "b"}]', r"line 1: broken JSON.*one JSON array"),
    "JSON list of strings": ("x.jsonl", b'["a"]\n', r"line 1: holds a JSON list"),
    "labels of the wrong kind": (
        "x.jsonl",
        b'{"text": "a", "labels": 0.5}\n{"text": "b", "labels": 1.5}',
        r"holds numbers such as 0.5, not labels",
    ),
    "one label of the wrong kind": (
        "x.jsonl",
        b'{"text": "a", "labels": ["u"]}\n{"text": "b", "labels": [["v"]]}',
        r"line 2: \['v'\] is not a label",
    ),
    "text of the wrong kind": ("x.jsonl", b'{"text": ["a"], "labels": ["u"]}', r"line 1: the text in 'text' is list"),
    "degree above one": ("x.jsonl", b'{"text": "a", "labels": {"u": 1.5}}', r"line 1: label 'u' has the degree 1.5"),
    "empty file": ("x.csv", b"", r"x.csv: the file is empty"),
    "header only": ("x.csv", b"text,labels\n", r"x.csv: the file holds no rows"),
    "ragged row": ("x.csv", b"text,labels\na,b\nc,d,e\n", r"line 3: 3 cells where the header names 2"),
    "open quote": ("x.csv", b'text,labels\n"a,b\nc,d\n', r"line 3: broken row"),
    "column twice": ("x.csv", b"text,text\na,b\n", r"line 1: column 'text' is named twice"),
    "mixed encodings": (
        "x.csv",
        "text,labels\nfür,a\n".encode() + "für,b\n".encode("latin-1"),
        r"line 3: not UTF-8 \(byte 2 .* 0xfc\).*encoding='latin-1'",
    ),
    "UTF-16": ("x.csv", "text,labels\na,b\n".encode("utf-16"), r"line 1: not UTF-8.*encoding='utf-16'"),
    "duplicate ids": ("x.csv", b"id,text,labels\na,t,u\nb,t,u\na,t,u\n", r"rows 1 and 3 share the id 'a'; make ids distinct"),
    "missing id": ("x.csv", b"id,text,labels\na,t,u\n,t,u\n", r"line 3: the row has no id"),
    "numbers as labels": ("x.csv", b"text,labels\na,0.25\nb,1.75\n", r"column 'labels' holds numbers such as 0.25"),
    "texts as labels": (
        "x.csv",
        b"text,labels\na," + " ".join(f"word{i}" for i in range(60)).encode() + b"\n",
        r"column 'labels' holds long texts",
    ),
    "unknown split": ("x.csv", b"text,labels,split\n" + b"a,b,train\n" * 1000 + b"a,b,tset\n", r"line 1002: the split is 'tset'"),
    "no input": ("x.csv", b"foo,labels\nhello,b\n", r"which column holds the text\? Its columns are foo, labels"),
    "broken list": ("x.csv", b'text,labels\na,"[b, c"\nd,"[e, f]"\n', r"line 3: '\[e, f\]' is not a list of labels"),
    "LibSVM pair": ("x.svm", b"1 1:0.5\n2 1:0.5 x\n", r"line 2: every part after the labels"),
    "LibSVM range": ("x.txt", b"2 3 2\n0 1:1\n1 3:1\n", r"line 3: feature 3 to 3; allowed are 0 to 2"),
    "LibSVM NaN": ("x.svm", b"1 1:nan\n", r"line 1: a feature value is not finite"),
    "LibSVM twice": ("x.svm", b"1 1:1 1:2\n", r"line 1: a feature is given twice"),
    "ARFF without data": ("x.arff", b"@relation 'x -C 1'\n@attribute a {0,1}\n", r"there is no @data line"),
    "ARFF without labels": ("x.arff", b"@relation x\n@attribute a {0,1}\n@data\n1\n", r"nothing says which attributes are labels"),
    "ARFF row": (
        "x.arff",
        b"@relation '-C 1'\n@attribute a {0,1}\n@attribute b real\n@data\n1\n",
        r"line 5: 1 values where the header names 2",
    ),
    "ARFF nominal": (
        "x.arff",
        b"@relation '-C 1'\n@attribute a {0,1}\n@attribute b {p,q}\n@data\n1,r\n",
        r"line 5: attribute 'b' is 'r'; the header allows p, q",
    ),
    "ARFF number": (
        "x.arff",
        b"@relation '-C 1'\n@attribute a {0,1}\n@attribute b real\n@data\n1,r\n",
        r"line 5: attribute 'b' is 'r', not a number",
    ),
    "ARFF label": ("x.arff", b"@relation '-C 1'\n@attribute a real\n@attribute b real\n@data\n2,1\n", r"line 5: label 'a' is '2'"),
    "ARFF sparse": (
        "x.arff",
        b"@relation '-C 1'\n@attribute a {0,1}\n@attribute b real\n@data\n{0 1,5 1}\n",
        r"line 5: index 5; allowed are 0 to 1",
    ),
    "ARFF type": ("x.arff", b"@relation '-C 1'\n@attribute a date\n@data\n", r"line 2: attribute of type 'date'"),
    "cut gzip": (
        "x.jsonl.gz",
        gzip.compress(json.dumps({"text": "a" * 99, "labels": []}).encode())[:-12],
        r"x.jsonl.gz: the compressed file is cut short",
    ),
    "cut parquet": ("x.parquet", b"PAR1xxxx", r"x.parquet: not a whole Parquet file"),
    "cut SGML": ("x.tar.gz", b"\x1f\x8b\x08", r"x.tar.gz: the archive is cut short"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_names_the_place(tmp_path, case):
    name, content, message = CASES[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        load(tmp_path / name)
    assert re.search(message, str(error.value)), str(error.value)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_the_stated_encoding_is_used(tmp_path):
    for encoding in ("latin-1", "utf-16"):
        (tmp_path / "x.csv").write_bytes("text,labels\nfür,a\n".encode(encoding))
        assert load(tmp_path / "x.csv", encoding=encoding).split("train")["text"][:] == ["für"]
    with pytest.raises(DataError, match="there is no encoding 'latin-99'"):
        load(tmp_path / "x.csv", encoding="latin-99")


def test_a_missing_file_and_a_missing_column_name_near_misses(tmp_path):
    (tmp_path / "train.csv").write_text("body,tags\na,b\n")
    with pytest.raises(DataError, match=r"no such file; did you mean 'train.csv'"):
        load(tmp_path / "trian.csv")
    with pytest.raises(DataError, match=r"no column 'tag' \(labels=\); did you mean 'tags'\?"):
        load(tmp_path / "train.csv", labels="tag")
    with pytest.raises(DataError, match=r"no column 'bdy' \(text=\); did you mean 'body'"):
        load(tmp_path / "train.csv", text="bdy")
    with pytest.raises(DataError, match="there is no file and no data set 'reuters'; did you mean 'reuters21578'"):
        load("reuters")


def test_features_must_be_finite_numbers(tmp_path):
    (tmp_path / "x.csv").write_text("a,b,labels\n1,2,u\n1,two,u\n")
    with pytest.raises(DataError, match=r"line 3: feature 'b' is 'two', not a number"):
        load(tmp_path / "x.csv", features="a,b")
    (tmp_path / "x.csv").write_text("a,b,labels\n1,2,u\n1,inf,u\n")
    with pytest.raises(DataError, match=r"line 3: feature 'b' is 'inf'"):
        load(tmp_path / "x.csv", features="a,b")


def test_a_cell_of_a_label_column_is_zero_one_or_unknown(tmp_path):
    (tmp_path / "x.csv").write_text("text,u,v\na,1,0\nb,2,0\n")
    with pytest.raises(DataError, match=r"line 3: label 'u' is '2'; allowed are 1, 0, or a blank"):
        load(tmp_path / "x.csv", labels="u,v")


def test_folders_with_nothing_to_read(tmp_path):
    with pytest.raises(DataError, match="the folder holds nothing that can be read"):
        load(tmp_path)
    (tmp_path / "cats.txt").write_text("training/1 cocoa\n")
    with pytest.raises(DataError, match=r"training/1: there is no such file"):
        load(tmp_path)
    with pytest.raises(DataError, match="no pair of text_SPLIT and label_SPLIT"):
        load(tmp_path, format="paired")


def test_paired_files_of_different_length(tmp_path):
    (tmp_path / "text_train").write_text("a\nb\n")
    (tmp_path / "label_train").write_text("x\n")
    with pytest.raises(DataError, match=r"label_train: ends after line 1"):
        load(tmp_path)


def test_splits_with_different_inputs(tmp_path):
    (tmp_path / "a.svm").write_text("1 1:0.5\n")
    pq.write_table(pa.table({"x": [1.0], "labels": [["1"]]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="the splits hold different inputs"):
        load({"train": tmp_path / "a.svm", "test": tmp_path / "b.parquet"})
