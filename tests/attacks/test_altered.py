"""What belongs to a run or to the cache changes under its feet: the data, the pictures, the name and place of a folder."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Command, Ended, difference
from PIL import Image
from small import small_rows, write_csv

import multihot.data

Rows = list[dict]


def rotated(rows: Rows) -> Rows:
    return [row | {"tags": other["tags"]} for row, other in zip(rows, rows[1:] + rows[:1], strict=True)]


ALTERATIONS: dict[str, Callable[[Rows], Rows]] = {
    "the labels of all rows moved by one": rotated,
    "other words": lambda rows: [row | {"body": f"{row['body']} other{number}"} for number, row in enumerate(rows)],
    "a row more": lambda rows: [*rows, rows[0] | {"id": "more"}],
    "a row less": lambda rows: rows[:-1],
    "another label": lambda rows: [rows[0] | {"tags": [*rows[0]["tags"], "new"]}, *rows[1:]],
    "two rows exchanged": lambda rows: [rows[1], rows[0], *rows[2:]],
}


def test_resumed_on_other_data(row, size, draw, training, undisturbed, forks, later, place, tmp_path):
    whole, _ = undisturbed("br")
    table = row("killed after a checkpoint, the data altered, --resume; then the data put back")
    source = tmp_path / "train.csv"
    for name in list(ALTERATIONS)[: size(2, len(ALTERATIONS))]:
        write_csv(source, small_rows(100))
        folder = tmp_path / name.replace(" ", "-")
        words = [str(source) if word == str(place / "train.csv") else word for word in training("br", folder, "--seed", 0).words]
        forks.together(Command(tuple(words), str(place), signal=signal.SIGKILL, at=str(folder / "checkpoints/last.ckpt")))
        write_csv(source, ALTERATIONS[name](small_rows(100)))
        refused = later.run("train", "--resume", folder, folder=str(place))
        write_csv(source, small_rows(100))
        resumed = later.run("train", "--resume", folder, folder=str(place))
        fault = refused.fault or ("" if refused.outcome == "refused" else "it went on without a word")
        fault = fault or ("" if "train" in refused.said[0] else f"the data is not named: {refused.said}")
        table.tried(name, fault or resumed.fault or differs_in_more_than_the_source(folder, whole, tmp_path), "refused, then the same")
    assert table.faults == []


def differs_in_more_than_the_source(folder: Path, whole: Path, place: Path) -> str:
    """The run was made from a copy of the same data, so its configuration names another file; everything else is the same."""
    copy = shutil.copytree(folder, place / "copy", dirs_exist_ok=False)
    shutil.copy(whole / "config.yaml", copy / "config.yaml")
    found = difference(copy, whole)
    shutil.rmtree(copy)
    return found


def picture(path: Path, draw: random.Random) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), tuple(draw.randrange(256) for _ in range(3))).save(path)


def table_of_pictures(folder: Path, draw: random.Random) -> tuple[Path, list[Path]]:
    (folder / "t.csv").write_text("image,labels\n" + "".join(f"p{i}.png,{'ab'[i % 2]}\n" for i in range(4)))
    return folder / "t.csv", [folder / f"p{i}.png" for i in range(4)]


def coco(folder: Path, draw: random.Random) -> tuple[Path, list[Path]]:
    images = [{"id": i, "file_name": f"p{i}.png"} for i in range(4)]
    boxes = [{"image_id": i, "category_id": 1 + i % 2} for i in range(4)]
    categories = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    (folder / "x.json").write_text(json.dumps({"info": {}, "images": images, "annotations": boxes, "categories": categories}))
    return folder / "x.json", [folder / f"p{i}.png" for i in range(4)]


def voc(folder: Path, draw: random.Random) -> tuple[Path, list[Path]]:
    (folder / "Annotations").mkdir()
    for i in range(4):
        xml = f"<annotation><filename>p{i}.png</filename><object><name>{'ab'[i % 2]}</name></object></annotation>"
        (folder / "Annotations" / f"p{i}.xml").write_text(xml)
    return folder, [folder / "JPEGImages" / f"p{i}.png" for i in range(4)]


def named_by_age(folder: Path, draw: random.Random) -> tuple[Path, list[Path]]:
    return folder, [folder / f"{i:03}A{10 + i}.png" for i in range(4)]


NAMED = {"a table of pictures": table_of_pictures, "coco-json": coco, "voc-xml": voc, "fg-net": named_by_age}


def test_another_folders_pictures(row, draw, tmp_path):
    table = row("equal tables with other pictures, in another folder and in place: the cache serves the right ones")
    for name, make in NAMED.items():
        for where in ("another folder", "replaced in place", "one replaced in place"):
            first, second = (tmp_path / f"{name}-{where}-{number}" / "same" for number in (1, 2))
            for folder in (first,) if "place" in where else (first, second):
                folder.mkdir(parents=True)
                source, pictures = make(folder, draw)
                for path in pictures:
                    picture(path, draw)
                before = read_pictures(source, pictures)
            if "place" in where:
                for path in pictures[:1] if "one" in where else pictures:
                    picture(path, draw)
                    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
                before = read_pictures(source, pictures)
            table.tried(f"{name}, {where}", before, "its own pictures")
    assert table.faults == []


def read_pictures(source: Path, pictures: list[Path]) -> str:
    """Whether the data set holds the bytes of the files that it names; the fault, or nothing."""
    held = sorted(bytes(cell) for rows in multihot.data.load(source).splits.values() for cell in rows["image"])
    return "" if held == sorted(path.read_bytes() for path in pictures) else "it holds other pictures than the folder"


READERS = [["predict", "{run}", "{new}"], ["evaluate", "{run}", "{more}"], ["evaluate", "{run}"], ["compare", "{run}"],
           ["report", "{run}", "--out", "{out}.html"], ["decode", "{run}", "--decoding", "threshold", "--out", "{out}"]]  # fmt: skip


def read_run(forks, run: Path | str, place: Path, out: Path, folder: Path) -> list[tuple[str, Ended]]:
    """Everything that reads a finished run, from a working folder."""
    names = {"run": run, "new": place / "new.csv", "more": place / "more.csv", "out": out}
    return [(" ".join(words[:1]), forks.run(*(word.format(**names) for word in words), folder=str(folder))) for words in READERS]


PLACES = {
    "another working folder": b"run",
    "a blank and an umlaut in its name": "mein l\u00fcckenhafter Lauf".encode(),
    "a name that is no UTF-8": b"n\xff",
}


@pytest.mark.parametrize("name", PLACES)
def test_a_run_that_was_moved(name, row, undisturbed, forks, place, tmp_path):
    whole, _ = undisturbed("br")
    table = row(f"moved run folder, {name}: predict, evaluate, report, compare, decode")
    wanted = [ended.out for _, ended in read_run(forks, whole, place, tmp_path / "first", place)]
    raw = PLACES[name]
    shutil.copytree(os.fsencode(whole), os.fsencode(tmp_path) + b"/" + raw)
    for (command, ended), out in zip(read_run(forks, os.fsdecode(raw), place, tmp_path / "out", tmp_path), wanted, strict=True):
        fault = ended.fault or ("" if (ended.outcome, ended.out) == ("done", out) else f"{ended.outcome}: {ended.said or ended.out[:200]}")
        table.tried(command, "" if b"\xff" in raw and names_the_encoding(ended) else fault, ended.outcome)
    assert table.faults == []


def names_the_encoding(ended: Ended) -> bool:
    """Whether a refusal says what is wrong with such a name, and does not call a good run damaged."""
    return ended.outcome == "refused" and "UTF-8" in ended.said[0] and "damaged" not in ended.said[0]


def test_trained_into_a_name_that_is_no_utf_8(row, undisturbed, training, forks, tmp_path):
    whole, _ = undisturbed("br")
    table = row("train into a folder whose name is no UTF-8")
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/n\xff")
    [ended] = forks.together(training("br", Path(folder), "--seed", 0))
    table.tried("--out n\\xff", ended.fault or ("" if names_the_encoding(ended) else difference(Path(folder), whole)), ended.outcome)
    assert table.faults == []
