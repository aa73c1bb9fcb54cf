"""The CSV log of a training that was interrupted: Lightning starts it anew, so what came before is put back in front."""

from __future__ import annotations

import csv
import os
from pathlib import Path

Rows = list[dict[str, str]]


def read_log(path: Path, before: int) -> Rows:
    """The logged rows of the updates before a position; none if there is no log yet."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if (row.get("step") or "").isdigit() and int(row["step"]) < before]


def put_in_front(path: Path, earlier: Rows) -> None:
    """Write the log again with earlier rows in front of its own."""
    if not earlier:
        return
    later: Rows = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            later = list(csv.DictReader(file))
    columns = list(dict.fromkeys(column for row in (*earlier, *later) for column in row))
    aside = path.with_name(path.name + ".partial")
    with aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows([*earlier, *later])
    os.replace(aside, path)
