"""Decisions that learn nothing, and what all decisions promise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from multihot.calibration import FixedDecision, GlobalDecision, OwnRuleDecision, PerLabelDecision, TopKDecision
from multihot.components import build, choices
from multihot.errors import ConfigurationError, DataError
from multihot.interfaces import Decision

SCORES = np.array([[-1.5, 0.0, 0.4, 3.0], [2.0, 2.0, 2.0, -4.0]])


def stored(scores: np.ndarray) -> sparse.csr_matrix:
    rows, columns = np.indices(scores.shape)
    return sparse.csr_matrix((scores.ravel(), (rows.ravel(), columns.ravel())), shape=scores.shape)


@pytest.mark.parametrize("decision", [FixedDecision(0.4), OwnRuleDecision(), TopKDecision(2), GlobalDecision(), PerLabelDecision(1)])
def test_dense_sparse_and_torch_choose_alike(decision: Decision) -> None:
    decision.fit(SCORES, SCORES > 1)
    dense = decision(SCORES)
    assert dense.dtype == bool
    assert (decision(torch.tensor(SCORES)) == dense).all()
    assert (decision(torch.tensor(SCORES, dtype=torch.bfloat16)).shape) == dense.shape
    as_sparse = decision(stored(SCORES))
    assert as_sparse.dtype == bool
    assert as_sparse.has_canonical_format
    assert (as_sparse.toarray() == dense).all()


def test_names_in_a_configuration() -> None:
    tuned = {"cardinality", "conformal", "expected_utility", "global", "per_label", "proportional", "subset_correction"}
    assert set(choices("decision")) == tuned | {"expected_f1", "fixed", "own_rule", "top_k"}
    assert build("decision", {"name": "top_k", "k": 3}).k == 3
    assert not [name for name, cls in choices("decision").items() if cls.needs_fit != (name in tuned)]


def test_fixed_threshold_is_reached_and_own_rule_exceeded() -> None:
    assert FixedDecision()([[0.0, -1e-9]]).tolist() == [[True, False]]
    assert OwnRuleDecision()([[0.0, 1e-9]]).tolist() == [[False, True]]


def test_probability_threshold_is_read_on_the_scale_of_logits() -> None:
    logits = np.linspace(-4, 4, 33)[None]
    expected = 1 / (1 + np.exp(-logits)) >= 0.3
    assert (FixedDecision(0.3, scale="probability")(logits) == expected).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_top_k_takes_the_best_and_of_equals_the_first(seed: int, k: int) -> None:
    scores = np.random.default_rng(seed).integers(0, 4, (5, 6)).astype(np.float32)
    expected = np.zeros(scores.shape, dtype=bool)
    for row, values in enumerate(scores):
        expected[row, sorted(range(6), key=lambda i: (-values[i], i))[:k]] = True
    assert (TopKDecision(k)(scores) == expected).all()
    assert (TopKDecision(k)(stored(scores)).toarray() == expected).all()


def test_minus_infinity_is_never_chosen() -> None:
    scores = np.array([[-np.inf, -np.inf, 1.0]])
    for decision in (FixedDecision(-1e300), TopKDecision(2), TopKDecision(5), OwnRuleDecision()):
        assert decision(scores).tolist() == [[False, False, True]]


def test_bad_settings_and_scores_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="between 0 and 1, got 0"):
        FixedDecision(0.0, scale="probability")
    with pytest.raises(ConfigurationError, match="'score' or 'probability'"):
        FixedDecision(scale="logit")
    with pytest.raises(ConfigurationError, match="finite"):
        FixedDecision(float("nan"))
    with pytest.raises(ConfigurationError, match="whole number"):
        TopKDecision(0)
    with pytest.raises(DataError, match="row 0, label 1: nan"):
        OwnRuleDecision()([[1.0, np.nan]])
    with pytest.raises(DataError, match=r"\(N, L\)"):
        OwnRuleDecision()([1.0, 2.0])
