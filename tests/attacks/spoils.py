"""Data sets large enough to be trained on, configurations and command lines, and what spoils them."""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from hypothesis import strategies as st
from small import small_rows
from sources import NASTY, spoiled
from test_configurations import CONTENT, TEXT
from typer.main import get_command

ROWS = small_rows(30)
FLAGS = ["grain", "metal", "money", "ship"]


def csv_file() -> bytes:
    return ("id,body,tags\n" + "".join(f"{row['id']},{row['body']},{';'.join(row['tags'])}\n" for row in ROWS)).encode()


def jsonl() -> bytes:
    return "".join(json.dumps({"id": row["id"], "text": row["body"], "labels": row["tags"]}) + "\n" for row in ROWS).encode()


def numbers(row: dict) -> list[int]:
    return [len(row["body"]), row["body"].count("o"), row["body"].count("t")]


def flags(row: dict) -> list[int]:
    return [int(flag in row["tags"]) for flag in FLAGS]


def arff() -> bytes:
    head = "@relation 'x: -C 4'\n" + "".join(f"@attribute {flag} {{0,1}}\n" for flag in FLAGS)
    head += "".join(f"@attribute f{number} real\n" for number in range(3)) + "@data\n"
    return (head + "".join(",".join(map(str, flags(row) + numbers(row))) + "\n" for row in ROWS)).encode()


def libsvm() -> bytes:
    lines = []
    for row in ROWS:
        labels = ",".join(str(place) for place, flag in enumerate(flags(row)) if flag)
        lines.append(f"{labels} " + " ".join(f"{place}:{value}" for place, value in enumerate(numbers(row), start=1)) + "\n")
    return "".join(lines).encode()


def parquet(columns: dict[str, Any] | None = None) -> bytes:
    table = {"id": [row["id"] for row in ROWS], "text": [row["body"] for row in ROWS], "labels": [row["tags"] for row in ROWS]}
    pq.write_table(pa.table(table | (columns or {})), file := io.BytesIO())
    return file.getvalue()


SOURCES = {"CSV": ("x.csv", csv_file()), "JSONL": ("x.jsonl", jsonl()), "ARFF": ("x.arff", arff()), "LibSVM": ("x.svm", libsvm()),
           "Parquet": ("x.parquet", parquet())}  # fmt: skip

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=4), st.binary(max_size=4), st.dates(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-99, max_value=99), st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["grain", "x"]), st.floats(), max_size=2),
)  # fmt: skip
JSON = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.sampled_from(["train", "test", "", "grain"]))
PLAUSIBLE = [b"0", b"1", b"?", b"1e3", b"-0.5", b"", b"2", b"grain", b"wheat", "größe".encode(), b"0.1", b"3:1", b"1:2"]


@st.composite
def odd_parquet(draw: st.DrawFn) -> bytes:
    """A well-formed file with a column of another kind: what comes after the checks of the bytes."""
    name = draw(st.sampled_from(["id", "text", "labels", "split", "f"]))
    cell = draw(CELLS)
    column: list[Any] = [cell] * len(ROWS)
    if draw(st.booleans()):
        column = [cell if draw(st.booleans()) else None for _ in ROWS]
    try:
        return parquet({name: column})
    except (pa.ArrowException, OverflowError):
        return parquet({name: [None] * len(ROWS)})


@st.composite
def odd_jsonl(draw: st.DrawFn) -> bytes:
    """Well-formed lines of which some have another value."""
    name = draw(st.sampled_from(["id", "text", "labels", "split", "f"]))
    plain = st.recursive(
        JSON, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3))
    )
    value = draw(plain)
    rows = [{"id": row["id"], "text": row["body"], "labels": row["tags"]} for row in ROWS]
    return "".join(json.dumps(row | ({name: value} if draw(st.booleans()) else {})) + "\n" for row in rows).encode()


@st.composite
def odd_cell(draw: st.DrawFn, content: bytes) -> bytes:
    """One cell of a text file is another: the rest stands, so that most files get through the first checks."""
    lines = content.split(b"\n")
    place = draw(st.integers(0, len(lines) - 1))
    mark = next((mark for mark in (b",", b" ", b":") if mark in lines[place]), b",")
    cells = lines[place].split(mark)
    small = [piece for piece in NASTY if len(piece) < 10_000]
    cells[draw(st.integers(0, len(cells) - 1))] = draw(st.one_of(st.sampled_from(PLAUSIBLE), st.sampled_from(small), st.binary(max_size=6)))
    lines[place] = mark.join(cells)
    return b"\n".join(lines)


def spoils(kind: str) -> st.SearchStrategy[bytes]:
    """Half of the bytes of a source changed anywhere, half in one cell."""
    content = SOURCES[kind][1]
    return st.one_of(spoiled(content), {"Parquet": odd_parquet(), "JSONL": odd_jsonl()}.get(kind, odd_cell(content)))


NO_MAPPINGS = ["data: 5\n", "data: t.csv\n", "data: [x]\n", "method: 5\n", "method: [br]\n", "training: x\n", "- a\n", "5\n", "", "null\n",
               "data: {source: 5}\n", "data: {source: [a]}\n", "data: {source: {train: 5}}\n", "seed: {}\n", "published: 5\n"]  # fmt: skip


def configurations(valid: str) -> st.SearchStrategy[bytes]:
    """Files that are no mapping, mappings of anything, pieces of YAML, and a valid file spoiled."""
    dumped = CONTENT.map(lambda content: yaml.dump(content, allow_unicode=True).encode("utf-8", "surrogatepass"))
    pieces = TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))
    return st.one_of(st.sampled_from(NO_MAPPINGS).map(str.encode), dumped, pieces, spoiled(valid.encode()), odd_cell(valid.encode()))


VALUES = [
    *("", " ", "-1", "0", "1", "nan", "1e999", "9" * 400, "no such", "../x", "a/b", "a" * 5000, "\U0001f680", "=", "a=b", "[]", "{}", "["),
    *("null", "x.csv", "x.html", "x.json", "x.png", ".", "..", "test", "micro_f1", "html", "br", "zlpr", "method.loss=", "=1", "method=5"),
    *("training.epochs=1", "data=5", "seed=x", "\udcff", "\n", "-", "--", "--help", "%s", "\x1b[2J"),
]
LEFT_OUT = ("demo", "get", "advise", "few-shot")  # they train for minutes or fetch what is not here; their parsing is the same


def command_lines() -> list[tuple[list[str], list[tuple[str, bool]], int]]:
    """(words of a command, (option, whether it is a flag), number of arguments), for every command."""
    from multihot.cli import app

    found = []
    waiting = [([], get_command(app))]
    while waiting:
        words, command = waiting.pop()
        if hasattr(command, "commands"):
            waiting += [([*words, name], inner) for name, inner in command.commands.items() if name not in LEFT_OUT]
            continue
        options = [(max(part.opts, key=len), getattr(part, "is_flag", False)) for part in command.params if part.opts[0].startswith("-")]
        found.append((words, options, sum(not part.opts[0].startswith("-") for part in command.params)))
    return sorted(found)


def random_words(draw: random.Random, known: dict[str, str]) -> list[str]:
    """A command line with options and values of every kind; ``known`` are files and runs that are there."""
    words, options, arguments = draw.choice(command_lines())
    values = [*VALUES, *known.values(), *known.values(), *known.values()]
    typed = list(words) + [draw.choice([*known.values()] if draw.random() < 0.7 else values) for _ in range(draw.randint(0, arguments + 1))]
    for _ in range(draw.choice([0, 0, 1, 1, 2, 4]) if options else 0):
        name, flag = draw.choice(options)
        typed += [name] if flag else [name, draw.choice(values)]
    if draw.random() < 0.1:
        draw.shuffle(typed)
    return [word for word in typed if "\0" not in word]
