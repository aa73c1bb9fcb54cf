"""What to cite: the papers behind a method's parts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..components import KINDS, choices, find, is_foreign, split_config
from ..errors import ConfigurationError, nearest
from ..learners import classical_names, learner_of
from ..method import METHODS

REFERENCES = Path(__file__).with_name("references.bib")

LINEAR = ("fan2008liblinear", "keerthi2005modified")

# class -> keys of references.bib; what rests on no paper is not listed
CITES: dict[str, tuple[str, ...]] = {
    "BinaryRelevanceScorer": ("tsai2019thesis",),
    "LabelAttentionScorer": ("mullenbach2018explainable",),
    "LabelGraphScorer": ("chen2019mlgcn",),
    "RegionalScorer": ("zhang2018rlsd",),
    "AudioAttentionEncoder": ("yu2018multilevel",),
    "TextCNNEncoder": ("kim2014convolutional",),
    "TextLSTMEncoder": ("tsai2019thesis",),
    "RecurrentDecoder": ("tsai2019thesis", "bahdanau2015neural"),
    "PairDecoder": ("tsai2019thesis", "bahdanau2015neural"),
    "LikelihoodObjective": ("nam2017maximizing",),
    "ScheduledSamplingObjective": ("bengio2015scheduled",),
    "OrderFreeObjective": ("chen2018order",),
    "OptimalCompletionObjective": ("tsai2019thesis", "sabour2019optimal"),
    "PolicyGradientObjective": ("rennie2017self", "yang2019deep"),
    "MultitaskObjective": ("tsai2019thesis",),
    "RescoringDecoding": ("tsai2019thesis",),
    "JointDecoding": ("tsai2019thesis",),
    "FocalLoss": ("lin2017focal",),
    "AsymmetricLoss": ("ridnik2021asymmetric",),
    "ClassBalancedLoss": ("cui2019class",),
    "DistributionBalancedLoss": ("wu2020distribution",),
    "DABLoss": ("zhu2022distribution",),
    "HillLoss": ("zhang2021simple",),
    "SPLCLoss": ("zhang2021simple",),
    "ZLPRLoss": ("su2020softmax", "su2022zlpr"),
    "ThresholdLabelLoss": ("su2020softmax", "su2022zlpr"),
    "PairwiseLogSumExpLoss": ("su2020softmax",),
    "SubsetSoftmaxLoss": ("su2020softmax",),
    "LSEPLoss": ("li2017improving",),
    "CircleLoss": ("sun2020circle",),
    "WARPLoss": (
        "weston2011wsabie",
        "gong2014deep",
    ),
    "PairwiseRankingLoss": ("gong2014deep",),
    "TwoWayLoss": ("kobayashi2023twoway",),
    "LabelDistributionLoss": ("gao2017deep",),
    "OrdinalLoss": ("niu2016ordinal",),
    "GaussianDistribution": ("gao2017deep",),
    "GaussianGridDistribution": ("gao2017deep",),
    "ThreeLevelsDistribution": ("gao2017deep",),
    "MixtureDistribution": ("zhang_essay",),
    "SmoothMaskDistribution": ("gao2017deep",),
    "UniformSmoothingDistribution": ("szegedy2016rethinking",),
    "BilevelObjective": ("gao2017deep", "franceschi2018bilevel", "lorraine2020optimizing"),
    "AdversarialObjective": ("tsai2019adversarial", "gulrajani2017improved"),
    "TemperatureCalibration": ("guo2017calibration",),
    "PlattCalibration": ("platt1999probabilistic",),
    "IsotonicCalibration": ("zadrozny2002transforming",),
    "CardinalityDecision": ("read2011classifier",),
    "ProportionalDecision": ("yang2001thresholding",),
    "ExpectedF1Decision": ("ye2012optimizing",),
    "ExpectedUtilityDecision": ("dembczynski2011exact", "waegeman2014bayes"),
    "ConformalDecision": ("angelopoulos2022conformal",),
    "LinearSVMClassifier": LINEAR,
    "LogisticClassifier": LINEAR,
    "ClassifierChainClassifier": ("read2009classifier", *LINEAR),
    "LabelPowersetClassifier": LINEAR,
    "EnsembleClassifier": ("kittler1998combining",),
    "SaBfgsClassifier": ("geng2016label",),
    "AaKnnClassifier": ("geng2016label", "pedregosa2011scikit"),
}
COST_SENSITIVE = "parambath2014optimizing"
GLOBAL_EMBEDDING = "yang2018sgm"
STACKED = "yang2018deep"


def references() -> dict[str, str]:
    """key -> BibTeX entry, in the file's order."""
    entries = re.split(r"\n(?=@)", REFERENCES.read_text(encoding="utf-8"))
    return {entry.partition("{")[2].partition(",")[0]: entry.strip() for entry in entries}


def cited_by_method(method: Mapping[str, Any], modality: str | None = None) -> list[str]:
    """The keys of all papers behind a method's configuration.

    Args:
        method: the configuration, neural or classical.
        modality: "text", "table", "image" or "audio": says which encoder is meant where none is named.

    Returns:
        Keys of ``references()``, each once, in the order of the method's parts.

    >>> cited_by_method({"name": "br", "encoder": "text_lstm", "loss": "zlpr"})
    ['tsai2019thesis', 'su2020softmax', 'su2022zlpr']
    """
    return list(dict.fromkeys(_behind(method, modality)))


def _behind(method: Mapping[str, Any], modality: str | None) -> Iterator[str]:
    for kind, part in learner_of(method).parts_by_kind(modality):
        yield from _behind_part(kind, part)


def _behind_part(kind: str, part: str | dict[str, Any]) -> Iterator[str]:
    name, arguments = split_config(kind, part)
    if is_foreign(kind, name):  # no paper is known of it, and it need not be imported to say so
        return
    cls = find(kind, name)
    yield from CITES.get(cls.__name__, ())
    if kind == "objective":
        taken = inspect.signature(cls).parameters
        for key, inner in cls.inner.items():
            yield from _behind_part(inner, arguments.get(key, taken[key].default))
    if arguments.get("global_embedding"):
        yield GLOBAL_EMBEDDING
    if arguments.get("stacked"):
        yield STACKED
    if arguments.get("cost_sensitive"):
        yield COST_SENSITIVE


def cited_by_name(name: str) -> list[str]:
    """The keys of the papers behind a method or a component that people can name.

    Args:
        name: a method (``"br"``, ``"linear-svm"``) or a component of any kind (``"zlpr"``).

    Raises:
        ConfigurationError: if nothing has that name.

    >>> cited_by_name("zlpr")
    ['su2020softmax', 'su2022zlpr']
    """
    if name in METHODS or name.replace("_", "-") in classical_names():
        return cited_by_method({"name": name})
    components = {
        key: kind for kind in KINDS for cls_name, cls in choices(kind).items() for key in (cls_name, *getattr(cls, "aliases", ()))
    }
    if name not in components:
        raise ConfigurationError(f"there is no method or component '{name}'; {nearest(name, {*METHODS, *classical_names(), *components})}")
    return list(CITES.get(find(components[name], name).__name__, ()))
