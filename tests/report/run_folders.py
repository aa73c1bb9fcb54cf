"""Run folders made of given figures, without training anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy import sparse

from multihot.evaluation import break_down, measure
from multihot.labels import LabelSpace, LabelStatistics
from multihot.predictions import Prediction, TrueDegrees, save_prediction

METHODS = {"br": {"name": "br", "loss": "zlpr"}, "svm": {"name": "linear-svm"}}

RULE = "One threshold for all labels, tuned by hand."


def random_problem(rows: int, labels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Targets with frequent and rare labels, and scores that know something of them."""
    draw = np.random.default_rng(seed)
    targets = draw.random((rows, labels)) < np.geomspace(0.5, 0.02, labels)
    scores = (draw.normal(size=(rows, labels)) + 2.5 * targets - 1.2).astype(np.float32)
    return targets, scores


def make_run(
    folder: Path,
    targets: np.ndarray,
    scores: np.ndarray,
    *,
    chosen: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    excerpts: Sequence[Any] | None = None,
    method: str = "br",
    data: str = "synthetic",
    log: str | None = None,
    measured: int | None = None,
    uncalibrated: np.ndarray | None = None,
    sequences: list[list[int]] | None = None,
    attention: dict[str, Any] | None = None,
    degrees: np.ndarray | None = None,
    values: np.ndarray | None = None,
    truth: TrueDegrees | None = None,
    features: dict[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    trained_rows: int | None = None,
    described: Mapping[str, Any] | None = None,
) -> Path:
    """A finished run folder with a test split; ``measured`` takes its measures on that many rows only, which is quicker.

    ``settings`` replace parts of the configuration, ``trained_rows`` is how many training rows it says there were, ``described`` what it
    says of its predictions; by default, scores are log-odds; an empty one is that of an older run.
    """
    rows, width = targets.shape
    space = LabelSpace(names or [f"label {i}" for i in range(width)])
    statistics = LabelStatistics.from_targets(targets)
    prediction = Prediction(
        list(ids or [f"n{i}" for i in range(rows)]),
        scores,
        scores > 0 if chosen is None else chosen,
        sequences,
        uncalibrated,
        degrees,
        values,
    )
    (folder / "predictions").mkdir(parents=True)
    save_prediction(folder / "predictions" / "test.parquet", prediction, sparse.csr_matrix(targets), excerpts, truth)
    part = prediction if measured is None else Prediction(prediction.ids[:measured], scores[:measured], prediction.chosen[:measured])
    content = {
        "test": measure(part, targets[:measured], statistics, truth=truth),
        "breakdowns": {"test": break_down(part, targets[:measured], space, statistics)},
        "cost": {"seconds": 12.5, "parameters": 1234, "peak_memory_bytes": 5_000_000, "predictions_per_second": 100.0}
        | ({} if method == "svm" else {"updates": 40, "best_update": 20}),
        "data": {"name": data, "rows": {"train": trained_rows or rows, "test": rows}, "unseen_labels": {}},
    }
    if described is None:
        described = {"scores": "log_odds", "uncalibrated": "log_odds", "rule": RULE, "label_sets": degrees is None}
    if described:
        content["predictions"] = dict(described)
    trained_on = {"names": list(space.names), "modality": "text", "reading": {}, "statistics": statistics.to_dict()}
    config = {"data": {"source": data}, "method": METHODS[method], "seed": 3, **(settings or {})}
    environment = {"run_format": 1, "multihot": "0.1.0", "command": "multihot train synthetic"}
    for name, value in {"metrics": content, "labels": trained_on, "environment": environment}.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for name, kept in {"attention": attention, "feature_map": features}.items():
        if kept is not None:
            (folder / f"{name}.json").write_text(json.dumps(kept), encoding="utf-8")
    if log:
        (folder / "log").mkdir()
        (folder / "log" / "metrics.csv").write_text(log)
    return folder


def random_degrees(rows: int, labels: int, seed: int = 0) -> np.ndarray:
    """Label distributions (N, L), float32 as predictions are kept."""
    return np.random.default_rng(seed).dirichlet(np.full(labels, 0.5), rows).astype(np.float32)


def make_distribution_run(folder: Path, positions: np.ndarray, names: Sequence[str], degrees: np.ndarray, **more: Any) -> Path:
    """A run that predicts distributions over labels on one axis or two, for instances that have one label each; drawn with a fixed seed."""
    rows, width = degrees.shape
    labels = np.random.default_rng(7).integers(0, width, rows)
    targets = np.eye(width, dtype=bool)[labels]
    truth = TrueDegrees(sparse.csr_matrix(targets, dtype=np.float64), positions, positions[labels])
    chosen = np.eye(width, dtype=bool)[degrees.argmax(axis=1)]
    scores = np.log(np.maximum(degrees, 1e-6))
    values = degrees.astype(np.float64) @ positions
    return make_run(folder, targets, scores, chosen=chosen, names=names, degrees=degrees, values=values, truth=truth, **more)


LOG = "epoch,step,training/loss,validation/loss,validation/micro_f1\n0,10,0.9,,\n0,10,,0.8,0.4\n1,20,0.5,,\n1,20,,0.6,0.7\n"


def content_of(page: str) -> dict[str, Any]:
    """The figures that a page carries."""
    start = page.index('<script type="application/json" id="content">') + len('<script type="application/json" id="content">')
    return json.loads(page[start : page.index("</script>", start)])
