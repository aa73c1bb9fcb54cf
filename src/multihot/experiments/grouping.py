"""Which runs belong together: the same data and the same settings but the seed and the fold; and what such a group is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from ..errors import RunError
from ..evaluation import telling, tells_label_sets
from ..metrics.counts import SetTable
from ..metrics.registry import metric_of, of_label_sets
from .config import flatten
from .folds import Folds, agrees, each_run, folder_name, rows_of
from .run import Run

OF_ONE_RUN = ("seed", "data.fold")  # the settings in which the runs of a group differ


@dataclass
class RunGroup:
    """One method on one data set, over its seeds.

    Args:
        data: the data set's name.
        settings: the settings that all its runs share, flat.
        runs: by seed, in rising order; where the data is cut into folds, those of a seed together.
        name: what it is called among the other methods on its data.
        split: "test" or "validation", what is read of the runs.
    """

    data: str
    settings: dict[str, Any]
    runs: dict[int, Run | Folds] = field(default_factory=dict)
    name: str = ""
    split: str = "test"

    @cached_property
    def instances(self) -> dict[int, str]:
        """By seed, a digest of the measured instances: ids, true label sets and label names."""
        return {seed: digest for seed, (_, digest, _) in self._read.items()}

    @cached_property
    def unseen(self) -> dict[int, Bool[np.ndarray, " N"]]:
        """By seed, the measured instances whose true label set no training instance carries."""
        return {seed: unseen for seed, (*_, unseen) in self._read.items()}

    @cached_property
    def tables(self) -> dict[int, SetTable]:
        """By seed, what each measured instance counts; without the runs whose predictions do not hold all that was measured."""
        return {seed: table for seed, (table, *_) in self._read.items() if agrees(table, self.runs[seed].metrics[self.split])}

    def resampled(self, measures: Iterable[str]) -> list[str]:
        """Those of some measures that follow from what every table counts."""
        return [
            name
            for name in measures
            if metric_of(name).from_sums and (of_label_sets(name) or all(name in table.names for table in self.tables.values()))
        ]

    def telling(self, measures: Iterable[str]) -> list[str]:
        """Those of some measures that say something of every run, or that it has not."""
        runs = [(run.metrics[self.split], tells_label_sets(run.metrics)) for run in self.runs.values()]
        silent = {name for measured, label_sets in runs for name in measured.keys() - telling(measured, label_sets).keys()}
        return [name for name in measures if name not in silent]

    @cached_property
    def _read(self) -> dict[int, tuple[SetTable, str, Bool[np.ndarray, " N"]]]:
        found = {}
        for seed, run in self.runs.items():
            rows = rows_of(run, self.split)
            digest = sha256("\0".join([*rows.labels, *rows.ids]).encode())
            digest.update(rows.targets.indptr.astype(np.int64).tobytes() + rows.targets.indices.astype(np.int64).tobytes())
            found[seed] = rows.table(), digest.hexdigest(), rows.unseen
        return found


def paired(group: RunGroup, against: RunGroup) -> list[tuple[SetTable, SetTable]]:
    """The trainings of two methods side by side, for a paired test: seeds with the same number first, then the others in order.

    Only trainings that were measured on the same instances are paired, and all pairs are of the same ones.
    """
    same = [seed for seed in group.tables if seed in against.tables]
    rest = zip([s for s in group.tables if s not in same], [s for s in against.tables if s not in same], strict=False)
    candidates = [(seed, seed) for seed in same] + list(rest)
    pairs = [(a, b) for a, b in candidates if group.instances[a] == against.instances[b]]
    return [(group.tables[a], against.tables[b]) for a, b in pairs if group.instances[a] == group.instances[pairs[0][0]]]


def find_runs(places: Iterable[str | Path]) -> list[Path]:
    """The run folders among and below some folders, finished or not, in order and each once.

    Raises:
        RunError: for a place that is missing or holds no run.
    """
    found: dict[Path, Path] = {}
    for place in map(Path, places):
        if not place.is_dir():
            raise RunError(f"there is no folder {place}; name run folders, or a folder that holds some")
        below = list(_runs_below(place))
        if not below:
            raise RunError(f"{place} is no run folder and holds none; `multihot train ... --out {place}` makes one")
        for folder in below:
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def _runs_below(folder: Path) -> Iterator[Path]:
    if (folder / "config.yaml").exists() or (folder / "metrics.json").exists():
        yield folder
        return
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.endswith(".previous")):
        yield from _runs_below(inner)


def group_runs(folders: Iterable[Path]) -> tuple[list[RunGroup], list[str]]:
    """Finished runs that were measured on a test split, in groups with names, and a line about each run that was left out.

    Raises:
        RunError: for a damaged run, or where not one run is left.
    """
    runs, left_out = [], []
    for folder in folders:
        if not (folder / "metrics.json").exists():
            left_out.append(f"{folder} is not finished and left out; `multihot train --resume {folder}` goes on with it")
        elif "test" not in (run := Run(folder)).metrics:
            left_out.append(f"{folder} was not measured on a test split and is left out")
        else:
            runs.append(run)
    if not runs:
        raise RunError("not one finished run to compare: " + "; ".join(left_out))
    groups, doubles = grouped(runs)
    return groups, doubles + left_out


def grouped(runs: Iterable[Run], split: str = "test") -> tuple[list[RunGroup], list[str]]:
    """Runs that were measured on a split, in groups with names, and a line about each that another one doubles or that lacks folds."""
    groups: dict[tuple[str, str], RunGroup] = {}
    found: dict[tuple[str, str], dict[int, dict[int, Run]]] = {}
    remarks = []
    for run in runs:
        settings = {key: value for key, value in flatten(run.config.to_dict()).items() if key not in OF_ONE_RUN}
        settings = {key: value for key, value in settings.items() if not key.startswith("published")}
        data = run.metrics["data"]["name"]
        key = data, repr(sorted(settings.items()))
        groups.setdefault(key, RunGroup(data, settings, split=split))
        folds = found.setdefault(key, {}).setdefault(run.config.seed, {})
        if other := folds.get(run.config.data.fold):
            remarks.append(f"{run.folder} is left out: it has the settings and the seed of {other.folder}")
            continue
        folds[run.config.data.fold] = run
    for key, group in groups.items():
        for seed, folds in sorted(found[key].items()):
            group.runs[seed] = Folds(list(folds.values()), split) if group.settings["data.folds"] else folds[0]
    _name(list(groups.values()))
    for group in groups.values():
        for seed, one in group.runs.items():
            if isinstance(one, Folds) and one.missing:
                which = ", ".join(map(str, one.missing))
                remarks.append(
                    f"{group.name}, seed {seed}: no finished run of fold {which} of {group.settings['data.folds']}, so not all rows count"
                )
    return list(groups.values()), remarks


def _name(groups: list[RunGroup]) -> None:
    """Runs at NAME/SEED or NAME/SEED-foldN, as a sweep leaves them, are called NAME; others by their method and the settings that tell
    them apart."""
    telling = _telling(groups)
    for group in groups:
        folders = {
            run.folder.resolve(): folder_name(run.config.seed, run.config.data.fold if run.config.data.folds else None)
            for run in each_run(group.runs.values())
        }
        above = {folder.parent for folder in folders}
        if len(above) == 1 and all(folder.name == usual for folder, usual in folders.items()):
            group.name = above.pop().name
            continue
        own = [f"{key.removeprefix('method.').removesuffix('.name')}={group.settings[key]}" for key in telling if key in group.settings]
        group.name = " ".join([str(group.settings["method.name"]), *own])
    taken: dict[tuple[str, str], int] = {}
    for group in groups:
        times = taken[group.data, group.name] = taken.get((group.data, group.name), 0) + 1
        if times > 1:
            group.name = f"{group.name} ({next(iter(group.runs.values())).folder.parent})"


def _telling(groups: list[RunGroup]) -> list[str]:
    """The settings that tell two groups of the same method on the same data apart."""
    kinds: dict[tuple[str, Any], list[dict[str, Any]]] = {}
    for group in groups:
        kinds.setdefault((group.data, group.settings.get("method.name")), []).append(group.settings)
    return list(dict.fromkeys(key for alike in kinds.values() for key in telling_settings(alike)))


def telling_settings(alike: Sequence[Mapping[str, Any]]) -> list[str]:
    """The settings in which some experiments differ.

    Arguments of a part count only between those that have this part: what one loss takes by default tells it from no other loss. A
    setting that one of them does not state, as runs of version 0.1.0 do, tells nothing.

    Args:
        alike: of each experiment its settings, flat.

    >>> focal = {"method.loss.name": "focal", "method.loss.gamma": 2}
    >>> telling_settings([{"method.loss.name": "bce"}, focal]), telling_settings([focal, focal | {"method.loss.gamma": 3}])
    (['method.loss.name'], ['method.loss.gamma'])
    """
    found = []
    for key in sorted(
        {key for settings in alike for key in settings}, key=lambda key: (key.split(".")[:2], not key.endswith(".name"), key)
    ):
        part = ".".join(key.split(".")[:2]) + ".name"
        values: dict[Any, set[str]] = {}
        for settings in alike:
            if key in settings:
                values.setdefault(settings.get(part) if key.startswith("method.") and key != part else None, set()).add(repr(settings[key]))
        if any(len(different) > 1 for different in values.values()):
            found.append(key)
    return found
