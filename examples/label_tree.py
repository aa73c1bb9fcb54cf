"""Give labels a tree, and compare decoders that know of it with decoders that do not.

    python examples/label_tree.py aapd trees/aapd
    multihot sweep trees/aapd/sweep.yaml --out runs/tree-aapd
    multihot compare runs/tree-aapd --baseline ocd

AAPD's subjects stand below their archives (cs.LG below cs), the digits of digit-scenes below odd and even. Every label set gets the
labels above its own. The sweep trains seq2seq with labels by frequency and with parents first, and OCD with and without the tree.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import yaml

from multihot.data import load
from multihot.data.writing import write_folder

ODD = ("one", "three", "five", "seven", "nine")
PARENT: dict[str, Callable[[str], str]] = {
    "aapd": lambda label: label.partition(".")[0],
    "digit-scenes": lambda label: "odd" if label in ODD else "even",
}


def add_parents(row: dict, parents: dict[str, str]) -> dict:
    """The row with the labels above its own, which come first."""
    return {"labels": sorted({parents[label] for label in row["labels"] if label in parents}) + list(row["labels"])}


def sweep_of(folder: Path, parents: dict[str, str]) -> dict:
    """Four methods that differ in what they know of the tree."""
    ordered = {"name": "likelihood", "order": "tree", "parents": parents}
    hierarchical = {"name": "optimal_completion", "parents": parents}
    return {
        "data": [{"name": folder.name, "source": str(folder)}],
        "methods": {
            "seq2seq": "seq2seq",
            "seq2seq-tree": {"name": "seq2seq", "objective": ordered},
            "ocd": "ocd",
            "ocd-tree": {"name": "ocd", "objective": hierarchical},
            "ocd-mtl": "ocd-mtl",
            "ocd-mtl-tree": {"name": "ocd-mtl", "objective": {"name": "multitask", "sequence": hierarchical}},
        },
        "seeds": [0, 1, 2],
        "training": {"epochs": 30},  # few rows
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=list(PARENT))
    parser.add_argument("out", type=Path, help="the folder for the data and sweep.yaml")
    parser.add_argument("--from", dest="copy", type=Path, help="a copy at hand of a named data set")
    parser.add_argument("--limit", type=int, help="training rows, at most")
    arguments = parser.parse_args()

    data = load(arguments.source, from_path=arguments.copy)
    above = PARENT[arguments.source]
    parents = {label: above(label) for label in data.label_space().names if above(label) != label}
    splits = dict(data.splits)
    if arguments.limit:
        splits["train"] = splits["train"].select(range(min(arguments.limit, len(splits["train"]))))
    splits = {split: rows.map(add_parents, fn_kwargs={"parents": parents}) for split, rows in splits.items()}
    write_folder(replace(data, splits=splits, declared_labels=None), arguments.out)
    with (arguments.out / "sweep.yaml").open("w") as file:
        yaml.safe_dump(sweep_of(arguments.out, parents), file, sort_keys=False)
    print(f"{arguments.out}: {len(parents)} labels below {len(set(parents.values()))}; multihot sweep {arguments.out / 'sweep.yaml'}")


if __name__ == "__main__":
    main()
