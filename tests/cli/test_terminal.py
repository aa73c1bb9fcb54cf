"""What names from data do to a terminal and to a spreadsheet: nothing. Files keep them as they are."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from multihot.cli import app
from multihot.cli.errors import INTERRUPTED, stopped_in_one_line
from multihot.cli.tables import terminal
from multihot.errors import DataError, visible

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))
from profiles import quick

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
LABELS = ["\x1b]0;a title\x07grain", "[red]metal[/red]", "money\u202e\x9b31m", "=cmd|'/c calc'!A0", ":car:"]
IDS = ["=1+1", "+1", "-1", "@sum", "\x1b[2J", "plain"]


def call(*words):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(word) for word in words])


def seen(result) -> str:
    """What a command printed, if it ended well and nothing in it steers a terminal."""
    assert result.exit_code == 0, (result.output, result.exception)
    printed = result.stdout + result.stderr
    assert CONTROL.search(printed) is None, printed
    return printed


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    rows = [{"id": f"{IDS[i % 6]} {i}", "text": f"word{i % 5} and", "labels": [LABELS[i % 5], LABELS[(i + 1) % 5]]} for i in range(60)]
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "new.jsonl").write_text("".join(json.dumps({**row, "labels": ["\x1b[31mnew", LABELS[0]]}) + "\n" for row in rows[:6]))
    seen(call("train", folder / "t.jsonl", "--method", "linear-svm", "--out", folder / "run", "--set", "data.split=random"))
    return folder


def test_labels_and_ids_in_a_terminal(desk):
    printed = seen(call("data", "stats", desk / "t.jsonl"))
    assert "[red]metal[/red]" in printed
    assert "\\x1b]0;a title\\x07grain" in printed
    assert ":car:" in printed
    assert "\\x1b[31mnew" in seen(call("evaluate", desk / "run", desk / "new.jsonl"))
    seen(call("compare", desk / "run"))
    seen(call("compare", desk / "run", "--format", "markdown"))
    printed = seen(call("predict", desk / "run", desk / "new.jsonl"))
    found = [json.loads(line) for line in printed.splitlines()]
    assert [row["id"] for row in found] == [f"{IDS[i]} {i}" for i in range(6)]  # the codes are JSON's own
    assert {label for row in found for label in row["labels"]} <= set(LABELS)


def test_file_names_in_a_terminal(desk):
    name = os.fsdecode(b"a\x1b[31m\xff.csv")
    result = call("train", desk / name, "--out", desk / "none")
    assert result.exit_code == 2
    assert "a\\x1b[31m\\udcff.csv" in result.stderr
    assert CONTROL.search(result.stderr) is None


def test_errors_show_what_they_quote():
    assert str(DataError("label '\x1b[31m\u202ex'")) == "label '\\x1b[31m\\u202ex'"


def test_csv_files_are_faithful_unless_they_are_asked_to_be_safe(desk):
    faithful, safe = desk / "faithful.csv", desk / "safe.csv"
    assert call("predict", desk / "run", desk / "new.jsonl", "--out", faithful, "--top", 2).exit_code == 0
    assert call("predict", desk / "run", desk / "new.jsonl", "--out", safe, "--top", 2, "--spreadsheet-safe").exit_code == 0
    plain, guarded = (list(csv.DictReader(path.open(newline="", encoding="utf-8"))) for path in (faithful, safe))
    assert [row["id"] for row in plain] == [f"{IDS[i]} {i}" for i in range(6)]
    for before, after in zip(plain, guarded, strict=True):
        assert list(before) == list(after) == ["id", "labels", "scores"]
        for key in before:
            split = json.loads if key == "labels" and before[key].startswith("[") else lambda cell: cell.split(";")  # as spreadsheets do
            parts, written = split(before[key]), split(after[key])
            assert written == [f"'{part}" if part.startswith(("=", "+", "-", "@")) else part for part in parts]
    assert any("'=cmd" in row["labels"] for row in guarded)
    for words in ((), ("--out", desk / "x.jsonl"), ("--out", desk / "x.parquet")):
        result = call("predict", desk / "run", desk / "new.jsonl", "--spreadsheet-safe", *words)
        assert result.exit_code == 2
        assert "--spreadsheet-safe is for CSV files" in result.stderr


@quick(200)
@given(st.text(st.characters(), max_size=12))
def test_any_text(text):
    shown = visible(text)
    assert CONTROL.search(shown) is None
    shown.encode()
    assert visible(shown) == shown
    if text.isascii() and text.isprintable():
        assert shown == text
    console = terminal(width=200)
    with console.capture() as captured:
        console.print(text)
    assert CONTROL.search(captured.get()) is None


NAME = os.fsdecode(b"n\xff")


@pytest.mark.parametrize("command", ["train", "resume", "decode"])
def test_no_run_is_written_into_a_folder_whose_name_is_not_utf8(desk, command):
    out = desk / NAME
    words = {
        "train": ("train", desk / "t.jsonl", "--out", out),
        "resume": ("train", "--resume", out),
        "decode": ("decode", desk / "run", "--set", "method.decision=global", "--out", out),
    }[command]
    result = call(*words)
    assert result.exit_code == 2, (result.output, result.exception)
    assert len(result.stderr.splitlines()) == 1
    if command != "decode":  # a linear method has none, and says so first
        assert "n\\udcff: the name of this folder is not UTF-8" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize("command", ["predict", "evaluate", "report", "compare", "cite"])
def test_a_run_whose_folder_was_renamed_so_says_it(desk, command):
    (desk / "run").rename(desk / NAME)
    try:
        rest = {"predict": [desk / "new.jsonl"], "report": ["--out", desk / "r.html"]}.get(command, [])
        result = call(command, desk / NAME, *rest)
    finally:
        (desk / NAME).rename(desk / "run")
    assert result.exit_code == 2, (result.output, result.exception)
    assert len(result.stderr.splitlines()) == 1
    assert "n\\udcff: the name of this folder is not UTF-8, so no run can lie there; give it another name" in result.stderr


def test_other_files_may_have_any_name(desk):
    data = desk / f"{NAME}.jsonl"
    data.write_bytes((desk / "t.jsonl").read_bytes())
    method = ("--method", "linear-svm", "--set", "data.split=random")
    assert "n\\udcff: " in seen(call("train", data, "--out", desk / "ascii", *method))
    for suffix in ("jsonl", "csv", "parquet"):
        seen(call("predict", desk / "ascii", data, "--out", desk / f"{NAME}-tags.{suffix}"))
    seen(call("report", desk / "ascii", "--out", desk / f"{NAME}.html"))
    seen(call("compare", desk / "ascii", "--out", desk / f"{NAME}.md"))
    seen(call("evaluate", desk / "ascii", data, "--out", desk / f"{NAME}.json"))
    assert call("train", data, *method).exit_code == 2  # the folder that would be made after it


@pytest.mark.parametrize("words", [["segment", "a" * 4000], ["train", "b" * 300 + ".csv"], ["report", "c" * 300], ["compare", "d" * 5000]])
def test_names_that_no_file_can_have_end_in_one_line(words):
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "name too long" in result.stderr or "no " in result.stderr


def test_ctrl_c_while_words_are_read_ends_in_one_line(capsys):
    with pytest.raises(SystemExit) as ended, stopped_in_one_line():
        raise KeyboardInterrupt
    assert ended.value.code == INTERRUPTED
    assert capsys.readouterr().err == "multihot: stopped\n"
