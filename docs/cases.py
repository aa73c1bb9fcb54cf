"""Files and calls that other people's tools stumbled over, run through this version: writes ``docs/cases.md``.

``python docs/cases.py`` prints the page, ``--write`` writes it; ``tests/test_cases.py`` holds the page against the code.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

PAGE = Path(__file__).parent / "cases.md"
TEXTS = ["the pump leaks oil", "the screen flickers", "oil on the screen", "the pump is loud"]
CASES: list[tuple[str, str, str, Callable[[Path], str]]] = []


def case(number: str, thread: str, given: str) -> Callable[[Callable[[Path], str]], Callable[[Path], str]]:
    """Register what happens in a case."""

    def register(run: Callable[[Path], str]) -> Callable[[Path], str]:
        CASES.append((number, thread, given, run))
        return run

    return register


def table(folder: Path, cells: list[str], header: str = "text,labels", name: str = "table.csv", times: int = 15) -> Path:
    """A CSV file of texts, each with the rest of its line."""
    path = folder / name
    rows = [f"{TEXTS[i % 4]}{' ' + 'again ' * (i // 4) if i >= 4 else ''},{cell}" for i, cell in enumerate(cells * times)]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def read(path: Path, **options: Any) -> str:
    """The labels of a file, what was noted while it was read, or why it was refused."""
    from multihot.data import load
    from multihot.errors import MultihotError

    try:
        data = load(path, **options)
    except MultihotError as error:
        return f"refused: {shown(error, path.parent)}"
    names = data.label_space("include").names
    listed = ", ".join(f"`{name}`" for name in names[:6]) + (f" and {len(names) - 6} others" if len(names) > 6 else "")
    notes = "".join(f"; said: {shown(note, path.parent)}" for note in data.notes)
    return f"{len(names)} labels: {listed}{notes}"


def sets(path: Path, rows: int = 4, **options: Any) -> list[Any]:
    """The first label sets of a file."""
    from multihot.data import load

    return list(load(path, **options).split("train")["labels"][:rows])


def fit(*given: Any, **more: Any) -> str:
    """The labels that ``multihot.fit`` learns from data in memory, or why it refused them."""
    import multihot
    from multihot.errors import MultihotError

    with TemporaryDirectory() as folder, warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            run = multihot.fit(*given, method="linear-svm", out=Path(folder) / "run", **more)
        except MultihotError as error:
            return f"refused: {shown(error, Path(folder))}"
        return "labels " + ", ".join(f"`{name}`" for name in run.labels.names)


def command(*words: Any, folder: Path) -> str:
    """How a command ends: well, or with an exit code and its last line."""
    from typer.testing import CliRunner

    from multihot.cli import app

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = CliRunner().invoke(app, [str(word) for word in words])
    lines = [line for line in done.output.splitlines() if line.strip()]
    return "done" if done.exit_code == 0 else f"exit code {done.exit_code}: {shown(lines[-1], folder)}"


def trained(folder: Path, path: Path, *words: Any) -> Path:
    """A linear SVM trained on a table."""
    out = folder / "run"
    found = command("train", path, "--method", "linear-svm", "--out", out, *words, folder=folder)
    assert found == "done", found
    return out


def shown(message: object, folder: Path) -> str:
    """A message as it stands in a table: without the temporary folder, in one line."""
    text = str(message).replace(f"{folder}/", "").removeprefix("multihot: ")
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")


def pictures(folder: Path, names: list[str]) -> None:
    """Small pictures, dark and light in turn."""
    from PIL import Image

    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), color=200 * (number % 2)).save(folder / name)


@case("C01", "scikit-learn#14962", 'label sets that are strings: `labels=["pump,oil", "screen", ...]`')
def _(folder: Path) -> str:
    return fit(TEXTS * 15, labels=["pump,oil", "screen", "oil,screen", "pump,noise"] * 15)


@case("C02", "simpletransformers#51", "cells that hold 0/1 vectors: `[1, 1, 0]`")
def _(folder: Path) -> str:
    return read(table(folder, ['"[1, 1, 0]"', '"[0, 0, 1]"', '"[0, 1, 1]"', '"[1, 0, 0]"']))


@case("C03", "scikit-llm#114", "`labels=` an array of 0 and 1")
def _(folder: Path) -> str:
    return fit(TEXTS * 15, labels=np.array([[1, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0]] * 15))


@case("C04", "huggingface/datasets#6778", "lists without commas, as NumPy prints them: `['Short Film' 'Drama']`")
def _(folder: Path) -> str:
    return read(table(folder, ["['Short Film' 'Drama']", "['Documentary']", "['Music' 'Reality TV']", "['Short Film' 'Music']"]))


@case("C06", "ludwig#1265", "Python lists and names of two words: `\"['Short Film', 'Drama']\"`")
def _(folder: Path) -> str:
    return read(table(folder, ["\"['Short Film', 'Drama']\"", "\"['Documentary']\""]))


@case("C07", "FARM#493", "one name in each of several columns, some `NONE`: `--labels tag1,tag2`")
def _(folder: Path) -> str:
    path = table(folder, ["mechanics,fluids", "display,NONE", "display,fluids", "mechanics,"], "text,tag1,tag2")
    return read(path, text="text", labels="tag1,tag2")


@case("C08", "chexpert-labeler#29", "0/1 columns with -1 and blanks")
def _(folder: Path) -> str:
    path = table(folder, ["-1.0,1.0", "1.0,", ",0.0", "0.0,1.0"], "text,edema,fracture")
    without = read(path, text="text", labels="edema,fracture")
    return f"{without}; with `uncertain=unknown`: {read(path, text='text', labels='edema,fracture', uncertain='unknown')}"


@case("C09", "rf-detr PR#1303", "MS-COCO export whose category 0 only groups the others")
def _(folder: Path) -> str:
    names = [f"p{number}.png" for number in range(6)]
    pictures(folder / "train", names)
    content = {
        "categories": [
            {"id": 0, "name": "workshop", "supercategory": "none"},
            {"id": 1, "name": "bolts", "supercategory": "workshop"},
            {"id": 2, "name": "nuts", "supercategory": "workshop"},
        ],
        "images": [{"id": f"img-{i}", "file_name": name, "width": 16, "height": 16} for i, name in enumerate(names)],
        "annotations": [{"id": i, "image_id": f"img-{i}", "category_id": 1 + i % 2, "bbox": [1, 1, 4, 4]} for i in range(6)],
    }
    (folder / "train" / "_annotations.coco.json").write_text(json.dumps(content))
    return read(folder)


@case("C11", "omikuji#53", "LibSVM rows without labels")
def _(folder: Path) -> str:
    path = folder / "train.svm"
    path.write_text("0,2 0:1 3:1\n 1:1\n1 2:1 3:1\n" * 5)
    return f"{read(path)}; the first label sets: {sets(path, 3)}"


@case("C12", "scikit-learn PR#4562", "a header that promises 400 rows above a file of 4")
def _(folder: Path) -> str:
    path = folder / "cut.txt"
    path.write_text("400 6 3\n0,1 0:1 2:1\n1 1:1\n2 3:1\n1 5:1\n")
    return read(path)


@case("C13", "fastText#72", "fastText's `__label__pump __label__oil pump leaks oil`")
def _(folder: Path) -> str:
    path = folder / "ft.txt"
    path.write_text("__label__pump __label__oil pump leaks oil\n__label__screen screen flickers\n" * 5)
    return read(path)


@case("C13", "LibMultiLabel#64", "`1<TAB>pump oil<TAB>pump leaks oil` without a header line")
def _(folder: Path) -> str:
    path = folder / "train.tsv"
    path.write_text("1\tpump oil\tpump leaks oil\n2\tscreen\tscreen flickers\n3\tpump\tit is loud\n")
    return f"{read(path)}; with `header=false`: {read(path, header=False, id=1, labels=2, text=3, delimiter=' ')}"


@case("C14", "iterative-stratification#6", "1,000 rows with two of 3,000 rare tags each, a tenth set aside")
def _(folder: Path) -> str:
    from multihot.data import load

    draw = np.random.default_rng(0)
    shares = 1 / np.arange(1, 3001) ** 0.6
    path = folder / "tags.csv"
    tags = [draw.choice(3000, 2, replace=False, p=shares / shares.sum()) for _ in range(1000)]
    path.write_text("text,tags\n" + "".join(f"text {i},tag{one};tag{two}\n" for i, (one, two) in enumerate(tags)))
    data = load(path).with_validation(0.1)
    notes = "".join(f"; said: {shown(note, folder)}" for note in data.notes)
    return f"{len(data.split('train'))} train, {len(data.split('validation'))} validation{notes}"


@case("C16", "FLAML#549", "a CSV file with the data frame's index as its first column")
def _(folder: Path) -> str:
    from multihot.data import load

    path = folder / "with_index.csv"
    path.write_text(",a,b,early,late\n" + "".join(f"{i},{i % 7}.5,{i % 3}.2,{int(i < 50)},{int(i >= 50)}\n" for i in range(100)))
    data = load(path, labels="early,late")
    return f"features {', '.join(data.feature_names or ())}" + "".join(f"; said: {shown(note, folder)}" for note in data.notes)


@case("C17", "simpletransformers#252", "another decision for a finished linear SVM: `decode RUN --set method.decision=per_label`")
def _(folder: Path) -> str:
    run = trained(folder, table(folder, ["pump;oil", "screen", "oil;screen", "pump"]))
    return command("decode", run, "--set", "method.decision=per_label", "--out", folder / "again", folder=folder)


@case("C18", "scikit-learn#10410", "labels in later data that training never saw")
def _(folder: Path) -> str:
    run = trained(folder, table(folder, ["pump;oil", "screen", "oil;screen", "pump"]))
    import multihot

    found = multihot.load(run).evaluate(str(table(folder, ["pump;cable", "screen"], name="new.csv", times=1)))
    return f"measured without them: unseen labels {found['unseen_labels']}"


@case("C19", "fast-bert#280", "the same training twice")
def _(folder: Path) -> str:
    path = table(folder, ["pump;oil", "screen", "oil;screen", "pump"])
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    one, two = trained(folder / "a", path), trained(folder / "b", path)
    same = (one / "model.safetensors").read_bytes() == (two / "model.safetensors").read_bytes()
    return "the same model, byte for byte" if same else "another model"


@case("C21", "openml-r#308", "ARFF whose labels are `{FALSE,TRUE}`")
def _(folder: Path) -> str:
    path = folder / "truefalse.arff"
    header = "@relation 'tiny: -C 2'\n@attribute wet {FALSE,TRUE}\n@attribute loud {FALSE,TRUE}\n@attribute size numeric\n@data\n"
    path.write_text(header + "TRUE,FALSE,0.8\nFALSE,TRUE,0.1\n" * 4)
    return f"{read(path)}; the first label sets: {sets(path, 2)}"


@case("C22", "spaCy#4030", "empty texts to predict")
def _(folder: Path) -> str:
    import multihot

    run = multihot.load(trained(folder, table(folder, ["pump;oil", "screen", "oil;screen", "pump"])))
    return f"{len(run.predict(['', '   ', 'the pump leaks oil']))} predictions for 3 texts"


@case("C23", "mimic-code#1423", "labels that are codes such as 250.00")
def _(folder: Path) -> str:
    path = table(folder, ["250.00", "401.9", "038.9", "428.0"])
    return f"{read(path)}; named with `labels=`: {read(path, text='text', labels='labels')}"


@case("C24", "autogluon PR#2509", "label cells that say `nan`, `None` or `N/A`")
def _(folder: Path) -> str:
    return read(table(folder, ["nan", "None", "N/A", "Pump;Oil"]))


@case("C25", "doccano#1821", "names that hold the separator, written by `predict --out x.csv` and read again")
def _(folder: Path) -> str:
    rows = [{"text": text, "labels": labels} for text, labels in zip(TEXTS, [["Food; drink", "Home"], ["Film|TV"]] * 2, strict=True)]
    path = folder / "train.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows * 15) + "\n")
    run = trained(folder, path)
    command("predict", run, path, "--out", folder / "tagged.csv", folder=folder)
    lines = (folder / "tagged.csv").read_text().splitlines()
    (folder / "again.csv").write_text("\n".join(["text," + lines[0], *(f"a,{line}" for line in lines[1:])]) + "\n")
    return f"the cell `{lines[1].partition(',')[2]}`, read as {sets(folder / 'again.csv', 1, text='text', labels='labels')[0]}".replace(
        "|", "\\|"
    )


@case("C26", "type_infer#32", "a stray `;` in one of 500 cells separated by commas")
def _(folder: Path) -> str:
    return read(table(folder, ['"Drama, Music"', '"Comedy, Reality TV"'] * 124 + ['"Drama; Music"', '"Music, Comedy"'], times=1))


@case("C27", "fastai#1331", "a column of pictures without suffix: `1`, `2`, ...")
def _(folder: Path) -> str:
    from multihot.data import load

    pictures(folder, [f"images/{number}.png" for number in range(1, 9)])
    path = folder / "noext.csv"
    path.write_text("image,labels\n" + "".join(f"{number},{'bolt nut' if number % 2 else 'nut'}\n" for number in range(1, 9)))
    data = load(path, labels="labels", delimiter=" ")
    return f"{len(data.split('train'))} rows of modality {data.modality}"


@case("C28", "MLRSNet#4", "columns in another order at prediction")
def _(folder: Path) -> str:
    import multihot

    path, other = folder / "train.csv", folder / "other.csv"
    rows = [(i / 40, (i * 7 % 40) / 40) for i in range(40)]
    path.write_text("a,b,up,down\n" + "".join(f"{a},{b},{int(a > 0.5)},{int(b > 0.5)}\n" for a, b in rows))
    other.write_text("b,extra,a\n" + "".join(f"{b},9,{a}\n" for a, b in rows))
    run = multihot.load(trained(folder, path, "--labels", "up,down"))
    same = (run.predict(str(path)).scores == run.predict(str(other)).scores).all()
    return "the same predictions" if same else "other predictions"


@case("C29", "scikit-learn#17288", "20,000 labels, most of which occur once")
def _(folder: Path) -> str:
    path = folder / "many.svm"
    path.write_text("".join(f"{i},{i % 50} {i % 97}:1 {97 + i % 89}:1\n" for i in range(20000)))
    return read(path)


@case("C30", "meka#38", "a classifier chain with a single label")
def _(folder: Path) -> str:
    path = table(folder, ["pump", "", "pump", "pump"])
    return command("train", path, "--method", "classifier-chain", "--out", folder / "chain", folder=folder)


@case("A14", "", "`--set training.device=cuda` without a GPU")
def _(folder: Path) -> str:
    import torch

    if torch.cuda.is_available():  # the page is about machines without one
        return "refused: training.device is cuda, but no such device is available here"
    words = ("train", table(folder, ["pump;oil", "screen"]), "--set", "training.device=cuda", "--out", folder / "run")
    return command(*words, folder=folder)


@case("A14", "", "a run of a table, given a file of texts")
def _(folder: Path) -> str:
    path = folder / "train.csv"
    path.write_text("a,up\n" + "".join(f"{i / 40},{int(i > 20)}\n" for i in range(40)))
    run = trained(folder, path, "--labels", "up")
    return command("predict", run, table(folder, ["pump"], name="texts.csv"), folder=folder)


@contextlib.contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """What is read here was prepared by this version."""
    before = os.environ.get("MULTIHOT_CACHE")
    os.environ["MULTIHOT_CACHE"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("MULTIHOT_CACHE") if before is None else os.environ.update(MULTIHOT_CACHE=before)


def page() -> str:
    """The page, with every case run."""
    lines = [
        "# Cases from practice",
        "",
        "Situations that people reported in public threads about other tools, tried here. A script runs them and writes the table:",
        "",
        "<!-- not run: it writes this page -->",
        "```bash",
        "python docs/cases.py --write",
        "```",
        "",
        "| case | thread | given | what happens |",
        "|---|---|---|---|",
    ]
    for number, thread, given, run in CASES:
        with TemporaryDirectory() as folder, TemporaryDirectory() as cache, own_cache(Path(cache)):
            lines.append(f"| {number} | {thread} | {given} | {run(Path(folder))} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the page or write it."""
    written = page()
    if "--write" in sys.argv[1:]:
        PAGE.write_text(written, encoding="utf-8")
    else:
        sys.stdout.write(written)


if __name__ == "__main__":
    main()
