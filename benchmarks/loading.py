"""From a file to batches: a second start on data that are in the cache, even splits, and the loader.

    python benchmarks/loading.py --out loading.json

Made-up data. A second start reads what the first one left in the cache, which lies in a temporary folder here.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
from scipy import sparse
from yardsticks.measuring import finish, read_options, seconds_of

from multihot.data import iterative_stratification, load
from multihot.data.batches import make_loader
from multihot.data.processors import WordsProcessor
from multihot.labels import LabelSpace

SPACE = LabelSpace(["corn", "rye", "wheat"])
LIMITS = {  # seconds at the default sizes
    "a second start on a file of 60 MB": 2.0,
    "a second start of words": 0.5,
    "iterative stratification": 10.0,
    "an epoch of batches": 1.0,
}


def table(folder: Path, rows: int) -> Path:
    """A file of a kilobyte a row."""
    path = folder / "long.csv"
    with path.open("w") as file:
        file.write("text,labels\n")
        file.writelines(f"{'word ' * 200}{number},a|b\n" for number in range(rows))
    return path


def texts(rows: int, folder: Path) -> datasets.Dataset:
    """Texts of up to 59 words, on disk."""
    random = np.random.default_rng(0)
    lengths = random.integers(1, 60, size=rows)
    contents = {
        "id": [f"row-{number}" for number in range(rows)],
        "labels": [[SPACE.names[number % 3]] for number in range(rows)],
        "text": [" ".join(f"w{word}" for word in random.integers(0, 50, size=length)) for length in lengths],
    }
    datasets.Dataset.from_dict(contents).save_to_disk(folder)
    return datasets.load_from_disk(folder)


def label_sets(rows: int) -> sparse.csr_matrix:
    """Targets of a hundred labels with a long tail."""
    shares = np.clip(0.4 / np.arange(1, 101) ** 0.9, 0, 1)
    return sparse.csr_matrix(np.random.default_rng(0).random((rows, len(shares))) < shares)


def works(folder: Path, lines: int, rows: int, examples: int) -> dict[str, Callable[[], object]]:
    """What is measured; all that comes before is done when this returns."""
    path, examples_given, targets = table(folder, lines), texts(examples, folder / "texts"), label_sets(rows)
    load(path)
    words = WordsProcessor().fit(examples_given)
    loader = make_loader(words.prepare(examples_given), words, SPACE, batch_size=128, shuffle=True)
    return dict(
        zip(
            LIMITS,
            (
                lambda: load(path),
                lambda: WordsProcessor().fit(examples_given).prepare(examples_given),
                lambda: iterative_stratification(targets, [0.9, 0.1], seed=0),
                lambda: sum(len(batch) for batch in loader),
            ),
            strict=True,
        )
    )


def main() -> int:
    """Print the seconds of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=60_000, help="of the file, a kilobyte each")
    parser.add_argument("--rows", type=int, default=100_000, help="that are split, with a hundred labels")
    parser.add_argument("--examples", type=int, default=4000, help="texts of an epoch")
    parser.add_argument("--repeat", type=int, default=3, help="the fastest counts")
    options = read_options(parser, lines=2000, rows=2000, examples=400, repeat=1)
    found = {}
    with tempfile.TemporaryDirectory() as place:
        os.environ["MULTIHOT_CACHE"] = str(Path(place) / "cache")
        for name, work in works(Path(place), options.lines, options.rows, options.examples).items():
            found[name] = min(seconds_of(work) for _ in range(options.repeat))
            print(f"{name:<36}{found[name]:>8.3f} s, limit {LIMITS[name]:.1f} s", flush=True)
    missed = [f"{name} in {limit} s" for name, limit in LIMITS.items() if found[name] > limit]
    return finish(options, {"seconds": found, "limits": LIMITS}, missed)


if __name__ == "__main__":
    sys.exit(main())
