"""What was assumed is said: columns, separator, parts, notes of the reader; and what figures cannot mean much for."""

import warnings

import pytest

import multihot
from multihot.data import load
from multihot.data.assumed import assumed, doubts
from multihot.data.in_memory import from_rows
from multihot.errors import MultihotWarning


def test_a_table_says_its_features_and_its_label_columns(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,d,early,late\n" + "1,2.5,3,4,0,1\n2,2,2,2.5,1,0\n" * 5)
    assert assumed(load(tmp_path / "t.csv", labels="early,late")) == [
        "data       t: table",
        "labels     2 columns, early, late: 2 labels, 1.00 per instance",
        "id         the row's number",
        "features   4: a, b, c, d",
        "split      10 train",
    ]


def test_what_the_reader_noted_and_what_was_set_aside_is_said(tmp_path):
    rows = "".join(f"{i},{i % 7}.5,{i % 3},{'x;y' if i % 2 else 'z'}\n" for i in range(100))
    (tmp_path / "t.csv").write_text("Unnamed: 0,a,b,tags\n" + rows)
    lines = assumed(load(tmp_path / "t.csv").with_validation(0.2))
    assert "features   2: a, b" in lines
    assert "split      80 train, 20 validation (set aside)" in lines
    assert lines[-1].startswith("note       column 'Unnamed: 0' numbers the rows and is left out")


def test_many_features_are_named_in_part_and_distributions_are_called_so(tmp_path):
    names = ",".join(f"f{i}" for i in range(9))
    (tmp_path / "t.csv").write_text(f"{names},sad,calm\n" + (",".join(["0.5"] * 9) + ",0.25,0.75\n") * 4)
    lines = assumed(load(tmp_path / "t.csv", labels="sad,calm", distribution="degrees"))
    assert "features   9: f0, f1, f2, f3, f4, ..." in lines
    assert "labels     2 columns, sad, calm: 2 labels, each row a distribution over them (degrees)" in lines


def test_rows_in_memory_have_no_columns_to_speak_of():
    lines = assumed(from_rows([{"text": "x", "labels": ["a"]}, {"text": "y", "labels": ["b", "a"]}]))
    assert lines == ["data       rows: text", "labels     2 labels, 1.50 per instance", "split      2 train"]


def with_test(train, test):
    whole = from_rows([*train, *test])
    return whole.with_rows({"train": range(len(train)), "test": range(len(train), len(train) + len(test))}, "cut")


def test_small_parts_and_labels_that_nobody_carries_are_doubts():
    rows = [{"text": str(i), "labels": ["a", "b"] if i % 2 else ["c"]} for i in range(60)]
    data = with_test(rows, rows[1:20:2])
    small, missing = doubts(data, data.label_space())
    assert small.startswith("only 10 test rows")
    assert missing.startswith("1 of 3 labels occur in no test row (c): macro metrics count 0")
    assert doubts(data, data.label_space(), label_sets=False) == [small]
    few = with_test(rows[:40], rows[:5]).with_validation(0.2)
    assert doubts(few, few.label_space())[0].startswith("only 32 train, 8 validation and 5 test rows: a figure")
    everything = with_test(rows, rows)
    assert doubts(everything, everything.label_space()) == []


def test_labels_of_which_training_has_none_are_doubts():
    data = with_test([{"text": str(i), "labels": ["a"]} for i in range(60)], [{"text": "x", "labels": ["a", "b"]}] * 60)
    [line] = doubts(data, data.label_space("include"))
    assert line == "1 of 2 labels occur in no train row (b): macro metrics count 0 for each, for nothing can be learned of it"


@pytest.mark.parametrize(("kinds", "doubted"), [(100, True), (95, True), (50, False)])
def test_a_label_for_almost_every_row_is_a_doubt(kinds, doubted):
    data = from_rows([{"text": "x", "labels": [f"message {i % kinds}"]} for i in range(100)])
    found = doubts(data, data.label_space())
    assert found == ([f"{kinds} labels in 100 training rows, so hardly one can be learned: is that the column of the labels?"] * doubted)


def test_a_training_says_them(tmp_path):
    rows = "".join(f"word{i % 7} text {i},{'a' if i % 2 else 'b;c'}\n" for i in range(100))
    (tmp_path / "t.csv").write_text("body,tags\n" + rows)
    said = []
    how = {"text": "body", "labels": "tags", "method": "linear-svm"}
    with pytest.warns(MultihotWarning, match="only 10 test rows"):
        multihot.fit(tmp_path / "t.csv", out=tmp_path / "run", say=said.append, **how)
    assert "labels     column 'tags', separated by ';': 3 labels, 1.50 per instance" in said


def test_python_is_silent_but_for_doubts(tmp_path, capsys):
    texts, labels = ["wheat rises", "corn falls"] * 300, [["wheat"], ["corn"]] * 300
    with warnings.catch_warnings():
        warnings.simplefilter("error", MultihotWarning)
        multihot.fit(texts, labels, out=tmp_path / "run", method="linear-svm")
    assert capsys.readouterr() == ("", "")
