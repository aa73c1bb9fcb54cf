"""The share of updates whose gradient is clipped: at norm 10, which was the default of every method, and by the defaults of today.

Today entries beyond 10 are clipped where a decoder emits labels, as in the thesis, and nothing else is. Trains each method for some
updates and reads the shares from its log. Needs Reuters-21578 and Emotions (`--from-path` or `$MULTIHOT_DATA`); data that is not at hand
is left out with a word.

    python benchmarks/clipping.py --out clipping.json
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path

import multihot
from multihot.errors import MultihotError

CASES = {
    "reuters21578": ("br", "br+wgan-gp", "seq2seq", "ocd", "ocd-mtl", "seq2set"),
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
    data = multihot.data.load(name, from_path=from_path) if from_path else name
    common = {"training.updates": updates, "training.precision": "32-true", "training.validate_every": f"{updates} updates"}
    common |= {"data.limit": 3000, "method.name": method}
    if method == "br+wgan-gp":
        common["method.objective.pretraining"] = 0.25
    with tempfile.TemporaryDirectory() as folder:
        multihot.fit(data, out=Path(folder) / "run", settings=common | settings)
        return shares(Path(folder) / "run")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--from-path", type=Path, help="the folder that holds copies of the data")
    parser.add_argument("--quick", action="store_true", help="Emotions alone, 20 updates")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    updates, found = 20 if given.quick else given.updates, []
    cases = {"mulan/emotions": CASES["mulan/emotions"]} if given.quick else CASES
    print(f"share of the first {updates} updates that are clipped")
    for name, methods in cases.items():
        for method in methods:
            try:
                cells = {label: train(name, method, updates, settings, given.from_path) for label, settings in SETTINGS.items()}
            except MultihotError as error:
                print(f"{name} is left out: {error}")
                break
            found.append({"data": name, "method": method, "updates": updates, **cells})
            shown = (", ".join(f"{turn} {share:.1%}" for turn, share in cell.items()) or "nothing asked for" for cell in cells.values())
            print(f"{name:>15} {method:>11}", *(f"{label}: {text};" for label, text in zip(SETTINGS, shown, strict=True)), flush=True)
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
