"""What bfloat16 on a CPU gains and costs: binary relevance on Reuters-21578 in fp32, the default, and in bfloat16, asked for by name.

Both precisions train in turn from the same seeds. A processor without bfloat16 in hardware imitates it, and is then slower.

    python benchmarks/precision.py --out precision.json
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from yardsticks.measuring import data_folder, finish, read_options, skip

import multihot
from multihot.data import load

PRECISIONS = ("32-true", "bf16-mixed")
MEASURES = ("micro_f1", "macro_f1_harmonic", "example_f1", "subset_accuracy")


def train(data: Any, encoder: str, precision: str, seed: int, epochs: int, folder: Path) -> dict[str, float]:
    """One training: its texts a second, and the test measures."""
    settings = {"training.precision": precision, "training.epochs": epochs, "training.device": "cpu"}
    run = multihot.fit(data, method={"name": "br", "encoder": encoder}, settings=settings, seed=seed, out=folder)
    return {"texts_per_second": run.metrics["cost"]["instances_per_second"]} | {name: run.metrics["test"][name] for name in MEASURES}


def main() -> int:
    """Print a line an encoder and precision: means over the seeds, and bfloat16's speed as a multiple of fp32's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoders", nargs="+", default=["text_cnn"], help="of texts")
    parser.add_argument("--texts", type=int, default=2000, help="of each split, at most")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the training texts")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="each trains once in each precision")
    parser.add_argument("--threads", type=int, help="of PyTorch")
    given = read_options(parser, encoders=["text_bag"], texts=200, epochs=1, seeds=[0])
    source = data_folder("reuters21578")
    if source is None:
        return skip(given, "the folder reuters21578 of the data sets; set MULTIHOT_DATA")
    data = load("reuters21578", from_path=source)
    data.splits.update({name: rows.select(range(min(given.texts, len(rows)))) for name, rows in data.splits.items()})
    figures: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for encoder in given.encoders:
            found: dict[str, list[dict[str, float]]] = {precision: [] for precision in PRECISIONS}
            for seed in given.seeds:
                for precision in PRECISIONS:
                    place = Path(folder) / encoder / precision / str(seed)
                    found[precision].append(train(data, encoder, precision, seed, given.epochs, place))
            figures[encoder] = {
                precision: {name: sum(one[name] for one in runs) / len(runs) for name in runs[0]} for precision, runs in found.items()
            }
            gain = figures[encoder]["bf16-mixed"]["texts_per_second"] / figures[encoder]["32-true"]["texts_per_second"]
            figures[encoder]["bf16-mixed"]["times_fp32"] = gain
            for precision, means in figures[encoder].items():
                print(f"{encoder:10s} {precision:10s} " + "  ".join(f"{name} {value:.4g}" for name, value in means.items()), flush=True)
    return finish(given, {"bfloat16_in_hardware": in_hardware(), "encoders": figures})


def in_hardware() -> bool:
    """Whether this processor multiplies bfloat16 matrices itself."""
    return any(getattr(torch.cpu, probe, bool)() for probe in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))


if __name__ == "__main__":
    sys.exit(main())
