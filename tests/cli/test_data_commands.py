"""``multihot data list | get | stats`` as a person would call them."""

import pytest
from typer.testing import CliRunner

from multihot.cli import app
from multihot.data import catalog

runner = CliRunner()


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("body,tags\n" + "".join(f"some words {i},{'x|y' if i % 2 else 'z'}\n" for i in range(20)))
    return path


def test_list_shows_every_data_set():
    result = runner.invoke(app, ["data", "list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert all(name in result.stdout for name in catalog.names())


def test_get_takes_a_copy_at_hand(shared_data, tmp_path):
    env = {"MULTIHOT_CACHE": str(tmp_path / "cache")}
    result = runner.invoke(app, ["data", "get", "mulan/flags", "--from", str(shared_data)], env=env)
    assert result.exit_code == 0
    assert "129 train, 65 test; 7 labels" in result.stdout
    result = runner.invoke(app, ["data", "get", "flags", "--from", str(shared_data)], env=env)
    assert "flags: mulan/flags\n" in result.stderr
    assert "mulan/flags: 129 train" in result.stdout
    result = runner.invoke(
        app, ["data", "get", "mulan/flags", "--from", str(shared_data / "mulan"), "--to", str(tmp_path / "here")], env=env
    )
    assert result.exit_code == 0
    assert {p.name for p in (tmp_path / "here").iterdir()} == {"flags-train.arff", "flags-test.arff", "flags.xml"}


def test_an_unknown_name_is_one_line_and_an_exit_code():
    result = runner.invoke(app, ["data", "get", "mulan/flag"])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "did you mean 'mulan/flags'" in result.stderr


def test_stats_prints_and_draws(table, tmp_path):
    result = runner.invoke(app, ["data", "stats", str(table), "--text", "body", "--labels", "tags", "--picture", str(tmp_path / "x.png")])
    assert result.exit_code == 0, result.output
    assert "cardinality" in result.stdout.lower()
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_stats_of_a_wrong_column_is_one_line(table):
    result = runner.invoke(app, ["data", "stats", str(table), "--labels", "tag"])
    assert result.exit_code == 2
    assert "no column 'tag'" in result.stderr
