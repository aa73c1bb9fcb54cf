"""``multihot predict``: label sets for new instances."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UNSEEN, ConfigurationError
from ..storage import check_target, replacing
from .tables import say
from .trust import Trust

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that spreadsheets compute
LEAST_DEGREE = 5e-4  # what is less is not printed; a .parquet file holds every degree

if TYPE_CHECKING:
    from ..experiments import Run
    from ..predictions import Prediction


def predict(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    source: Annotated[Path, typer.Argument(help="A file with the columns the run was trained on; labels are not needed.")],
    out: Annotated[Path | None, typer.Option(help="A .jsonl, .csv or .parquet file; by default, JSON lines on standard output.")] = None,
    top: Annotated[int, typer.Option(min=0, help="Also give that many best labels with their scores.")] = 0,
    spreadsheet_safe: Annotated[
        bool,
        typer.Option("--spreadsheet-safe", help="Put ' before ids and labels in a CSV file that a spreadsheet would take for formulas."),
    ] = False,
    trust: Trust = None,
) -> None:
    """Give label sets for new instances. A copy of the file's rows is kept in the cache; `multihot cache clear` removes it.

    Example: multihot predict runs/first new.csv --out tagged.csv
    """
    from ..experiments import Run
    from ..predictions import save_prediction

    if spreadsheet_safe and (out is None or out.suffix != ".csv"):
        raise ConfigurationError("--spreadsheet-safe is for CSV files; give --out FILE.csv too, or leave it out")
    if out is not None and out.suffix not in (".jsonl", ".csv", ".parquet"):
        raise ConfigurationError(f"--out must end in .jsonl, .csv or .parquet, got {out}")
    if out is not None and out.suffix == ".parquet" and top:
        raise ConfigurationError("--top is for .jsonl and .csv files; a .parquet file holds the scores of all labels, so leave it out")
    if out is not None:
        check_target(out)
    opened = Run(run)
    prediction = opened.predict(source)
    if out is None:
        sys.stdout.writelines(map(_for_terminals, _json_lines(opened, prediction, top)))
        return
    if out.suffix == ".parquet":
        save_prediction(out, prediction)
    else:
        written = _plain_text if spreadsheet_safe else str
        lines = _json_lines(opened, prediction, top) if out.suffix == ".jsonl" else _csv_lines(opened, prediction, top, written)
        with replacing(out) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    say(f"{len(prediction):,} predictions in {out}")


def _rows(run: Run, prediction: Prediction, top: int) -> Iterator[dict[str, Any]]:
    names = run.labels.names
    for i, (name, chosen) in enumerate(zip(prediction.ids, run.labels.decode(prediction.chosen), strict=True)):
        row: dict[str, Any] = {"id": name, "labels": chosen}
        if prediction.values is not None:
            row["value"] = [round(float(value), 4) for value in prediction.values[i]]
        if prediction.degrees is not None:
            degrees = zip(names, prediction.degrees[i].tolist(), strict=True)
            row["degrees"] = {label: round(degree, 4) for label, degree in degrees if degree >= LEAST_DEGREE}
        if top:
            row["scores"] = {names[label]: round(score, 4) for label, score in _best(prediction.scores[[i]], top)}
        yield row


def _best(scores: Any, top: int) -> list[tuple[int, float]]:
    """The best labels of one row of scores, dense (1, L) or sparse."""
    if hasattr(scores, "indices"):
        pairs = list(zip(scores.indices.tolist(), scores.data.tolist(), strict=True))
    else:
        pairs = list(enumerate(scores[0].tolist()))
    return sorted(pairs, key=lambda pair: -pair[1])[:top]


def _json_lines(run: Run, prediction: Prediction, top: int) -> Iterator[str]:
    for row in _rows(run, prediction, top):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _csv_lines(run: Run, prediction: Prediction, top: int, written: Callable[[str], str] = str) -> Iterator[str]:
    """One line a row; labels are separated by ``;``, or written as JSON lists where they could not be told apart so."""
    from ..data.formats.label_cells import joins

    alone = not len(prediction) or int(prediction.chosen.sum(axis=1).max()) < 2
    joined = joins(run.labels.names, alone)
    kinds = {"value": prediction.values is not None, "degrees": prediction.degrees is not None, "scores": top > 0}
    columns = [name for name, there in kinds.items() if there]
    yield ",".join(["id", "labels", *columns]) + "\n"
    for row in _rows(run, prediction, top):
        buffer = io.StringIO()
        named = list(map(written, row["labels"]))
        labels = ";".join(named) if joined else json.dumps(named, ensure_ascii=False)
        cells = [written(row["id"]), labels, *(_cell(row[name], written) for name in columns)]
        csv.writer(buffer, lineterminator="\n").writerow(cells)
        yield buffer.getvalue()


def _for_terminals(line: str) -> str:
    """The same JSON, with characters that could steer a terminal as their codes."""
    return UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


def _plain_text(name: str) -> str:
    """A name that a spreadsheet would take for a formula, as text."""
    return f"'{name}" if name.startswith(FORMULA) else name


def _cell(content: Any, written: Callable[[str], str]) -> str:
    """Numbers, or labels with theirs, in one cell."""
    if isinstance(content, dict):
        return ";".join(f"{written(label)}={number}" for label, number in content.items())
    return ";".join(map(str, content))
