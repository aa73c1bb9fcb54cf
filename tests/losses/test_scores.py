"""Scores rank labels across instances: every loss against an independent measure of what speaks for a label, and its own rule by loops."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.calibration import OwnRuleDecision
from multihot.components import build, choices
from multihot.interfaces import Loss
from multihot.labels import LabelStatistics

LABELS = 5
Evidence = Callable[[list[float]], list[float]]  # the logits of one instance -> a number a label


def logit(s: list[float]) -> list[float]:
    return s


def above_zero_class(s: list[float]) -> list[float]:
    return [one - s[-1] for one in s[:-1]]


def share(s: list[float]) -> list[float]:
    return [math.exp(one) / sum(math.exp(other) for other in s) for one in s]


def in_drawn_pair(s: list[float]) -> list[float]:
    weights = {pair: math.exp(s[pair[0]] + s[pair[1]]) for pair in combinations(range(len(s)), 2)}
    return [sum(w for pair, w in weights.items() if i in pair) / sum(weights.values()) for i in range(len(s))]


def level(s: list[float]) -> list[float]:
    above = [1.0]
    for one in s[:-1]:
        above.append(min(above[-1], 1 / (1 + math.exp(-one))))
    return [high - low for high, low in zip(above, [*above[1:], 0.0], strict=True)]


CASES: dict[str, tuple[dict, Evidence]] = {
    **{name: ({}, logit) for name in choices("loss")},
    "threshold_label": ({}, above_zero_class),
    "label_distribution": ({}, share),
    "ordinal": ({}, level),
    "subset_softmax": ({"k": 2}, in_drawn_pair),
    "subset_softmax, up to 2": ({"max_labels": 2}, above_zero_class),
}


def make(case: str) -> Loss:
    statistics = LabelStatistics.from_targets(np.eye(LABELS)[[0, 0, 0, 1, 1, 2, 3, 4]])
    return build("loss", {"name": case.partition(",")[0], **CASES[case][0]}, num_labels=LABELS, statistics=statistics)


def draw(loss: Loss, seed: int, rows: int = 12) -> np.ndarray:
    random = np.random.default_rng(seed)
    spread, shift = random.choice([0.3, 3.0, 8.0], (rows, 1)), random.normal(size=(rows, 1))
    return spread * random.normal(size=(rows, LABELS + loss.extra_logits)) + shift


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_more_speaks_for_a_label_the_higher_its_score_whichever_instance_it_is_of(case: str, seed: int) -> None:
    loss = make(case)
    logits = draw(loss, seed)
    with torch.inference_mode():  # as a decoding asks
        scores = loss.scores(torch.from_numpy(logits)).numpy().ravel()
    evidence = np.array([CASES[case][1](row) for row in logits.tolist()]).ravel()
    order = np.argsort(evidence, kind="stable")
    steps, rises = np.diff(scores[order]), np.diff(evidence[order])
    assert (steps > -1e-9).all()
    assert (steps[rises > 1e-6 * np.abs(evidence[order][1:])] > 0).all()


@pytest.mark.parametrize("case", [case for case in CASES if case != "ordinal"])  # whose logits are answers, of one label alone
def test_two_labels_that_are_sure_rank_above_those_of_an_instance_about_which_nothing_is_known(case: str) -> None:
    loss = make(case)
    logits = torch.zeros(2, LABELS + loss.extra_logits)
    logits[0, :2] = 6
    logits[1, 0] = 0.1
    for dtype in (torch.float32, torch.bfloat16):
        scores = loss.scores(logits.to(dtype))
        assert scores[0, :2].min() > scores[1].max()


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_own_rule_chooses_what_the_loss_says(case: str, seed: int) -> None:
    loss = make(case)
    logits = draw(loss, seed)
    scores = loss.scores(torch.from_numpy(logits)).numpy()
    for chosen, row in zip(OwnRuleDecision(loss)(scores), logits.tolist(), strict=True):
        evidence = CASES[case][1](row)
        best_first = sorted(range(LABELS), key=lambda i: -evidence[i])
        if case in ("label_distribution", "ordinal"):
            expected = best_first[:1]
        elif case == "subset_softmax":
            expected = best_first[:2]
        else:
            expected = [i for i in best_first if evidence[i] > 0][: 2 if case.endswith("up to 2") else None]
        assert sorted(expected) == np.flatnonzero(chosen).tolist()
    assert (OwnRuleDecision(loss)(sparse.csr_matrix(scores)).toarray() == OwnRuleDecision(loss)(scores)).all()


def test_shares_far_below_every_other_stay_finite() -> None:
    logits = torch.tensor([[0.0, 1e4, -1e4, 3e4, 0.0]])
    for case in ("label_distribution", "subset_softmax"):
        scores = make(case).scores(logits)
        assert scores.isfinite().all()
        assert (scores <= 0).all()
