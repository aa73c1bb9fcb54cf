"""How far a training of another process is, from what it writes into its run folder."""

from __future__ import annotations

import csv
import io
import time
from datetime import timedelta
from pathlib import Path

import yaml

TAIL = 10_000  # bytes at the end of a log that hold its last row


class Watch:
    """Looks at a run folder now and then.

    Args:
        folder: of the training.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.epochs: int | None = None
        self.first: tuple[float, float] | None = None  # (time, epoch) of the first look that found something

    def look(self) -> str:
        """Such as ``"epoch 3/12, 0:00:40 left"``; empty as long as nothing is known, and for a training without epochs."""
        epoch, epochs = last_epoch(self.folder / "log" / "metrics.csv"), self._epochs()
        if epoch is None or not epochs:
            return ""
        now = time.monotonic()
        self.first = self.first or (now, epoch)
        began, start = self.first
        shown = f"epoch {int(epoch) + 1}/{epochs}"
        if epoch <= start:
            return shown
        return f"{shown}, {timedelta(seconds=round((now - began) / (epoch - start) * max(epochs - epoch, 0)))} left"

    def _epochs(self) -> int | None:
        if self.epochs is None:
            try:
                content = yaml.safe_load((self.folder / "config.yaml").read_text(encoding="utf-8"))
                self.epochs = content["training"]["epochs"]
            except (OSError, yaml.YAMLError, KeyError, TypeError):  # not there yet
                return None
        return self.epochs


def last_epoch(log: Path) -> float | None:
    """The epoch that the last row of a log names; None where there is none yet."""
    try:
        with log.open("rb") as file:
            header = file.readline().decode()
            file.seek(max(file.seek(0, io.SEEK_END) - TAIL, len(header.encode())))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return None
    found = [row.get("epoch") for row in csv.DictReader([header, *lines[-5:]])]
    try:
        return float(next(value for value in reversed(found) if value))
    except (StopIteration, ValueError):
        return None


def last_line(log: Path) -> str:
    """The last line that a training printed, without the name of the program."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "").removeprefix("multihot: ")
