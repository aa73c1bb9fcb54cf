"""Rows that are label distributions: MATLAB tables, degrees, votes, means with spreads, in every format that can hold them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.io import loadmat, savemat
from scipy.stats import norm

from multihot.data import catalog, load
from multihot.data.describe import describe
from multihot.data.formats import detect
from multihot.errors import ConfigurationError, DataError


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTIHOT_CACHE", str(tmp_path / "cache"))


def write(path, text):
    path.write_text(text)
    return path


def degrees(data, split="train"):
    space = data.label_space()
    return space.names, data.targets(split, space)[0].toarray()


# degrees and votes


def test_degrees_of_columns_and_mappings_are_the_same(tmp_path):
    expected = np.array([[0.25, 0, 0.75], [0, 1, 0]])
    csv = write(tmp_path / "a.csv", "f,joy,fear,anger\n1,0.25,,0.75\n2,0,1,0\n")
    cells = write(tmp_path / "b.csv", 'f,degrees\n1,"{""joy"": 0.25, ""anger"": 0.75}"\n2,"{\'fear\': 1.0}"\n')
    lines = [{"f": 1, "labels": {"joy": 0.25, "anger": 0.75}}, {"f": 2, "labels": {"fear": 1}}]
    jsonl = write(tmp_path / "c.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    structs = pa.array([{"joy": 0.25, "fear": None, "anger": 0.75}, {"joy": None, "fear": 1.0, "anger": None}])
    pq.write_table(pa.table({"f": [1, 2], "degrees": structs}), tmp_path / "e.parquet")
    pairs = pa.array([[("joy", 0.25), ("anger", 0.75)], [("fear", 1.0)]], type=pa.map_(pa.string(), pa.float64()))
    pq.write_table(pa.table({"f": [1, 2], "degrees": pairs}), tmp_path / "f.parquet")
    for path in (csv, cells, jsonl, tmp_path / "e.parquet", tmp_path / "f.parquet"):
        data = load(path, distribution="degrees", labels="joy:anger" if path == csv else None)
        names, found = degrees(data)
        order = [names.index(name) for name in ("joy", "fear", "anger")]
        np.testing.assert_array_equal(found[:, order], expected)
        assert (data.degrees, data.num_features, data.modality) == ("distribution", 1, "table")


@pytest.mark.parametrize("rows", ["1,0.25,0,0.75\n2,0,1,0\n", "{0 1,1 0.25,3 0.75}\n{0 2,2 1}\n"], ids=["dense", "sparse"])
def test_degrees_of_arff_attributes(tmp_path, rows):
    header = "".join(f"@attribute {name} numeric\n" for name in ("f", "joy", "fear", "anger"))
    path = write(tmp_path / "x.arff", f"@relation x\n{header}@data\n{rows}")
    names, found = degrees(load(path, distribution="degrees", labels="joy,fear,anger"))
    assert names == ("joy", "fear", "anger")
    np.testing.assert_array_equal(found, [[0.25, 0, 0.75], [0, 1, 0]])


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        ("degrees", "1,0.25,0.75,0.5", "line 7: the degrees sum to 1.5"),
        ("degrees", "1,0.25,?,0.75", "line 7: label 'fear' has '\\?'"),
        ("votes", "1,0,0,0", "line 7: nobody voted"),
        ("votes", "1,0,-2,3", "line 7: label 'fear' has '-2'"),
    ],
)
def test_arff_rows_that_are_no_distribution(tmp_path, kind, row, said):
    header = "".join(f"@attribute {name} numeric\n" for name in ("f", "joy", "fear", "anger"))
    path = write(tmp_path / "x.arff", f"@relation x\n{header}@data\n{row}\n")
    with pytest.raises(DataError, match=said):
        load(path, distribution=kind, labels="joy,fear,anger")


def test_votes_are_counted_however_they_are_written(tmp_path):
    expected = np.array([[0.75, 0.25, 0], [0, 0, 1]])
    lists = [{"text": "a", "votes": ["2", 1, 1, 1]}, {"text": "b", "votes": ["10"]}]
    counts = [{"text": "a", "votes": {"1": 3, "2": 1}}, {"text": "b", "votes": {"10": 4, "2": 0}}]
    paths = {
        write(tmp_path / "a.jsonl", "".join(json.dumps(line) + "\n" for line in lists)): None,
        write(tmp_path / "b.jsonl", "".join(json.dumps(line) + "\n" for line in counts)): None,
        write(tmp_path / "c.csv", "text,votes\na,1|1|2|1\nb,10\n"): None,
        write(tmp_path / "d.csv", "text,1,2,10\na,3,1,0\nb,,0,2\n"): "1:10",
    }
    for path, labels in paths.items():
        data = load(path, distribution="votes", labels=labels)
        for again in (data, load(path, **data.options)):
            names, found = degrees(again)
            assert names == ("1", "2", "10")
            np.testing.assert_array_equal(found, expected)


def test_rounded_degrees_are_taken_for_what_they_are_meant(tmp_path):
    path = write(tmp_path / "x.csv", "f,a,b,c\n1,0.3333,0.3333,0.3333\n")
    _, found = degrees(load(path, distribution="degrees", labels="a,b,c"))
    np.testing.assert_allclose(found, [[1 / 3] * 3], atol=1e-7)


@pytest.mark.parametrize(
    ("kind", "cell", "said"),
    [
        ("degrees", {"a": -0.5, "b": 1.5}, "line 2: label 'a' has '-0.5'; allowed are numbers from 0 to 1"),
        ("degrees", {"a": 0.5, "b": 0.4}, "line 2: the degrees sum to 0.9, not to 1; divide them"),
        ("degrees", {"a": 3, "b": 1}, "sum to 4, not to 1.*distribution='votes'"),
        ("degrees", {}, "sum to 0"),
        ("degrees", {"a": True}, "label 'a' has 'True'"),
        ("degrees", {"a": "much"}, "label 'a' has 'much'"),
        ("degrees", ["a", "b"], "give a mapping of labels to numbers"),
        ("degrees", None, "line 2: nobody annotated the row"),
        ("votes", {"a": -1, "b": 2}, "label 'a' has '-1'; allowed are numbers of votes, at least 0"),
        ("votes", {"a": 0}, "line 2: nobody voted"),
        ("votes", [], "line 2: nobody voted"),
        ("votes", "", "nobody voted"),
        ("votes", None, "nobody annotated the row"),
        ("votes", [["a"]], "the votes are"),
        ("votes", 0.5, "give a mapping"),
        ("degrees", "{broken", "is no mapping of labels"),
    ],
)
def test_what_is_no_distribution_is_refused_with_its_line(tmp_path, kind, cell, said):
    good = {"a": 1} if kind == "degrees" else ["a"]
    lines = "".join(json.dumps({"text": "x", "labels": value}) + "\n" for value in (good, cell))
    with pytest.raises(DataError, match=rf"x\.jsonl: line 2: .*{said.removeprefix('line 2: ')}") as error:
        load(write(tmp_path / "x.jsonl", lines), distribution=kind)
    assert "\n" not in str(error.value)


def test_columns_that_nothing_tells_are_asked_for(tmp_path):
    path = write(tmp_path / "x.csv", "f,a,b\n1,0.5,0.5\n")
    with pytest.raises(DataError, match="which columns hold the degrees"):
        load(path, distribution="degrees")
    with pytest.raises(ConfigurationError, match="distribution must be None, 'degrees', 'votes' or 'mean_spread', got 'counts'"):
        load(path, distribution="counts")


def test_rows_to_be_predicted_need_no_distribution(tmp_path):
    train = load(write(tmp_path / "x.csv", "f,a,b\n1,0.5,0.5\n"), distribution="degrees", labels="a,b")
    later = load(write(tmp_path / "y.csv", "f\n3\n"), **train.options, require_labels=False)
    assert later.split("train")["labels"][:] == [None]


# mean and spread


def test_means_and_spreads_become_normal_distributions(tmp_path):
    path = write(tmp_path / "x.csv", "f,mean,stdev\n1,20.5,2\n2,3,4.25\n")
    data = load(path, distribution="mean_spread", labels="0:30")
    names, found = degrees(data)
    assert names == tuple(str(age) for age in range(31))
    for row, (mean, spread) in zip(found, [(20.5, 2), (3, 4.25)], strict=True):
        density = norm(mean, spread).pdf(np.arange(31))
        np.testing.assert_allclose(row, density / density.sum(), atol=1e-7)
    values, spreads = data.positions("train", data.label_space())
    np.testing.assert_array_equal(values, [[20.5], [3]])
    np.testing.assert_array_equal(spreads, [2, 4.25])
    assert data.num_features == 1


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "arff"])
def test_the_axis_is_found_from_the_means_and_kept_for_other_files(tmp_path, suffix):
    files = {
        "csv": "f,mean,spread\n1,10,2\n2,20.5,1.5\n",
        "jsonl": '{"f": 1, "mean": 10, "std": 2}\n{"f": 2, "mean": 20.5, "std": 1.5}\n',
        "arff": "@relation x\n@attribute mean real\n@attribute sd real\n@attribute f real\n@data\n10,2,1\n{0 20.5,1 1.5,2 2}\n",
    }
    text = files[suffix] if suffix != "arff" else files[suffix].replace("10,2,1", "{0 10,1 2,2 1}")
    data = load(write(tmp_path / f"x.{suffix}", text), distribution="mean_spread")
    assert data.label_space().names == tuple(str(age) for age in range(4, 26))  # three spreads to either side
    other = load(write(tmp_path / f"y.{suffix}", text.replace("20.5", "15")), **data.options)
    assert other.label_space().names == data.label_space().names


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("90,2", "line 3: the mean is 90, off the axis from 0 to 30; correct it, or give a wider axis with labels="),
        ("-3,2", "the mean is -3, off the axis"),
        ("20,0", "line 3: the spread is 0; allowed are numbers above 0"),
        ("20,-1", "the spread is -1"),
        ("old,2", "the mean is 'old'; allowed are finite numbers"),
        ("20,nan", "the spread is 'nan'"),
    ],
)
def test_bad_means_and_spreads_are_refused_with_their_line(tmp_path, row, said):
    path = write(tmp_path / "x.csv", f"f,mean,spread\n1,20,2\n2,{row}\n")
    with pytest.raises(DataError, match=said):
        load(path, distribution="mean_spread", labels="0:30")


@pytest.mark.parametrize("axis", ["30:0", "0:30:0", "0:x", "7", "1,3,2", "0:nan", "0:1e12", "0:1:2:3"])
def test_what_is_no_axis_is_refused(tmp_path, axis):
    path = write(tmp_path / "x.csv", "f,mean,spread\n1,20,2\n")
    with pytest.raises(DataError, match=r"x\.csv: labels=.* is no axis; allowed are first:last"):
        load(path, distribution="mean_spread", labels=axis)


def test_a_column_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match="no column for the spread; name it one of spread, stdev"):
        load(write(tmp_path / "x.csv", "f,mean,width\n1,20,2\n"), distribution="mean_spread")


# MATLAB tables

FEATURES = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
LABELS = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0]])


def mat(path, **changes):
    savemat(path, {name: value for name, value in ({"features": FEATURES, "labels": LABELS} | changes).items() if value is not None})
    return path


def test_a_matlab_table_is_read_as_it_is(tmp_path):
    data = load(mat(tmp_path / "x.mat"))
    names, found = degrees(data)
    assert names == ("label 1", "label 2", "label 3")
    np.testing.assert_array_equal(found, LABELS)
    np.testing.assert_array_equal(data.split("train")["features"], FEATURES)
    assert data.degrees == "distribution"
    assert data.label_space().positions is None
    for given in ("1:3", "1,2,3", ["1", "2", "3"]):
        space = load(tmp_path / "x.mat", labels=given).label_space()
        assert (space.names, space.positions.ravel().tolist()) == (("1", "2", "3"), [1, 2, 3])
    (tmp_path / "folder").mkdir()
    mat(tmp_path / "folder" / "y.mat")
    assert detect(tmp_path / "folder") == "ldl-mat"
    assert len(load(tmp_path / "folder").split("train")) == 3


def test_ages_beside_the_distributions_are_the_labels_unless_said(tmp_path):
    extra = {"labels": LABELS * [[0.5], [1], [0.7]], "age": np.array([[7, 9, 8]]), "x": np.array([[7, 8, 9]])}
    path = mat(tmp_path / "x.mat", **extra)
    ages = load(path)
    assert ages.split("train")["labels"][:] == [["7"], ["9"], ["8"]]
    assert (ages.degrees, ages.label_space().names) == ("membership", ("7", "8", "9"))
    own = load(path, distribution="degrees")
    np.testing.assert_allclose(degrees(own)[1], LABELS, atol=1e-7)
    assert own.split("train")["value"][:] == [[7], [9], [8]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": LABELS - 0.1}, "row 1: degrees from -0.1 to 0.4; allowed are numbers of at least 0"),
        ({"labels": LABELS * [[1], [0.8], [1]]}, "row 2: the degrees sum to 0.8, not to 1"),
        ({"labels": LABELS[:2]}, "3 rows of features, but 2 of labels"),
        ({"labels": np.where(LABELS == 1, np.nan, LABELS)}, "row 3: 'labels' has nan in column 3"),
        ({"features": FEATURES * 1e300}, "'features' has 1e\\+300 in column 1; allowed are finite"),
        ({"labels": None}, "has no variable 'labels'"),
        ({"labels": "much"}, "'labels' is no full matrix of numbers"),
        ({"age": np.array([[1, 2]]), "x": np.array([[1, 2, 3]])}, "'age' has 2 numbers; it needs 3"),
        ({"age": np.array([[1, 2, 4]]), "x": np.array([[1, 2, 3]])}, "row 3: the age is 4; allowed are 1 to 3"),
    ],
)
def test_a_matlab_table_that_cannot_be_used(tmp_path, changes, said):
    with pytest.raises(DataError, match=said):
        load(mat(tmp_path / "x.mat", **changes))


def test_names_that_do_not_fit_the_columns(tmp_path):
    for given in ("a,b", "a,a,b", "1:4"):
        with pytest.raises(DataError, match="there are 3 labels to name"):
            load(mat(tmp_path / "x.mat"), labels=given)


def test_a_file_that_is_no_matlab_file(tmp_path):
    path = mat(tmp_path / "x.mat")
    whole = path.read_bytes()
    for content in (whole[:200], b"M", b"\x89HDF\r\n\x1a\n" + b"\0" * 500):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"x\.mat: (no MATLAB file of version 5|the MATLAB file is cut short)"):
            load(path)


LDL = sorted(name for name in catalog.names() if name.startswith("ldl-"))


@pytest.mark.parametrize("name", LDL)
def test_the_tables_of_the_catalogue_hold_what_their_files_hold(shared_data, tmp_path, name):
    import zipfile

    entry = catalog.get(name)
    with zipfile.ZipFile(shared_data / "ldl" / entry.archives[0]) as archive, archive.open(entry.files[0].name) as file:
        content = loadmat(file)
    data = load(name, from_path=shared_data, distribution="degrees" if name == "ldl-fg-net" else None)
    names, found = degrees(data)
    sums = content["labels"].sum(1, keepdims=True)
    np.testing.assert_allclose(found, content["labels"] / sums, atol=1e-7)
    np.testing.assert_allclose(data.split("train")["features"], content["features"], rtol=1e-6)
    assert (data.label_space().positions is not None) == (name in ("ldl-fg-net", "ldl-movie", "ldl-m2b", "ldl-scut-fbp"))
    if name == "ldl-fg-net":
        assert [int(labels[0]) for labels in load(name).split("train")["labels"]] == content["age"].ravel().tolist()
        assert names == tuple(map(str, content["x"].ravel()))


def test_what_is_counted_of_a_distribution_is_its_mode(tmp_path):
    path = write(tmp_path / "x.csv", "f,1,2,3\n1,0.4,0.3,0.3\n2,0.2,0.4,0.4\n3,0.3,0.4,0.3\n")
    description = describe(load(path, distribution="degrees", labels="1:3"))
    assert description.splits["train"].empty == 0
    assert description.splits["train"].cardinality == 1
    assert description.statistics.counts.tolist() == [1, 2, 0]
