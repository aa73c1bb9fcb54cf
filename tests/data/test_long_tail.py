"""The long-tail maker: its curve, what it draws, and the files it leaves."""

import datasets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pareto
from typer.testing import CliRunner

from multihot.cli import app
from multihot.data import MultiLabelData, load
from multihot.data.long_tail import cut_long_tail, long_tailed_subset, pareto_counts, wanted_counts
from multihot.data.writing import write_folder
from multihot.errors import ConfigurationError, DataError

RANDOM = np.random.default_rng(2)
TARGETS = RANDOM.random((3000, 12)) < 0.35 / np.arange(1, 13) ** 0.3


@given(st.integers(2, 90), st.integers(10, 3000), st.integers(1, 9), st.floats(0.5, 12))
@settings(max_examples=60, deadline=None)
def test_the_curve_is_the_density_of_a_pareto_distribution(labels, largest, smallest, alpha):
    places = np.linspace(pareto.ppf(0, alpha), pareto.ppf(0.99, alpha), labels)
    density = pareto.pdf(places, alpha) / pareto.pdf(1, alpha)
    expected = smallest + (largest - smallest) * density
    counts = pareto_counts(labels, largest, smallest, alpha)
    assert np.all((counts <= expected + 1e-6) & (counts > expected - 1 - 1e-6))
    assert counts[0] == largest
    assert np.all(np.diff(counts) <= 0)


def test_voc_mlt_ends_where_the_curve_ends():
    assert pareto_counts(20, largest=800)[-1] == 4  # the rarest class of VOC-MLT


@pytest.mark.parametrize("seed", range(3))
def test_every_label_gets_what_the_curve_asks_for(seed):
    rows = long_tailed_subset(TARGETS, largest=300, seed=seed)
    got, wanted = TARGETS[rows].sum(axis=0), wanted_counts(TARGETS, largest=300)
    assert np.all(got >= np.minimum(wanted, TARGETS.sum(axis=0)))
    assert len(set(rows.tolist())) == len(rows) < len(TARGETS)
    assert TARGETS[rows].any(axis=1).all()
    order = np.argsort(-TARGETS.sum(axis=0), kind="stable")
    assert np.all(np.diff(wanted[order]) <= 0)


def test_single_labels_meet_the_curve_exactly():
    targets = np.repeat(np.eye(6), [400, 300, 200, 100, 60, 30], axis=0)
    rows = long_tailed_subset(targets, largest=250)
    np.testing.assert_array_equal(targets[rows].sum(axis=0), pareto_counts(6, 250))


def test_the_seed_decides():
    assert np.array_equal(long_tailed_subset(TARGETS, seed=4), long_tailed_subset(TARGETS, seed=4))
    assert not np.array_equal(long_tailed_subset(TARGETS, largest=100, seed=4), long_tailed_subset(TARGETS, largest=100, seed=5))


def test_labels_without_rows_take_no_place_on_the_curve():
    with_gap = np.insert(TARGETS, 5, False, axis=1)
    np.testing.assert_array_equal(np.delete(wanted_counts(with_gap), 5), wanted_counts(TARGETS))
    assert wanted_counts(with_gap)[5] == 0


@pytest.mark.parametrize(
    ("targets", "arguments", "error", "message"),
    [
        (np.ones((5, 1)), {}, DataError, "at least 2 labels with training rows, got 1"),
        (np.eye(4), {}, DataError, "the most frequent label has 1 training rows, too few for more than the smallest, 1"),
        (np.eye(4), {"largest": 50}, DataError, "has 1 training rows, too few for 50 for the most frequent label"),
        (TARGETS, {"largest": 3, "smallest": 4}, ConfigurationError, "needs 1 <= smallest <= largest, got smallest 4 and largest 3"),
        (TARGETS, {"smallest": 0}, ConfigurationError, "needs 1 <= smallest"),
        (TARGETS, {"alpha": 0}, ConfigurationError, "alpha of a long tail must be above 0, got 0"),
    ],
)
def test_what_cannot_be_cut_is_refused(targets, arguments, error, message):
    with pytest.raises(error, match=message):
        long_tailed_subset(targets, **arguments)


def data_of(modality, rows=90, **columns):
    def split(part, count):
        labels = [[name for name, there in zip("abc", row, strict=True) if there] for row in TARGETS[:count, :3]]
        return datasets.Dataset.from_dict(
            {"id": [f"{part}-{i}" for i in range(count)], "labels": labels, **{name: values[:count] for name, values in columns.items()}}
        )

    splits = {"train": split("train", rows), "test": split("test", 20)}
    column = next(iter(columns))
    width = len(columns["features"][0]) if column == "features" else None
    return MultiLabelData("made", modality, splits, None, "0", column, num_features=width)


def assert_same_rows(data, again):
    for split, rows in data.splits.items():
        back = again.split(split)
        assert back["id"][:] == rows["id"][:]
        assert [sorted(labels) for labels in back["labels"]] == [sorted(labels) for labels in rows["labels"]]
        if data.input_column == "features":
            np.testing.assert_array_equal(np.array(back["features"][:], np.float32), np.array(rows["features"][:], np.float32))
        else:
            assert back[data.input_column][:] == rows[data.input_column][:]


@pytest.mark.parametrize(
    "data",
    [
        data_of("text", text=[f'größer, "{i}"\nnext line' for i in range(90)]),
        data_of("table", features=RANDOM.normal(size=(90, 5)).astype(np.float32).tolist()),
        data_of("image", image=[b"\x89PNG" + bytes([i]) for i in range(90)]),
    ],
    ids=["text", "table", "image"],
)
def test_what_is_written_is_read_again(data, tmp_path):
    cut = cut_long_tail(data, largest=12)
    assert len(cut.data.split("test")) == 20
    assert len(cut.data.split("train")) == cut.statistics.num_examples < 90
    write_folder(cut.data, tmp_path / "out")
    assert_same_rows(cut.data, load(tmp_path / "out"))


def test_a_cut_of_a_named_data_set_is_not_taken_for_the_whole(shared_data, tmp_path):
    cut = cut_long_tail(load("ucmerced", from_path=shared_data), largest=100)
    write_folder(cut.data, tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.split("train")["id"][:] == cut.data.split("train")["id"][:]
    assert again.split("test")["image"][:3] == cut.data.split("test")["image"][:3]
    np.testing.assert_array_equal(again.statistics(cut.space).counts, cut.statistics.counts)


def test_sparse_tables_keep_features_and_labels(tmp_path):
    source = tmp_path / "train.svm"
    source.write_text("".join(f"{'a,b' if i % 3 else 'b' if i % 2 else 'a'} {i % 7}:0.1 9:{i}.5\n" for i in range(60)))
    cut = cut_long_tail(load(source), largest=10)
    write_folder(cut.data, tmp_path / "out")
    again, rows = load(tmp_path / "out" / "train.svm").split("train"), cut.data.split("train")
    assert [again[name][:] for name in ("labels", "indices", "values")] == [rows[name][:] for name in ("labels", "indices", "values")]


def test_degrees_of_texts_are_kept(tmp_path):
    source = tmp_path / "x.jsonl"
    source.write_text("".join(f'{{"text": "t{i}", "labels": {{"a": 0.75, "b": {0.5 if i % 3 else 0.25}}}}}\n' for i in range(30)))
    cut = cut_long_tail(load(source), largest=10)
    write_folder(cut.data, tmp_path / "out")
    assert load(tmp_path / "out").split("train")["label_values"][:] == cut.data.split("train")["label_values"][:]


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(DataError, match="is there already and not an empty folder"):
        write_folder(data_of("text", text=["t"] * 90), tmp_path)


def test_unknown_labels_that_the_format_cannot_say_are_refused(tmp_path):
    source = tmp_path / "x.csv"
    source.write_text("text,a,b\n" + "".join(f"t{i},1,{'?' if i % 2 else 0}\n" for i in range(20)))
    with pytest.raises(DataError, match="which only image tables can say"):
        write_folder(load(source), tmp_path / "out")


def test_unknown_labels_of_pictures_are_kept(tmp_path):
    data = data_of("image", image=[b"\x89PNG" + bytes([i]) for i in range(90)])
    unknown = {
        split: [[name for name in "abc" if name not in labels][:1] for labels in rows["labels"]] for split, rows in data.splits.items()
    }
    data.splits = {split: rows.add_column("unknown", unknown[split]) for split, rows in data.splits.items()}
    write_folder(data, tmp_path / "out")
    again = load(tmp_path / "out")
    assert {split: rows["unknown"][:] for split, rows in again.splits.items()} == unknown


def test_the_command_writes_and_reports(tmp_path):
    source = tmp_path / "train.csv"
    source.write_text("text,tags\n" + "".join(f"words {i},{'x|y' if i % 4 == 0 else 'x' if i % 2 else 'z'}\n" for i in range(80)))
    command = ["data", "longtail", str(source), "--out", str(tmp_path / "cut"), "--largest", "15"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    counts = load(tmp_path / "cut").statistics(load(tmp_path / "cut").label_space()).counts.tolist()
    shown = {line.split()[0]: line.split()[1:4] for line in result.stdout.splitlines() if line.startswith(("x ", "y ", "z "))}
    assert [shown[name][2] for name in "xyz"] == [str(count) for count in counts]
    assert shown["x"] == ["60", "15", "15"]
    assert "0 head, 0 medium, 3 tail" in result.stdout
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 2
    assert "choose another --out" in again.stderr
