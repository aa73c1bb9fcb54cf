"""Run folders with invented predictions: what comparing reads, without a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from multihot.evaluation import break_down, measure
from multihot.experiments.config import Config, save_config
from multihot.experiments.run import describe_environment
from multihot.labels import LabelSpace, LabelStatistics
from multihot.predictions import Prediction, save_prediction
from multihot.storage.json_files import write_json


def write_run(
    folder: Path,
    method: dict[str, Any],
    seed: int = 0,
    *,
    data: str = "letters",
    rows: int = 120,
    labels: int = 6,
    noise: float = 0.2,
    truth: int = 0,
    cost: dict[str, float] | None = None,
    trained: int | None = None,
    wrong: int | None = None,
) -> Path:
    """A finished run whose label sets differ from the true ones in a share ``noise`` of the entries; ``truth`` seeds the true ones.

    Training showed the label sets of the first ``trained`` rows, by default of all. With ``wrong``, the first label of so many rows is all
    that is wrong.
    """
    space = LabelSpace([f"label {i}" for i in range(labels)])
    targets = np.random.default_rng(truth).random((rows, labels)) < 0.4 / np.arange(1, labels + 1)
    random = np.random.default_rng([seed, len(str(folder)), *str(method).encode()])
    chosen = targets ^ (random.random(targets.shape) < noise * np.where(targets, 1.0, 0.2))
    if wrong is not None:
        chosen = targets ^ (np.arange(rows * labels).reshape(rows, labels) % labels == 0) & (np.arange(rows)[:, None] < wrong)
    scores = np.where(chosen, 0.75, 0.25) + random.uniform(-0.2, 0.2, targets.shape)
    statistics = LabelStatistics.from_targets(targets[:trained])
    prediction = Prediction([f"n{i}" for i in range(rows)], scores.astype(np.float32), chosen)
    (folder / "predictions").mkdir(parents=True)
    save_config(folder / "config.yaml", Config.from_dict({"data": {"source": data}, "method": method, "seed": seed}))
    write_json(folder / "environment.json", describe_environment() | {"run_format": 1})  # the last without a seal
    write_json(folder / "labels.json", {"names": space.names, "modality": "text", "reading": {}, "statistics": statistics.to_dict()})
    save_prediction(folder / "predictions" / "test.parquet", prediction, sparse.csr_matrix(targets), ["a text"] * rows)
    usual = {"seconds": 12.0, "parameters": 1000, "predictions_per_second": 500.0, "peak_memory_bytes": 2**30}
    metrics = {
        "test": measure(prediction, targets, statistics),
        "breakdowns": {"test": break_down(prediction, targets, space, statistics)},
        "cost": usual | (cost or {}),
        "data": {"name": data, "rows": {"train": 10 * rows, "test": rows}, "unseen_labels": {}},
    }
    write_json(folder / "metrics.json", metrics)
    return folder
