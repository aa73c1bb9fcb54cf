"""The CSV log of a training: whole after every row, and one file however often the training was interrupted."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from ..storage import write_text

Row = dict[str, Any]


class CSVLog(Logger):
    """Writes every row at once; a training that goes on finds the rows of the updates behind it already there.

    Args:
        path: the file.
        start: the update that the training begins at; earlier rows stay, later ones will be logged again.
    """

    def __init__(self, path: Path, start: int = 0):
        super().__init__()
        self.path = path
        self.columns: list[str] = []
        self._begin(start)

    @property
    def name(self) -> str:
        return ""

    @property
    def version(self) -> str:
        return self.path.parent.name

    @property
    def save_dir(self) -> str:
        return str(self.path.parent.parent)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """They are in ``config.yaml``."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        row = {**metrics, "step": step}
        if row.keys() <= set(self.columns):
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self.columns, restval="").writerow(row)
        else:
            self._write([*read_log(self.path), row])

    @rank_zero_only
    def _begin(self, start: int) -> None:
        if earlier := [row for row in read_log(self.path) if row["step"].isdigit() and int(row["step"]) < start]:
            self._write(earlier)
        else:
            self.path.unlink(missing_ok=True)

    def _write(self, rows: list[Row]) -> None:
        """Write the whole log anew: it is as it was before, or as it is after."""
        self.columns = sorted({name for row in rows for name in row})
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path, text.getvalue())


def read_log(path: Path) -> list[Row]:
    """The rows of a log, none if there is none yet; half a row at the end is what a killed process left."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        whole, _, _ = file.read().rpartition("\n")
    return [row for row in csv.DictReader(io.StringIO(f"{whole}\n", newline="")) if row.get("step")]
