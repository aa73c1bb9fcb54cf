"""Tables without a header line and fastText's files, against parsers of a few lines written here."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.data import load
from multihot.errors import ConfigurationError, DataError
from multihot.experiments import Config, override

LIBMULTILABEL = "1\tpump oil\tpump leaks oil\n2\tscreen\tscreen flickers\n3\toil screen\toil on the screen\n4\tpump\tpump is loud\n"
FASTTEXT = "__label__pump __label__oil pump leaks oil\n__label__screen screen  flickers\n\nno label here\nso __label__pump is loud\n"
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=6)


def by_hand(text):
    """fastText's reading of a file, as its documentation tells it: blanks separate words, and the prefix makes one a label."""
    rows = []
    for line in text.split("\n"):
        found, labels = [], []
        for word in line.split():
            if word[:9] == "__label__":
                labels += [word[9:]] if word[9:] not in labels else []
            else:
                found += [word]
        if found or labels:
            rows.append((" ".join(found), labels))
    return rows


def rows_of(path, **how):
    rows = load(path, cache_dir=path.parent / "cache", **how).splits["train"]
    return list(zip(rows["text"][:], rows["labels"][:], strict=True))


def test_a_fasttext_file_is_found_by_its_content(tmp_path):
    (tmp_path / "ft.txt").write_text(FASTTEXT)
    assert rows_of(tmp_path / "ft.txt") == by_hand(FASTTEXT)
    assert load(tmp_path / "ft.txt").notes == ("line 3 is empty and left out; rows without an id are numbered without it",)
    (tmp_path / "bad.txt").write_text("__label__a one\n__label__ b two\n")
    with pytest.raises(DataError, match=r"bad.txt: line 2: a label has no name"):
        load(tmp_path / "bad.txt")


def test_a_folder_of_fasttext_files_is_split_by_their_names(tmp_path):
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text(FASTTEXT)
    (tmp_path / "README.txt").write_text("about these files")
    assert list(load(tmp_path).splits) == ["train", "validation", "test"]


@settings(deadline=None, max_examples=40)
@given(lines=st.lists(st.tuples(st.lists(words, max_size=3), st.lists(words, min_size=1, max_size=5)), min_size=1, max_size=8))
def test_any_fasttext_file_is_read_as_by_hand(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("fasttext") / "x.txt"
    content = "".join(" ".join([*(f"__label__{label}" for label in labels), *text]) + "\n" for labels, text in lines)
    path.write_text(content, encoding="utf-8")
    assert rows_of(path, format="fasttext") == by_hand(content)


@pytest.mark.parametrize("given_as", ["words", "numbers"])
def test_columns_without_names_have_numbers(tmp_path, given_as):
    (tmp_path / "train.tsv").write_text(LIBMULTILABEL)
    kind = str if given_as == "words" else int
    data = load(tmp_path / "train.tsv", header=False, id=kind(1), labels=kind(2), text=kind(3), delimiter=" ")
    rows = data.splits["train"]
    assert rows["id"][:] == ["1", "2", "3", "4"]
    assert rows["labels"][:] == [["pump", "oil"], ["screen"], ["oil", "screen"], ["pump"]]
    assert rows["text"][0] == "pump leaks oil"
    (tmp_path / "new.tsv").write_text("9\t\tscreen is loud\n")
    assert load(tmp_path / "new.tsv", **data.options).splits["train"]["text"][:] == ["screen is loud"]


plain = st.text("abcxyz äß7", min_size=1, max_size=6).map(str.strip).filter(bool)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(st.tuples(st.lists(plain, max_size=3, unique=True), plain, plain), min_size=1, max_size=8),
    separator=st.sampled_from("\t,"),
)
def test_any_table_without_a_header_is_read_as_by_hand(tmp_path_factory, rows, separator):
    path = tmp_path_factory.mktemp("table") / ("x.tsv" if separator == "\t" else "x.csv")
    path.write_text("".join(separator.join([";".join(labels), text, more]) + "\n" for labels, text, more in rows), encoding="utf-8")
    lines = [line.split(separator) for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n")]
    expected = [(text + "\n" + more, [label for label in labels.split(";") if label]) for labels, text, more in lines]
    assert rows_of(path, header=False, labels=1, text="2+3", delimiter=";") == expected


def test_a_table_of_numbers_without_a_header(tmp_path):
    (tmp_path / "t.csv").write_text("0.5,1.5,1,0\n0.25,-1,0,1\n1,2,1,1\n")
    data = load(tmp_path / "t.csv", header=False, labels="3:4")
    assert data.feature_names == ["1", "2"]
    assert data.splits["train"]["features"][:] == [[0.5, 1.5], [0.25, -1.0], [1.0, 2.0]]
    assert data.splits["train"]["labels"][:] == [["3"], ["4"], ["3", "4"]]


@pytest.mark.parametrize(("content", "how"), [
    (LIBMULTILABEL, {}),
    (LIBMULTILABEL, {"text": "text", "labels": "labels"}),
    ("0.5,1.5,1,0\n0.25,-1,0,1\n", {"labels": "early,late"}),
    ("pump,pump,it leaks\nscreen,oil,it flickers\n", {"labels": "tags"}),
    ("it leaks oil whenever it rains,pump\nit flickers,screen\n", {}),
])  # fmt: skip
def test_an_error_says_that_the_first_line_was_taken_as_the_header(tmp_path, content, how):
    (tmp_path / "x.tsv" if "\t" in content else tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=r"first line was taken as the header; .* data.header=false"):
        load(next(tmp_path.iterdir()), **how)


def test_a_header_that_looks_like_one_is_not_suspected(tmp_path):
    (tmp_path / "x.csv").write_text("plot,genre\na film,Drama\n")
    with pytest.raises(DataError) as error:
        load(tmp_path / "x.csv")
    assert "first line" not in str(error.value)


def test_a_row_of_another_length_is_named_by_its_line(tmp_path):
    (tmp_path / "x.csv").write_text("pump,it leaks\nscreen,it flickers,oh\n")
    with pytest.raises(DataError, match="line 2: 3 cells where the first line has 2 columns"):
        load(tmp_path / "x.csv", header=False, text=2, labels=1)
    with pytest.raises(ConfigurationError, match="header must be true or false, got 'no'"):
        load(tmp_path / "x.csv", header="no")


def test_settings_name_columns_by_number():
    data = Config.from_dict(override({}, ["data.header=false", "data.labels=2:5", "data.features=[6, 7]", "data.id=1"])).data
    assert (data.header, data.labels, data.features, data.id) == (False, "2:5", ["6", "7"], "1")
    assert Config.from_dict(override({}, ["data.text=3"])).data.text == "3"


def test_the_commands_read_a_table_without_a_header_and_predict_another(tmp_path):
    lines = [f"{number}\t{label}\tthe {label} is broken" for number in range(30) for label in ("pump", "screen")]
    (tmp_path / "train.tsv").write_text("".join(f"{number}{line}\n" for number, line in enumerate(lines)))
    (tmp_path / "new.tsv").write_text("n1\t\ta broken pump\n\nn2\t\tthe screen\n")
    run, reading = tmp_path / "run", ["--id", "1", "--labels", "2", "--text", "3"]
    call = CliRunner().invoke
    shown = call(app, ["data", "stats", str(tmp_path / "train.tsv"), *reading, "--no-header"])
    assert (shown.exit_code, "60" in shown.output) == (0, True), shown.output
    words = [*reading, "--set", "data.header=false", "--method", "linear-svm", "--out", str(run)]
    done = call(app, ["train", str(tmp_path / "train.tsv"), *words])
    assert done.exit_code == 0, done.output
    told = call(app, ["predict", str(run), str(tmp_path / "new.tsv"), "--out", str(tmp_path / "p.csv")])
    assert told.exit_code == 0, told.output
    assert (tmp_path / "p.csv").read_text() == "id,labels\nn1,pump\nn2,screen\n"
    refused = call(app, ["train", str(tmp_path / "train.tsv"), "--method", "linear-svm"])
    assert refused.exit_code == 2
    assert "--set data.header=false" in refused.output


def test_what_was_assumed_of_rows_to_be_predicted_is_logged(tmp_path, caplog):
    (tmp_path / "train.csv").write_text("text,tags\n" + "wheat rises,grain\ngold falls,metal\n" * 20)
    run = multihot.fit(tmp_path / "train.csv", out=tmp_path / "run", method="linear-svm")
    (tmp_path / "new.jsonl").write_text('{"text": "wheat"}\n\n{"text": "gold"}\n')
    with caplog.at_level(logging.WARNING):
        assert run.predict(tmp_path / "new.jsonl").ids == ["0", "1"]
    assert "new: line 2 is empty and left out" in caplog.text
