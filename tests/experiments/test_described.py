"""What runs say of themselves: what their scores are, how label sets come about, and whether label sets say anything."""

import itertools

import datasets
import numpy as np
import pytest
import torch

from multihot.classical.predictor import build_classifier
from multihot.components import build, choices
from multihot.labels import LabelSpace, LabelStatistics
from multihot.learners import classical_names
from multihot.learners.neural_predictor import NeuralPredictor
from multihot.method import METHODS, Method

SPACE = LabelSpace(["1", "2", "3", "4", "5"])  # on an axis, for the methods that ask for one
TARGETS = np.random.default_rng(0).random((30, 5)) < 0.4
ROWS = datasets.Dataset.from_dict({"id": [f"n{i}" for i in range(30)], "features": np.random.default_rng(1).normal(size=(30, 3)).tolist()})

TUNED = ("log_odds", "One threshold for all labels, tuned for micro-F1 on the validation split.")
SEQUENCE = (
    "log_probabilities",
    "The labels of the likeliest sequence that beam search of width 6 found are chosen; there is no threshold.",
)
READ = ("log_probabilities", "The label nearest to the expectation of the predicted distribution is chosen; there is no threshold.")
ABOVE_ZERO = "Every label whose score is above 0 is chosen; no threshold was tuned."
MODE = ("log_probabilities", "The label with the largest degree is chosen; there is no threshold.")
EXPECTED = {
    **dict.fromkeys(["br", "br++", "br+wgan-gp"], TUNED),
    **dict.fromkeys(["seq2seq", "seq2seq+ss", "order-free", "order-free+ss", "ocd", "sgm-ge"], SEQUENCE),
    **dict.fromkeys(["seq2set-simple", "seq2set", "ocd+seq2seq"], SEQUENCE),
    "ocd-mtl": (
        "margins",
        "The labels of the best sequence by decoder and scorer together that beam search of width 6 found are chosen; "
        "there is no threshold.",
    ),
    **dict.fromkeys(
        ["dldl", "dldl-bilevel", "ldl", "softmax", "label-smoothing", "ordinal", "l1-regression", "l2-regression"], READ
    ),
    "linear-svm": ("margins", ABOVE_ZERO),
    "logistic": ("log_odds", ABOVE_ZERO),
    "classifier-chain": (
        "margins",
        "Labels are decided one after another, each knowing those before it, and chosen where their score is above 0.",
    ),
    "label-powerset": (
        "margins",
        "Of the label sets that occur in training, the one with the highest margin is chosen; there is no threshold.",
    ),
    "ensemble": ("margins", "Every label whose mean score over 2 classifiers is above 0 is chosen; no threshold was tuned."),
    **dict.fromkeys(["aa-knn", "sa-bfgs"], MODE),
}  # fmt: skip


def predictor_of(**config):
    """An untrained method on the rows above."""
    method = Method.from_config(config).for_modality("table").check("table")
    processor = method.build_processor(num_features=3).fit(ROWS)
    torch.manual_seed(0)
    model, _, decoding = method.assemble(processor, SPACE, LabelStatistics.from_targets(TARGETS))
    return NeuralPredictor(model, decoding, processor, SPACE, device="cpu")


def described(name):
    if name not in METHODS:
        classifier = build_classifier({"name": name})
        return classifier.score_kind, classifier.rule
    said = predictor_of(name=name).described()
    assert set(said) == {"scores", "rule"}
    return said["scores"], said["rule"]


def test_every_method_stands_in_the_table():
    assert set(EXPECTED) == {*METHODS, *classical_names()}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_method_says_what_its_scores_are_and_how_it_decides(name):
    assert described(name) == EXPECTED[name]


RULES = {
    "conformal": [({"recall": 0.8}, "the highest that gives a mean recall of 80%")],
    "fixed": [
        ({}, "Every label whose score is at least 0 is chosen"),
        ({"threshold": 0.3, "scale": "probability"}, "Every label whose probability is at least 0.3"),
    ],
    "own_rule": [({}, "The loss's own rule")],
    "top_k": [({"k": 3}, "The 3 labels with the highest scores")],
    "global": [({"measure": "example_f1"}, "One threshold for all labels, tuned for example F1")],
    "per_label": [
        ({"minimum_positives": 7}, "Each label has its own threshold, tuned for its F1"),
        ({"minimum_positives": 7}, "fewer than 7"),
    ],
    "cardinality": [({}, "as many labels as it truly has")],
    "proportional": [({}, "Each label has its own threshold, at which it is chosen as often as it is true")],
    "expected_f1": [({}, "the label set with the highest expected F1")],
    "expected_utility": [
        ({}, "The label set of the training split with the highest expected example F1 is chosen"),
        ({"measure": "subset_accuracy"}, "highest expected subset accuracy"),
        ({}, "tuned on held-out rows"),
        ({"weight": 0.5}, "given beforehand"),
    ],
    "subset_correction": [
        ({}, "The label set of the training split that the scores speak for most"),
        ({"measure": "example_f1"}, "tuned for example F1"),
        ({"offset": 0, "weight": 0, "penalty": 1}, "by settings given beforehand"),
        ({"at_least": 1, "at_most": 3}, "Each label set has at least 1 and at most 3 of the labels"),
    ],
}


def test_every_decision_stands_in_the_table():
    assert set(RULES) == set(choices("decision"))


@pytest.mark.parametrize("name", RULES)
def test_every_decision_says_how_it_decides(name):
    for arguments, words in RULES[name]:
        said = predictor_of(decision={"name": name, **arguments}).described()["rule"]
        assert words in said
        assert said.endswith(".")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"name": "ocd", "decoding": "greedy"}, "one after another, each time the likeliest"),
        ({"name": "ocd", "decoding": {"name": "beam", "width": 3}}, "beam search of width 3"),
        ({"name": "ocd-mtl", "decoding": "rescoring"}, "the one whose label set the scorer finds likeliest"),
        ({"name": "dldl", "decoding": {"name": "distribution", "read": "median"}}, "nearest to the median"),
        ({"name": "ldl", "decoding": {"name": "distribution", "read": "mode"}}, "with the largest degree"),
    ],
)
def test_every_decoding_says_how_it_decides(config, words):
    assert words in predictor_of(**config).described()["rule"]


def test_cost_sensitive_training_is_said_and_gives_no_log_odds():
    classifier = build_classifier({"name": "logistic", "cost_sensitive": "macro_f1"})
    assert classifier.score_kind == "margins"
    assert "cross-validation for macro-F1" in classifier.rule


@pytest.mark.parametrize(
    ("loss", "before"),
    [
        ("zlpr", "margins"),
        ("binary_cross_entropy", "log_odds"),
        ("class_balanced", "log_odds"),
        ({"name": "class_balanced", "gamma": 2.0}, "margins"),
        ("label_distribution", "margins"),
    ],
)
def test_a_calibration_makes_log_odds_of_any_scores(loss, before):
    said = predictor_of(loss=loss, calibration="platt").described()
    assert (said["scores"], said["uncalibrated"]) == ("log_odds", before)
    assert predictor_of(loss=loss).described()["scores"] == before


@pytest.mark.parametrize("decoding", ["greedy", "beam", "rescoring", "joint"])
def test_scores_of_decoders_are_of_the_kind_that_they_say(decoding):
    """Probabilities lie between 0 and 1; a joint score is a product with odds, which may lie above 1."""
    predictor = predictor_of(name="ocd-mtl" if decoding in ("rescoring", "joint") else "ocd", decoding=decoding)
    with torch.no_grad():
        for parameter in predictor.model.parameters():
            parameter.mul_(5)  # so that odds are far from 1
    scores, kind = predictor.predict(ROWS).scores, predictor.described()["scores"]
    assert scores.max() > (0.1 if kind == "probabilities" else -3)
    highest = {"probabilities": scores.max(), "log_probabilities": np.exp(scores.max())}
    assert kind == "margins" or highest[kind] <= 1 + 1e-5
    assert kind != "probabilities" or scores.min() >= 0
    if decoding == "joint":
        assert np.exp(scores.max()) > 1


@pytest.mark.parametrize("name", [name for name, cls in choices("loss").items() if cls.scores_are() == "log_odds"])
def test_log_odds_are_what_the_least_expected_loss_asks_for(name):
    """Minimised over the logits under a joint distribution of label sets, the scores are the log-odds of the true marginals."""
    loss = build("loss", name, statistics=LabelStatistics.from_targets(TARGETS[:, :3]))
    sets = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), dtype=torch.float64)
    chances = torch.from_numpy(np.random.default_rng(0).dirichlet(np.ones(8)))
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def expected():
        optimiser.zero_grad()
        value = (chances * loss(logits.expand(8, 3), sets)).sum()
        value.backward()
        return value

    optimiser.step(expected)
    np.testing.assert_allclose(loss.scores(logits).detach()[0], torch.logit(chances @ sets), atol=1e-4)
