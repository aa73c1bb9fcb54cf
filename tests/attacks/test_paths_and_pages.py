"""Names and texts of strangers: paths that lead out of the data, XML that reads or grows, markup in pages, control characters."""

from __future__ import annotations

import csv
import json
import os
import pty
import runpy
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from run_folders import make_run, random_problem

import multihot.data
from multihot.errors import MultihotError
from multihot.report import write_report

SECRET = b"what no data set may hold"
OUTSIDE = ["../secret.png", "a/../../secret.png", "./../secret.png", "{absolute}", "~/secret.png", "..\\secret.png", "a\0/../../secret.png",
           "file://{absolute}"]  # fmt: skip
COCO_NAMES = ["../secret.png", "{absolute}", "x/../../secret.png"]
ENTITY = (
    '<?xml version="1.0"?><!DOCTYPE a [{entities}]><annotation><filename>a.png</filename><object><name>{label}</name></object></annotation>'
)
LAUGHS = '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))


def source_of(folder: Path) -> Path:
    """A folder with one good picture, and a secret beside the folder."""
    source = folder / "source"
    source.mkdir(parents=True)
    (folder / "secret.png").write_bytes(SECRET)
    (source / "a.png").write_bytes(b"a picture")
    return source


def tried(table, case: str, path: Path) -> None:
    """Read it here: refused in one line, or without the secret."""
    try:
        held = [bytes(cell) for rows in multihot.data.load(path).splits.values() for cell in rows["image"]]
    except MultihotError as error:
        table.tried(case, "" if len(str(error).splitlines()) == 1 else str(error), "refused")
    except Exception as error:
        table.tried(case, f"traceback: {error!r}")
    else:
        table.tried(case, "the file outside was read" if SECRET in held else "", "the file outside was not read")


def test_paths_that_lead_outside(row, tmp_path):
    table = row("path traversal: CSV, COCO, VOC")
    for number, name in enumerate(OUTSIDE):
        source = source_of(tmp_path / f"csv-{number}")
        absolute = str(source.parent / "secret.png")
        with (source / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["image", "labels"], ["a.png", "x"], [name.format(absolute=absolute), "y"]])
        tried(table, f"CSV {name!r}", source / "t.csv")
    for number, name in enumerate(COCO_NAMES):
        source = source_of(tmp_path / f"coco-{number}")
        images = [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": name.format(absolute=source.parent / "secret.png")}]
        boxes = [{"image_id": 1, "category_id": 1}, {"image_id": 2, "category_id": 1}]
        (source / "x.json").write_text(
            json.dumps({"info": {}, "images": images, "annotations": boxes, "categories": [{"id": 1, "name": "c"}]})
        )
        tried(table, f"COCO {name!r}", source / "x.json")
    source = source_of(tmp_path / "voc")
    voc(source, "<annotation><filename>../../secret.png</filename><object><name>x</name></object></annotation>")
    tried(table, "VOC ../../secret.png", source)
    assert table.faults == []


def voc(source: Path, xml: str) -> None:
    (source / "Annotations").mkdir()
    (source / "JPEGImages").mkdir()
    (source / "JPEGImages" / "a.png").write_bytes(b"a picture")
    (source / "Annotations" / "a.xml").write_text(xml)


def test_xml_that_reads_files_or_grows(row, forks, tmp_path):
    table = row("XXE and billion laughs, in VOC annotations and MULAN's list of labels")
    entities = {"XXE": ('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"), "billion laughs": (LAUGHS, "&l9;")}
    for name, (declared, label) in entities.items():
        source = source_of(tmp_path / name.replace(" ", "-"))
        voc(source, ENTITY.format(entities=declared, label=label))
        mulan = source.parent / "m"
        mulan.mkdir()
        rows = "\n".join("1,0" for _ in range(4))
        (mulan / "m.arff").write_text(f"@relation x\n@attribute f numeric\n@attribute l {{0,1}}\n@data\n{rows}\n")
        xml = f'<?xml version="1.0"?><!DOCTYPE labels [{declared}]><labels><label name="l">{label}</label></labels>'
        (mulan / "m.xml").write_text(xml)
        for path in (source, mulan / "m.arff"):
            ended = forks.run("data", "stats", path, memory=3 * 2**30, seconds=60)
            leaked = "root:" in ended.out + ended.err
            table.tried(f"{name} in {path.name}", "the file was read" if leaked else ended.fault, ended.outcome)
    assert table.faults == []


SCRIPT = "<script>window.pwned=1</script>"
PAYLOADS = [
    *(f"{before}{SCRIPT}" for before in ("", "</script>", '">', "]]>", "</style>", "</title>", "</textarea>", "<math><mtext>")),
    *(f"<{tag}=window.pwned=1>" for tag in ("img src=x onerror", "svg onload", "body onload", "input autofocus onfocus")),
    *("' onmouseover='window.pwned=1", "javascript:window.pwned=1", "<a href=javascript:window.pwned=1>x</a>", "<!--<script>"),
    *("{{content}}", "${window.pwned=1}", "\u2028window.pwned=1\u2029", "\\u003cscript>window.pwned=1", "<base href=//x>"),
    *("<iframe srcdoc='<script>parent.pwned=1</script>'>", "<meta http-equiv=refresh content=0>"),
]


def test_markup_in_pages(row, size, tmp_path):
    """``tests/report`` holds that names are only text where they are shown; here no script may run, whatever it came by."""
    pytest.importorskip("selenium", reason="selenium drives the browser; it comes with multihot[dev]")
    table = row("HTML injection: labels, texts, run names, data, published; report and compare in Chromium")
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("no chromium with chromedriver here (Debian: chromium, chromium-driver)")
    pictures = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "docs" / "pictures" / "make_pictures.py")))
    targets, scores = random_problem(30, len(PAYLOADS))
    texts = [PAYLOADS[i % len(PAYLOADS)] for i in range(30)]
    runs = []
    for payload in PAYLOADS[: size(2, len(PAYLOADS))]:
        source = {"source": payload, "row": payload, "table": payload, "measures": {"micro_f1": 0.5}}
        name = payload.replace("/", "")[:40]
        runs.append(make_run(tmp_path / "runs" / name, targets, scores, names=PAYLOADS, ids=[f"{i} {text}" for i, text in enumerate(texts)],
                             excerpts=texts, data=payload, settings={"published": source}))  # fmt: skip
    second = make_run(tmp_path / "again" / "two", targets, scores, names=PAYLOADS, ids=[f"{i} {text}" for i, text in enumerate(texts)],
                      excerpts=texts, data=PAYLOADS[0])  # fmt: skip
    from typer.testing import CliRunner

    from multihot.cli import app

    compared = CliRunner().invoke(app, ["compare", str(tmp_path / "runs"), "--format", "html", "--out", str(tmp_path / "compared.html")])
    assert compared.exit_code == 0, compared.output
    pages = {"compare of all": tmp_path / "compared.html"} | {
        run.name: write_report([run], tmp_path / f"{i}.html") for i, run in enumerate(runs)
    }
    pages["report of two"] = write_report([runs[0], second], tmp_path / "two.html")
    with pictures.browser(1200, 900) as driver:
        for name, page in pages.items():
            driver.get(page.as_uri())
            driver.execute_async_script("setTimeout(arguments[0], 250)")
            ran = driver.execute_script("return window.pwned === 1 || document.querySelectorAll('main script, iframe, base').length > 0")
            policy = driver.execute_script("return !!document.querySelector('meta[http-equiv=\"Content-Security-Policy\"]')")
            table.tried(name, "a script ran or was put in" if ran else "" if policy or "compare" in name else "no content policy")
    assert table.faults == []


CONTROL = {
    "the title": "\x1b]0;owned\x07",
    "the screen": "\x1b[2J",
    "eight-bit controls": "\x9b2J",
    "a line over another": "x\rmultihot: all is well",
}


def on_a_terminal(forks, words, **more) -> str:
    """What a command writes to a terminal."""
    master, slave = pty.openpty()
    held: list[bytes] = []

    def drain() -> None:
        while True:
            try:
                held.append(os.read(master, 65536))
            except OSError:
                return

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    environment = {"TERM": "dumb", "NO_COLOR": "1"}
    ended = forks.run(*words, out=os.ttyname(slave), environment=environment, **more)
    os.close(slave)
    thread.join(2)
    return b"".join(held).decode(errors="surrogateescape") + ended.err


@pytest.mark.parametrize("kind", CONTROL)
def test_control_characters(kind, row, size, forks, place, tmp_path):
    table = row("control characters in labels, texts, ids, columns and file names, on a terminal")
    payload = CONTROL[kind]
    source, run = tmp_path / "t.csv", tmp_path / "run"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "body", "tags"])
        writer.writerows([f"{payload}{i}", f"wheat {payload}", f"{payload};b{i % 3}"] for i in range(40))
    reading = ("--text", "body", "--labels", "tags")
    forks.run("train", source, *reading, "--method", "linear-svm", "--out", run)
    commands = {
        "data stats": ["data", "stats", source, *reading],
        "predict": ["predict", run, source],
        "evaluate": ["evaluate", run, source],
        "compare": ["compare", run],
        "train": ["train", source, *reading, "--method", "linear-svm", "--out", tmp_path / "again"],
        "longtail": ["data", "longtail", source, *reading, "--out", tmp_path / "lt"],
        "a file's name": ["data", "stats", tmp_path / f"{payload}.csv".replace("/", "")],
        "a column's name": ["data", "stats", source, "--text", payload, "--labels", "tags"],
        "a method's name": ["train", source, "--method", payload, "--out", tmp_path / "again"],
        "a setting": ["train", source, "--set", f"method.{payload}=1", "--out", tmp_path / "again"],
    }
    for name in list(commands)[: size(3, len(commands))]:
        said = on_a_terminal(forks, commands[name], folder=str(tmp_path))
        table.tried(
            f"{kind}, {name}", "sent to the terminal as it is" if payload in said.replace("\r\n", "\n") else "", "escaped or not shown"
        )
    assert table.faults == []
