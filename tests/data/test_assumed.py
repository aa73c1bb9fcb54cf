"""What was assumed is said: columns, separator, small parts, labels that nobody carries."""

from multihot.data import load
from multihot.data.assumed import assumed, doubts
from multihot.data.in_memory import from_rows
from multihot.experiments import Config
from multihot.experiments.fit import fit


def test_a_table_says_its_features_and_its_label_columns(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,d,early,late\n" + "1,2.5,3,4,0,1\n2,2,2,2.5,1,0\n" * 5)
    data = load(tmp_path / "t.csv", labels="early,late")
    assert assumed(data) == ["4 features: a, b, c, ...; labels: 2 columns, early, late; id: the row's number"]


def test_rows_in_memory_have_no_columns_to_speak_of():
    assert assumed(from_rows([{"text": "x", "labels": ["a"]}, {"text": "y", "labels": ["b"]}])) == []


def with_test(train, test):
    whole = from_rows([*train, *test])
    return whole.with_rows({"train": range(len(train)), "test": range(len(train), len(train) + len(test))}, "cut")


def test_small_parts_and_labels_that_nobody_carries_are_doubts():
    rows = [{"text": str(i), "labels": ["a", "b"] if i % 2 else ["c"]} for i in range(60)]
    data = with_test(rows, rows[1:20:2])
    small, missing = doubts(data, data.label_space())
    assert small.startswith("only 10 test rows")
    assert missing.startswith("1 of 3 labels occur in no test row (c): macro metrics count 0")
    everything = with_test(rows, rows)
    assert doubts(everything, everything.label_space()) == []


def test_a_training_says_them(tmp_path):
    rows = "".join(f"word{i % 7} text {i},{'a' if i % 2 else 'b;c'}\n" for i in range(100))
    (tmp_path / "t.csv").write_text("body,tags\n" + rows)
    said = []
    reading = {"source": str(tmp_path / "t.csv"), "text": "body", "labels": "tags"}
    fit(Config.from_dict({"data": reading, "method": "linear-svm"}), tmp_path / "run", say=said.append)
    assert "text: body; labels: tags, separated by ';'; id: the row's number" in said
    assert any(line.startswith("only 10 test rows") for line in said)
