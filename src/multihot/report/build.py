"""From run folders to one HTML file: the figures are gathered here, the page draws them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RunError
from ..evaluation import each_degree, telling, tells_label_sets
from ..labels import HEAD_FROM, MEDIUM_FROM
from ..metrics import METRICS, label_sets_produced, metric_of
from ..metrics.counts import SetTable
from ..metrics.registry import headlines, of_label_sets
from ..metrics.significance import average_ranks, intervals_of
from ..storage import check_target, write_text
from .attention import attention
from .curves import LABEL_CURVES, curves_of
from .distributions import distributions
from .instances import instances
from .pairs import label_pairs
from .reading import Runs, SplitRun, read_log, read_runs
from .reliability import reliability_of
from .training import training_curves

SCRIPTS = (
    "elements", "charts", "overview", "labels", "reliability", "attention", "instances", "distributions", "features", "main",
)  # fmt: skip
FIVE = ("macro_f1_harmonic", "micro_f1", "example_f1", "subset_accuracy", "hamming_accuracy")  # those of the tables of Tsai 2019
LABEL_ROWS = 10_000  # of the table of labels, over all runs
DIGITS = 4


def write_report(folders: Sequence[str | Path], out: str | Path, split: str | None = None) -> Path:
    """Write the report of finished runs as one HTML file that needs no network.

    Args:
        folders: run folders; several are compared, and must be of the same instances.
        out: the file to write.
        split: "test" or "validation"; None takes the test split where all runs were measured on it.

    Returns:
        ``out``.

    Raises:
        RunError: if a folder holds no finished run, or the runs are of different data or instances.
        ConfigurationError: if the split is not one of the two, or no folder is given.

    Example:
        ``write_report(["runs/bce", "runs/zlpr"], "report.html")``
    """
    check_target(Path(out))
    write_text(out, make_report([Path(folder) for folder in folders], split))
    return Path(out)


def make_report(folders: Sequence[Path], split: str | None = None) -> str:
    """The report as a string of HTML; arguments as in ``write_report``."""
    return render(gather(read_runs(folders, split)))


def render(content: dict[str, Any]) -> str:
    """Put figures into the page; nothing that comes from data can end the script element or become markup."""
    files = resources.files(__package__) / "page"
    parts = {
        "title": _as_text(content["title"]),
        "style": (files / "style.css").read_text(encoding="utf-8"),
        "content": json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        "script": "\n".join((files / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
    }
    frame = (files / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda marker: parts[marker[1]], frame)


def gather(runs: Runs) -> dict[str, Any]:
    """Everything the page shows, as plain values."""
    counts = np.asarray(runs.targets.sum(axis=0)).ravel()
    first = runs.runs[0].finished
    data = first.metrics["data"]
    label_sets = any(tells_label_sets(run.finished.metrics) for run in runs.runs)
    return _plain(
        {
            "title": f"{data['name']}: {', '.join(run.name for run in runs.runs)}" if len(runs.runs) < 4 else str(data["name"]),
            "split": runs.split,
            "outcome": _outcome(runs),
            "data": data
            | {"labels": len(runs.labels), "instances": len(runs.ids), "cardinality": counts.sum() / max(len(runs.ids), 1)}
            | {"modality": first.trained_on["modality"], "never_in_split": int((counts == 0).sum())},
            "metrics": {name: _metric(name) for run in runs.runs for name in run.finished.metrics[runs.split]},
            "headlines": headlines(),
            "groups": {"head": HEAD_FROM, "medium": MEDIUM_FROM},
            "labels": runs.labels.names,
            "support": counts,
            "runs": [_run(run, runs.split) for run in runs.runs],
            "labelSets": _label_sets(runs) if label_sets else None,
            "instances": instances(runs),
            "attention": attention(runs),
            "distributions": distributions(runs),
        }
    )


def _metric(name: str) -> dict[str, Any]:
    """What the page says of a metric."""
    metric = metric_of(name)
    return {"title": metric.heading, "explanation": metric.explanation, "better": metric.better, "bounded": metric.bounded}


def _outcome(runs: Runs) -> dict[str, str]:
    """What came out, in a sentence, and what it rests on; methods with one run are called as that run is."""
    from ..experiments.grouping import grouped
    from ..experiments.outcome import BESIDE, HEADLINES, SMALL_PRINT, outcome

    groups, _ = grouped((run.finished for run in runs.runs), runs.split)
    names = {run.folder: run.name for run in runs.runs}
    for group in groups:
        if len(group.runs) == 1:
            group.name = names[next(iter(group.runs.values())).folder]
    chosen_by = "" if runs.split == "test" else " The validation split also chose weights and thresholds, so figures flatter."
    return {"sentence": outcome(groups, [*HEADLINES, BESIDE]), "about": (SMALL_PRINT if len(groups) > 1 else "") + chosen_by}


def _label_sets(runs: Runs) -> dict[str, Any]:
    """What the page shows of label sets, where at least one run has some."""
    frequent = np.argsort(-np.asarray(runs.targets.sum(axis=0)).ravel(), kind="stable")
    curve_labels = frequent[: max(1, LABEL_CURVES // len(runs.runs))]
    return {
        "five": _five(runs),
        "perLabel": _per_label(runs),
        "curveLabels": curve_labels,
        "curves": [_curves(run, columns, curve_labels) for run, columns in zip(runs.runs, runs.columns, strict=True)],
        "true": label_sets_produced(runs.runs[0].targets, runs.runs[0].finished.whole_statistics),
        "pairs": label_pairs(runs.targets, runs.chosen),
    }


def _run(run: SplitRun, split: str) -> dict[str, Any]:
    metrics, config = run.finished.metrics, run.finished.config.to_dict()
    if len(metrics["breakdowns"].get(split, {}).get("per_label", ())) != len(run.finished.labels):
        raise RunError(f"{run.finished.folder}: metrics.json does not break down the {split} split by its labels; the run was altered")
    breakdowns, measures = metrics["breakdowns"][split], telling(metrics[split], tells_label_sets(metrics))
    return {
        "name": run.name,
        "method": config["method"],
        "seed": config["seed"],
        "settings": {"data": config["data"], "training": config["training"]},
        "emits": run.prediction.sequences is not None,
        "environment": run.finished.environment,
        "rows": metrics["data"]["rows"],
        "cost": metrics["cost"],
        "measures": measures,
        "intervals": _intervals(run, measures),
        "unit": run.unit,
        "rule": run.described.get("rule"),
        "breakdowns": {key: breakdowns[key] for key in ("by_frequency", "seen_unseen", "by_set_frequency", "label_sets_produced")},
        "reliability": reliability_of(run),
        "training": training_curves(read_log(run.finished.log), metrics["cost"].get("best_update")),
    }


def _intervals(run: SplitRun, measures: dict[str, float]) -> dict[str, tuple[float, float]]:
    degrees = None if run.truth is None else each_degree(run.prediction, run.truth)
    table = SetTable.from_label_sets(run.targets, run.prediction.chosen, degrees)
    resampled = (name for name in headlines() if METRICS[name].from_sums and (of_label_sets(name) or name in table.names))
    return intervals_of([table], [name for name in resampled if name in measures])


def _five(runs: Runs) -> dict[str, Any] | None:
    """For each run the mean of the five measures, and its rank averaged over them (Tsai 2019, tables 4.5-4.7, figure 4.4)."""
    measured = [telling(run.finished.metrics[runs.split], tells_label_sets(run.finished.metrics)) for run in runs.runs]
    values = np.array([[one.get(name, np.nan) for one in measured] for name in FIVE])
    return {"measures": FIVE, "mean": values.mean(axis=0), "rank": average_ranks(values)} if np.isfinite(values).all() else None


def _per_label(runs: Runs) -> list[list[Any]]:
    """``[column, training count, support, [chosen, precision, recall, F1, average precision] a run]``, most frequent first."""
    training = np.zeros(len(runs.labels), dtype=np.int64)
    cells: list[list[Any]] = [[None] * len(runs.runs) for _ in range(len(runs.labels))]
    for number, (run, columns) in enumerate(zip(runs.runs, runs.columns, strict=True)):
        rows = run.finished.metrics["breakdowns"][runs.split]["per_label"]
        for column, row in zip(columns.tolist(), rows, strict=True):
            training[column] = max(training[column], row["training_count"])
            cells[column][number] = [row["chosen"], row["precision"], row["recall"], row["f1"], row.get("average_precision")]
    support = np.asarray(runs.targets.sum(axis=0)).ravel()
    order = np.argsort(-training, kind="stable")[: max(1, LABEL_ROWS // len(runs.runs))]
    return [[column, training[column], support[column], cells[column]] for column in order.tolist()]


def _curves(run: SplitRun, columns: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """The run's curves with the report's columns in place of its own."""
    own = {column: i for i, column in enumerate(columns.tolist())}
    known = [label for label in labels.tolist() if label in own]
    found = curves_of(replace(run.prediction, scores=run.readable), run.targets, np.array([own[label] for label in known], dtype=np.int64))
    return {"all": found["all"], "labels": {label: found["labels"].get(own[label]) for label in known}}


def _plain(value: Any) -> Any:
    """Values as JSON has them: no NumPy, no NaN, figures to four digits after the point (large ones as they are)."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value


def _as_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
