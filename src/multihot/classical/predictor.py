"""From the rows of a data set to a trained classical method, and from new rows to their prediction."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..calibration import build_decision, fit_in_turn, split_rules
from ..components import build, check_keys
from ..constraints import Constraints
from ..data import MultiLabelData
from ..errors import ConfigurationError, DataError
from ..interfaces import Calibration, Decision
from ..labels import LabelSpace, LabelStatistics, modes
from ..parts import check_arguments, check_scores, defaults, spelt_out
from ..predictions import DENSE_UP_TO, KEEP, Prediction, Scores
from ..storage import read_json, write_json
from .base import Classifier, Features, Progress, from_config
from .features import FEATURES, FeatureMaker
from .label_distributions import DistributionClassifier, scores_of

OWN_RULE = "own_rule"  # the decision that leaves label sets to the classifier
CHUNK = 4096  # rows predicted together
FOLDS = 5  # whose scores a calibration and a decision learn from
BESIDE = ("features", "decision", "calibration")  # settings of a method that are not its classifier's
METHOD_FILE, FEATURES_FILE, READING_FILE = "classical.json", "features.json", "decision.json"


@dataclass
class ClassicalPredictor:
    """A trained classifier with what turns rows into its features, and what turns its scores into label sets.

    Args:
        method: the configuration it was made from.
        modality: what it reads: ``"text"``, ``"table"``, ``"image"`` or ``"audio"``.
        features: fitted on the training rows.
        classifier: trained.
        calibration: fitted, or None.
        decision: fitted; None leaves label sets to the classifier.
        constraints: what the classifier's label sets must obey, where no decision sees to it.
    """

    method: dict[str, Any]
    modality: str
    features: FeatureMaker
    classifier: Classifier
    calibration: Calibration | None = None
    decision: Decision | None = None
    constraints: Constraints | None = None

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
        rules = [self.classifier.rule if self.decision is None else self.decision.rule]
        if self.constraints is not None:
            rules.append(self.constraints.rule)
        found: dict[str, str] = {"scores": self.classifier.score_kind, "rule": " ".join(rules)}
        return found if self.calibration is None else {"uncalibrated": found["scores"]} | found | {"scores": "log_odds"}

    def save(self, folder: Path) -> None:
        """Write ``classical.json``, ``features.json``, ``model.safetensors`` and, where something decides, ``decision.json``; no pickle."""
        write_json(folder / FEATURES_FILE, self.features.to_dict(), indent=None)
        self.classifier.save(folder)
        self.save_decisions(folder)

    def save_decisions(self, folder: Path) -> None:
        """Write the method and what its decision and calibration learned."""
        write_json(folder / METHOD_FILE, {"method": self.method, "modality": self.modality})
        learned = {"calibration": self.calibration, "decision": self.decision}
        if any(learned.values()):
            write_json(folder / READING_FILE, {name: part.to_dict() for name, part in learned.items() if part is not None})

    @property
    def learns(self) -> bool:
        """Whether its calibration or its decision has something to learn."""
        return self.calibration is not None or (self.decision is not None and self.decision.needs_fit)

    def fit_again(self, data: MultiLabelData, space: LabelSpace, seed: int) -> None:
        """Fit calibration and decision on the training split of its data."""
        if self.learns:
            rows, targets, unknown = _training_rows(data, space)
            self.fit_decisions(self.features.transform(rows), targets, unknown, seed)

    def fit_decisions(self, features: Features, targets: Any, unknown: Any, seed: int) -> None:
        """Fit calibration and decision on scores of training rows, each by a classifier that was trained without it, in five folds."""
        scores = _out_of_fold(self.method, features, targets, unknown, seed)
        fit_in_turn(self.calibration, self.decision, scores, targets, None if unknown is None else ~unknown.toarray().astype(bool))

    def read_by(self, method: Mapping[str, Any], space: LabelSpace, statistics: LabelStatistics) -> None:
        """Take decision, constraints and calibration of a configuration, not yet fitted."""
        self.method = dict(method)
        labels = {"num_labels": len(space), "statistics": statistics}
        config = decision_of(method)
        plain, rules = split_rules(config)
        self.decision, self.constraints = None, None
        if plain["name"] == OWN_RULE:
            self.constraints = Constraints.from_config(space, rules)
        else:
            self.decision = build_decision(config, label_space=space, **labels)
        given = method.get("calibration")
        self.calibration = None if given is None else build("calibration", given, label_space=space, **labels)

    def explained(self, rows: Any, prediction: Prediction) -> dict[str, Any]:
        """Nothing: a report shows the predictions of classical methods, and nothing beyond."""
        return {}

    def _predict(self, rows: Any) -> Prediction:
        features, degrees = self.features.transform(rows), None
        if isinstance(self.classifier, DistributionClassifier):
            degrees = self.classifier.degrees(features)
            scores, chosen = scores_of(degrees), modes(degrees).toarray()
            degrees = degrees.astype(np.float32)
        else:
            scores, chosen = self.classifier.scores(features), self.classifier.chosen(features)
        kept = scores if scores.shape[1] <= DENSE_UP_TO else _best(scores)
        return self._decide(Prediction(list(rows["id"]), kept, chosen if kept is scores else sparse.csr_matrix(chosen), degrees=degrees))

    def _decide(self, own: Prediction) -> Prediction:
        """What calibration, decision and constraints make of a classifier's scores and label sets."""
        scores: Scores = own.scores if self.calibration is None else self.calibration(own.scores)
        chosen = own.chosen if self.decision is None else self.decision(scores)
        if self.constraints is not None:
            chosen = self.constraints.best(own.scores, chosen)
        uncalibrated = None if self.calibration is None else own.scores
        return replace(own, scores=scores, chosen=chosen, uncalibrated=uncalibrated)


def fit_classical(
    method: Mapping[str, Any],
    data: MultiLabelData,
    space: LabelSpace,
    seed: int = 0,
    progress: Progress | None = None,
    statistics: LabelStatistics | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> ClassicalPredictor:
    """Train a classical method on the training split.

    Args:
        method: ``name`` (such as ``linear-svm``), the classifier's arguments, under ``features`` those of the features, and a ``decision``
            and a ``calibration``, which learn from training rows by cross-validation.
        data: with a training split; rows that nobody annotated are left out.
        space: the labels.
        seed: of whatever is drawn.
        progress: told how many of how many steps are done.
        statistics: of the training split; None counts them.
        say: told in a line what the features took for granted.

    Raises:
        ConfigurationError: for an unknown name or setting.
        DataError: for unusable rows.
    """
    features = build_features(method, data.modality, data.num_features)
    classifier = build_classifier(method)
    of_distributions = isinstance(classifier, DistributionClassifier)
    rows, targets, unknown = _training_rows(data, space, of_distributions)
    made = features.fit_transform(rows)
    if features.remark:
        say(features.remark)
    classifier.fit(made, targets, seed, unknown, progress)
    predictor = ClassicalPredictor(dict(method), data.modality, features, classifier)
    predictor.read_by(method, space, data.statistics(space) if statistics is None else statistics)
    if predictor.learns:
        predictor.fit_decisions(made, targets, unknown, seed)
    return predictor


def load_classical(
    folder: Path, space: LabelSpace, statistics: LabelStatistics, method: Mapping[str, Any] | None = None
) -> ClassicalPredictor:
    """Take back what ``ClassicalPredictor.save`` wrote.

    Args:
        folder: the run folder.
        space: the labels.
        statistics: of the training split.
        method: the same method with another decision or calibration, which are not fitted then; None takes those of the folder.

    Raises:
        RunError: if a file is missing or damaged.
    """
    content = read_json(folder / METHOD_FILE)
    features = build_features(content["method"], content["modality"]).load_dict(read_json(folder / FEATURES_FILE))
    classifier = build_classifier(content["method"]).load(folder)
    predictor = ClassicalPredictor(content["method"], content["modality"], features, classifier)
    predictor.read_by(content["method"] if method is None else method, space, statistics)
    if method is None and (predictor.calibration is not None or predictor.decision is not None):
        learned = read_json(folder / READING_FILE)
        if predictor.calibration is not None:
            predictor.calibration.load_dict(learned["calibration"])
        if predictor.decision is not None:
            predictor.decision.load_dict(learned["decision"])
    return predictor


def check_classical(method: Mapping[str, Any]) -> None:
    """Refuse a classical method that cannot work, before any data is read.

    Raises:
        ConfigurationError: for an unknown name or setting.

    >>> check_classical({"name": "linear-svm", "cost_sensitive": "micro_f1"})
    """
    classifier = build_classifier(method)
    decision = decision_of(method)
    check_arguments("decision", decision)
    given = [key for key in ("decision", "calibration") if method.get(key) is not None]
    if given and isinstance(classifier, DistributionClassifier):
        raise ConfigurationError(f"method '{method['name']}' predicts label distributions and chooses their mode; leave `{given[0]}` out")
    if method.get("calibration") is not None:
        check_arguments("calibration", method["calibration"])
    else:
        scale = "log_odds" if classifier.score_kind == "log_odds" else "zero"
        check_scores("decision", decision, scale, f"method '{method['name']}'", lambda needed: "add `calibration: platt`")
    allowed = {name for maker in FEATURES.values() for name in inspect.signature(maker).parameters}
    check_keys(_feature_settings(method), allowed, where="method.features")


def decision_of(method: Mapping[str, Any]) -> dict[str, Any]:
    """The decision of a classical method's configuration; the method's own rule where it names none, whatever rules stand there.

    >>> decision_of({"name": "linear-svm", "decision": {"at_least": 0}})
    {'name': 'own_rule', 'at_least': 0}
    """
    given = method.get("decision") or OWN_RULE
    return {"name": OWN_RULE, **given} if isinstance(given, Mapping) else {"name": given}


def takes_decisions(method: Mapping[str, Any]) -> bool:
    """Whether a decision may stand between the scores of a classical method and its label sets."""
    return not isinstance(build_classifier(method), DistributionClassifier)


def spell_out(method: Mapping[str, Any], modality: str | None = None) -> dict[str, Any]:
    """The configuration with every argument of the classifier, its decision and its calibration, those left open at their defaults.

    Args:
        method: see ``fit_classical``.
        modality: of the data, whose features are spelt out as well; None leaves them as they are.
    """
    found = spelt_out("classical", {key: value for key, value in method.items() if key not in BESIDE}) or {}
    features = _feature_settings(method)
    found["features"] = defaults(FEATURES[modality]) | features if modality else features
    if takes_decisions(method):
        decision = decision_of(method)
        found["decision"] = decision if decision["name"] == OWN_RULE else spelt_out("decision", decision)
        found["calibration"] = spelt_out("calibration", method.get("calibration"))
    return found


def build_classifier(method: Mapping[str, Any]) -> Classifier:
    """The untrained classifier of a method's configuration."""
    return from_config({key: value for key, value in method.items() if key not in BESIDE})


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


def _training_rows(data: MultiLabelData, space: LabelSpace, of_distributions: bool = False) -> tuple[Any, Any, Any]:
    """The training rows that somebody annotated, their targets, and their unknown entries, or None where all are known."""
    targets, unknown = (data.targets if of_distributions else data.label_sets)("train", space)
    rows = data.split("train")
    if unknown is None:
        return rows, targets, None
    annotated = np.flatnonzero(np.diff(unknown.indptr) < len(space))
    return rows.select(annotated), targets[annotated], unknown[annotated]


def _out_of_fold(method: Mapping[str, Any], features: Features, targets: Any, unknown: Any, seed: int) -> Scores:
    """Scores (N, L) of every training row by a classifier trained on the other folds."""
    if features.shape[0] < FOLDS:
        raise DataError(f"a decision learns from {FOLDS} folds, but there are only {features.shape[0]} training rows")
    folds = np.random.default_rng(seed).permutation(features.shape[0]) % FOLDS
    parts, order = [], []
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        classifier = build_classifier(method)
        classifier.fit(features[outside], targets[outside], seed, None if unknown is None else unknown[outside])
        scores = classifier.scores(features[inside])
        parts.append(scores if scores.shape[1] <= DENSE_UP_TO else _best(scores))
        order.append(inside)
    stacked = sparse.vstack(parts, format="csr") if sparse.issparse(parts[0]) else np.concatenate(parts)
    return stacked[np.argsort(np.concatenate(order))]


def _best(scores: Float[np.ndarray, "N L"]) -> sparse.csr_matrix:
    """The best scores of each row."""
    columns = np.sort(np.argpartition(-scores, KEEP, axis=1)[:, :KEEP], axis=1)
    values = np.take_along_axis(scores, columns, axis=1)
    ends = np.arange(len(scores) + 1) * columns.shape[1]
    return sparse.csr_matrix((values.ravel(), columns.ravel(), ends), shape=scores.shape)
