"""What commands say by the way: what was assumed, doubts, remarks on files, the names of runs, how to go on."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import multihot
from multihot.cli import app
from multihot.data.in_memory import from_rows
from multihot.errors import DataError
from multihot.experiments import Config
from multihot.experiments.doubts import doubts_of_method
from multihot.experiments.fit import fit
from multihot.learners import ClassicalLearner


def call(*words):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    rows = "".join(f"{i},{i % 5}.5,{i % 2},{'a' if i % 2 else 'b;c'}\n" for i in range(200))
    (folder / "table.csv").write_text("index,size,colour,tags\n" + rows)
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": "x", "labels": ["a"]}) + "\n" for _ in range(3)))
    result = call("train", folder / "table.csv", "--labels", "tags", "--method", "logistic", "--out", folder / "sweep" / "one")
    assert result.exit_code == 0, result.output
    return folder


def test_statistics_begin_with_what_was_assumed(desk):
    result = call("data", "stats", desk / "table.csv", "--labels", "tags")
    lines = result.stderr.splitlines()
    assert lines[:3] == [
        "data       table: table",
        "labels     column 'tags', separated by ';': 3 labels, 1.50 per instance",
        "id         the row's number",
    ]
    assert "features   2: size, colour" in lines
    [note] = [line for line in lines if line.startswith("note ")]
    assert "column 'index' numbers the rows" in note
    assert "name it with --features if it is one" in note


def test_doubts_are_lines_once_each(desk):
    (desk / "few.csv").write_text("text,labels\n" + "word,a\nother,b\n" * 10)
    for command in (["data", "stats", desk / "few.csv"], ["train", desk / "few.csv", "--method", "logistic", "--out", desk / "few"]):
        result = call(*command)
        assert result.exit_code == 0, result.output
        assert len([line for line in result.stderr.splitlines() if line.startswith("warning: only ")]) == 1
        assert "MultihotWarning" not in result.stderr


def test_remarks_on_a_file_to_predict_name_options_or_nothing(desk):
    result = call("predict", desk / "sweep" / "one", desk / "table.csv", "--out", desk / "out.csv")
    assert result.exit_code == 0, result.output
    assert "features=" not in result.stderr


def test_texts_for_a_run_of_tables_are_refused(desk):
    run = multihot.load(desk / "sweep" / "one")
    with pytest.raises(DataError, match="was trained on table data, but these rows are text; give rows with 'features' or 'indices'"):
        run.predict(["a text"])
    with pytest.raises(DataError, match="these rows are text"):
        run.evaluate(from_rows([{"text": "x", "labels": ["a"]}]))
    result = call("predict", desk / "sweep" / "one", desk / "texts.jsonl")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "=" not in result.stderr


def test_a_run_read_by_another_decision_is_called_after_it(desk):
    run = desk / "sweep" / "one"
    for setting, name in (
        ("method.decision=top_k", "top_k"),
        ("method.decision={name: fixed, threshold: 0.3}", "fixed"),
        ("method.calibration=platt", "platt"),
    ):
        result = call("decode", run, "--set", setting)
        assert result.exit_code == 0, result.output
        assert (desk / "sweep" / f"one-{name}" / "metrics.json").exists()


def test_a_folder_of_runs_is_cited_once(desk):
    whole, one = call("cite", desk / "sweep"), call("cite", desk / "sweep" / "one")
    assert whole.exit_code == 0, whole.output
    assert set(one.stdout.split("\n\n")) <= set(whole.stdout.split("\n\n"))
    assert whole.stdout.count("@") == len({line for line in whole.stdout.splitlines() if line.startswith("@")})


def test_a_folder_with_a_table_names_it(desk):
    (desk / "photos").mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(desk / "photos" / "a.png")
    (desk / "photos" / "names.csv").write_text("image,labels\na.png,x\n")
    result = call("data", "stats", desk / "photos")
    assert f"give a file in it, such as {desk / 'photos' / 'names.csv'}" in result.stderr


def test_recipes_are_listed_by_a_part_of_their_name():
    some = call("recipes", "list", "yeast").stdout
    assert "mulan/yeast" not in some or "reuters21578" not in some
    assert call("recipes", "list", "zzz").exit_code == 2


@pytest.mark.parametrize(("encoder", "told"), [("timm", 1), ({"name": "timm", "pretrained": True}, 0), ("image_cnn", 0), (None, 0)])
def test_a_network_from_random_weights_is_told(encoder, told):
    data = from_rows([{"text": "x", "labels": ["a"]}, {"text": "y", "labels": ["b"]}])
    lines = doubts_of_method({"name": "br", "encoder": encoder}, data, data.label_space())
    assert len(lines) == told


def test_whoever_stops_a_training_without_updates_is_told_how_to_go_on(tmp_path, monkeypatch):
    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    data = from_rows([{"text": f"word{i % 3}", "labels": ["a" if i % 2 else "b"]} for i in range(200)])
    monkeypatch.setattr(ClassicalLearner, "train", stopped)
    with pytest.raises(
        KeyboardInterrupt,
        match=r"^stopped; `multihot train --resume '.*a run' goes on$|^stopped; `multihot train --resume '.*a run'` goes on$",
    ):
        fit(Config.from_dict({"method": "linear-svm"}), tmp_path / "a run", data)
