"""What a run folder says without its model: what comparisons and reports read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from scipy import sparse

from ..errors import RunError
from ..labels import LabelSpace, LabelStatistics
from ..predictions import Prediction, load_prediction
from .files import read_json


class RunRecord:
    """A finished run, read without PyTorch.

    Args:
        folder: the run folder.

    Raises:
        RunError: if the folder is missing or the run did not finish.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise RunError(f"there is no run folder {self.folder}")
        if not (self.folder / "metrics.json").exists():
            raise RunError(f"{self.folder} holds no finished run (metrics.json is missing)")

    def __repr__(self) -> str:
        return f"RunRecord({str(self.folder)!r})"

    @cached_property
    def config(self) -> dict[str, Any]:
        """The experiment as plain values: data, method, training, seed."""
        path = self.folder / "config.yaml"
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.folder}: config.yaml is missing; the run was altered") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise RunError(f"{path} is not readable YAML ({' '.join(str(error).split())}); the run was altered") from error
        if not isinstance(content, dict) or not isinstance(content.get("method"), dict):
            raise RunError(f"{path} is not the configuration of a run; the run was altered")
        return content

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """``validation`` and ``test`` measures, ``breakdowns``, ``cost`` and ``data``."""
        content = read_json(self.folder / "metrics.json")
        if not isinstance(content, dict) or "cost" not in content or "data" not in content:
            raise RunError(f"{self.folder / 'metrics.json'} is not what a run leaves (cost or data is missing); the run was altered")
        return content

    @cached_property
    def trained_on(self) -> dict[str, Any]:
        """What ``labels.json`` says of the training data."""
        return read_json(self.folder / "labels.json")

    @cached_property
    def labels(self) -> LabelSpace:
        """The labels, in the order of every column."""
        return LabelSpace(self.trained_on["names"])

    @cached_property
    def statistics(self) -> LabelStatistics:
        """The label statistics of the training split."""
        return LabelStatistics.from_dict(self.trained_on["statistics"])

    def prediction(self, split: str = "test") -> tuple[Prediction, sparse.csr_matrix | None]:
        """The prediction kept at training for a split, and the targets (N, L) or None."""
        path = self.folder / "predictions" / f"{split}.parquet"
        if not path.exists():
            raise RunError(f"{self.folder}: predictions/{split}.parquet is missing; this run kept none for '{split}'")
        try:
            return load_prediction(path)
        except (OSError, ValueError, KeyError, TypeError) as error:  # what pyarrow raises for a damaged file
            raise RunError(f"{path} is damaged ({' '.join(str(error).split())}); train the run again") from error


def find_runs(places: Iterable[str | Path]) -> list[Path]:
    """The run folders among and below some folders, finished or not, in order and without doubles.

    Raises:
        RunError: for a place that is missing or holds no run.
    """
    found: dict[Path, None] = {}
    for place in map(Path, places):
        if not place.is_dir():
            raise RunError(f"there is no folder {place}; name run folders, or a folder that holds some")
        runs = list(_runs_below(place))
        if not runs:
            raise RunError(f"{place} is no run folder and holds none; `multihot train ... --out FOLDER` makes one")
        found |= dict.fromkeys(runs)
    return list(found)


def _runs_below(folder: Path) -> Iterator[Path]:
    if (folder / "config.yaml").exists() or (folder / "metrics.json").exists():
        yield folder
        return
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.endswith(".previous")):
        yield from _runs_below(inner)
