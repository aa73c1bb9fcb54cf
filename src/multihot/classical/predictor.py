"""From the rows of a data set to a trained classical method, and from new rows to their prediction."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ..components import build, check_keys
from ..data import MultiLabelData
from ..errors import ConfigurationError, DataError, RunError
from ..labels import LabelSpace, modes
from ..predictions import DENSE_UP_TO, KEEP, Prediction
from ..storage import write_text
from .base import Classifier, Progress
from .features import FEATURES, FeatureMaker
from .label_distributions import DistributionClassifier, scores_of

CHUNK = 4096  # rows predicted together
METHOD_FILE, FEATURES_FILE = "classical.json", "features.json"


@dataclass
class ClassicalPredictor:
    """A trained classifier with what turns rows into its features.

    Args:
        method: the configuration it was made from.
        modality: what it reads: ``"text"``, ``"table"``, ``"image"`` or ``"audio"``.
        features: fitted on the training rows.
        classifier: trained.
    """

    method: dict[str, Any]
    modality: str
    features: FeatureMaker
    classifier: Classifier

    @property
    def num_parameters(self) -> int:
        """Numbers learned and kept."""
        return self.classifier.num_parameters

    def predict(self, rows: Any) -> Prediction:
        """Label sets for rows (a ``datasets.Dataset``) with the input column of the training rows, in the rows' order.

        Scores are dense up to 1,000 labels; beyond, the best 100 of each row are kept, and label sets are sparse.

        Raises:
            DataError: if there is no row, or one that cannot be read.
        """
        if not len(rows):
            raise DataError("there is not a single row to predict; check the file and its split")
        parts = [self._predict(rows.select(range(start, min(start + CHUNK, len(rows))))) for start in range(0, len(rows), CHUNK)]
        return Prediction.concatenate(parts)

    def described(self) -> dict[str, str]:
        """What the scores of its predictions are, and how label sets come about."""
        return {"scores": self.classifier.score_kind, "rule": self.classifier.rule}

    def save(self, folder: Path) -> None:
        """Write ``classical.json``, ``features.json`` and ``model.safetensors``; no pickle."""
        _write_json(folder / METHOD_FILE, {"method": self.method, "modality": self.modality})
        _write_json(folder / FEATURES_FILE, self.features.to_dict())
        self.classifier.save(folder)

    def _predict(self, rows: Any) -> Prediction:
        features, degrees = self.features.transform(rows), None
        if isinstance(self.classifier, DistributionClassifier):
            degrees = self.classifier.degrees(features)
            scores, chosen = scores_of(degrees), modes(degrees).toarray()
            degrees = degrees.astype(np.float32)
        else:
            scores, chosen = self.classifier.scores(features), self.classifier.chosen(features)
        if scores.shape[1] <= DENSE_UP_TO:
            return Prediction(list(rows["id"]), scores, chosen, degrees=degrees)
        return Prediction(list(rows["id"]), _best(scores, chosen), sparse.csr_matrix(chosen), degrees=degrees)


def fit_classical(
    method: Mapping[str, Any], data: MultiLabelData, space: LabelSpace, seed: int = 0, progress: Progress | None = None
) -> ClassicalPredictor:
    """Train a classical method on the training split.

    Args:
        method: ``name`` (such as ``linear-svm``), the classifier's arguments, and under ``features`` those of the features.
        data: with a training split; rows that nobody annotated are left out.
        space: the labels.
        seed: of whatever is drawn.
        progress: told how many of how many steps are done.

    Raises:
        ConfigurationError: for an unknown name or setting.
        DataError: for unusable rows.
    """
    features = build_features(method, data.modality, data.num_features)
    classifier = build_classifier(method)
    of_distributions = isinstance(classifier, DistributionClassifier)
    targets, unknown = (data.targets if of_distributions else data.label_sets)("train", space)
    rows = data.split("train")
    if unknown is not None:
        annotated = np.flatnonzero(np.diff(unknown.indptr) < len(space))
        rows, targets, unknown = rows.select(annotated), targets[annotated], unknown[annotated]
    classifier.fit(features.fit_transform(rows), targets, seed, unknown, progress)
    return ClassicalPredictor(dict(method), data.modality, features, classifier)


def load_classical(folder: Path) -> ClassicalPredictor:
    """Take back what ``ClassicalPredictor.save`` wrote.

    Raises:
        RunError: if a file is missing or damaged.
    """
    content = _read_json(folder / METHOD_FILE)
    features = build_features(content["method"], content["modality"]).load_dict(_read_json(folder / FEATURES_FILE))
    return ClassicalPredictor(content["method"], content["modality"], features, build_classifier(content["method"]).load(folder))


def check_classical(method: Mapping[str, Any]) -> None:
    """Refuse a classical method that cannot work, before any data is read.

    Raises:
        ConfigurationError: for an unknown name or setting.

    >>> check_classical({"name": "linear-svm", "cost_sensitive": "micro_f1"})
    """
    build_classifier(method)
    allowed = {name for maker in FEATURES.values() for name in inspect.signature(maker).parameters}
    check_keys(_feature_settings(method), allowed, where="method.features")


def build_classifier(method: Mapping[str, Any]) -> Classifier:
    """The untrained classifier that a configuration names, hyphens or underscores."""
    arguments = {key: value for key, value in method.items() if key != "features"}
    name = str(arguments.get("name"))
    return build("classical", arguments | {"name": name if "." in name else name.replace("-", "_")})


def build_features(method: Mapping[str, Any], modality: str, num_features: int | None = None) -> FeatureMaker:
    """What turns rows of a modality into features, with the settings under ``features``."""
    maker = FEATURES[modality]
    settings = _feature_settings(method)
    allowed = inspect.signature(maker).parameters
    check_keys(settings, dict(allowed), where=f"method.features of {modality} data")
    return maker(**({"num_features": num_features} if "num_features" in allowed else {}) | settings)


def _feature_settings(method: Mapping[str, Any]) -> dict[str, Any]:
    settings = method.get("features") or {}
    if not isinstance(settings, Mapping):
        raise ConfigurationError(f"method.features must be a mapping of settings, got {settings!r}")
    return dict(settings)


def _best(scores: Float[np.ndarray, "N L"], chosen: Bool[np.ndarray, "N L"]) -> sparse.csr_matrix:
    """The best scores of each row."""
    columns = np.sort(np.argpartition(-scores, KEEP, axis=1)[:, :KEEP], axis=1)
    values = np.take_along_axis(scores, columns, axis=1)
    ends = np.arange(len(scores) + 1) * columns.shape[1]
    return sparse.csr_matrix((values.ravel(), columns.ravel(), ends), shape=scores.shape)


def _write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content) + "\n")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path.parent}: {path.name} is missing; the run did not finish or was altered") from None
    except ValueError as error:
        raise RunError(f"{path} is not readable JSON ({error}); the run was altered, train it again") from error
