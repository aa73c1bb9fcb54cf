"""The share of updates whose gradient is clipped: at norm 10, which was the default of every method, and by the defaults of today.

Today entries beyond 10 are clipped where a decoder emits labels, as in the thesis, and nothing else is. Trains each method for some
updates and reads the shares from its log. Needs Reuters-21578 and Emotions (`--from-path` or `$MULTIHOT_DATA`); data that is not at hand
is left out with a word.

    python benchmarks/clipping.py --out clipping.json
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from yardsticks.measuring import data_folder, finish, read_options, skip

import multihot
from multihot.errors import MultihotError

CASES = {
    "reuters21578": ("br", "br+wgan-gp", "seq2seq", "ocd", "ocd-mtl", "seq2set-simple"),
    "mulan/emotions": ("br", "br+wgan-gp"),
}
SETTINGS = {"norm 10": {"training.gradient_clip": 10, "training.gradient_clip_by": "norm"}, "default": {}}


def shares(folder: Path) -> dict[str, float]:
    """The share of clipped updates of each turn, as the log has it at the end; empty where nothing is clipped."""
    with (folder / "log" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {}
    for name in rows[0]:
        if name.startswith("training/") and name.endswith("clipped"):
            turn = name.removeprefix("training/").removesuffix("clipped").rstrip("_") or "model"
            found[turn] = [float(row[name]) for row in rows if row[name]][-1]
    return found


def train(name: str, method: str, updates: int, settings: dict[str, object], from_path: Path | None) -> dict[str, float]:
    """The shares of one training."""
    data = multihot.data.load(name, from_path=from_path)
    data = replace(data, splits={"train": data.split("train")})  # nothing is measured
    common = {"training.updates": updates, "training.precision": "32-true", "training.validate_every": f"{updates} updates"}
    common |= {"data.limit": 3000, "data.test": 0, "method.name": method}
    if method == "br+wgan-gp":
        common["method.objective.pretraining"] = 0.25
    with tempfile.TemporaryDirectory() as folder:
        multihot.fit(data, out=Path(folder) / "run", settings=common | settings)
        return shares(Path(folder) / "run")


def main() -> int:
    """Print a line a method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=40, help="of each training")
    parser.add_argument("--data", nargs="+", choices=CASES, default=list(CASES), help="by name")
    parser.add_argument("--from-path", type=Path, help="the folder that holds copies of the data")
    given = read_options(parser, data=["mulan/emotions"], updates=10)
    if given.from_path is None and data_folder() is None:
        return skip(given, "the data sets; set MULTIHOT_DATA, or name their folder with --from-path")
    found = []
    print(f"share of the first {given.updates} updates that are clipped")
    for name in given.data:
        for method in CASES[name]:
            try:
                cells = {label: train(name, method, given.updates, settings, given.from_path) for label, settings in SETTINGS.items()}
            except MultihotError as error:
                print(f"{name} is left out: {error}")
                break
            found.append({"data": name, "method": method, **cells})
            shown = (", ".join(f"{turn} {share:.1%}" for turn, share in cell.items()) or "nothing asked for" for cell in cells.values())
            print(f"{name:>15} {method:>11}", *(f"{label}: {text};" for label, text in zip(SETTINGS, shown, strict=True)), flush=True)
    return finish(given, found)


if __name__ == "__main__":
    sys.exit(main())
