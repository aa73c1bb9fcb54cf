"""Constraints against filtering all label sets by the rules as they read."""

import itertools

import numpy as np
import pytest
import torch
from beam_by_loop import beam_by_loop, only
from brute_force import all_sequences
from scipy import sparse
from toys import random_batch, sequence_model

from multihot.constraints import Constraints
from multihot.decoding import BeamDecoding, GreedyDecoding, JointDecoding
from multihot.errors import ConfigurationError
from multihot.labels import LabelSpace
from multihot.losses import BinaryCrossEntropyLoss

SPACE = LabelSpace(["a", "b", "c", "d"])
RULES = {
    "implies": {"implies": {"a": ["b", "c"]}},
    "implies in a chain and in a ring": {"implies": {"a": "b", "b": "c", "c": "b"}},
    "excludes": {"excludes": [["a", "b"], ["b", "c", "d"]]},
    "at most": {"at_most": 2},
    "at least": {"at_least": 2},
    "exactly": {"at_least": 1, "at_most": 1},
    "tree": {"parents": {"b": "a", "c": "b"}},
    "all": {"parents": {"b": "a"}, "implies": {"c": ["d"]}, "excludes": [["a", "d"]], "at_least": 1, "at_most": 2},
    "none": {},
}


def allowed(names: set[str], implies=None, excludes=(), at_least=0, at_most=4, parents=None) -> bool:
    """Whether a label set obeys the rules, each as it reads."""
    return (
        all(set(others) <= names for label, others in (implies or {}).items() if label in names)
        and all(len(names & set(group)) <= 1 for group in excludes)
        and at_least <= len(names) <= at_most
        and all(parent in names for child, parent in (parents or {}).items() if child in names)
    )


def sets_allowed(rules: dict) -> set[frozenset[int]]:
    subsets = itertools.chain.from_iterable(itertools.combinations(range(4), size) for size in range(5))
    return {frozenset(one) for one in subsets if allowed({SPACE.names[label] for label in one}, **rules)}


@pytest.mark.parametrize("name", RULES)
def test_a_walk_that_keeps_to_them_reaches_all_allowed_sets_and_no_other(name):
    rules, reached, orders = Constraints(SPACE, **RULES[name]), set(), set()

    def go_on(said: tuple[int, ...]) -> None:
        is_open = rules.open(torch.tensor([[label in said for label in range(4)]]))[0].tolist()
        assert any(is_open[symbol] for symbol in range(5) if symbol not in said), "a dead end"
        if is_open[4]:
            reached.add(frozenset(said))
            orders.add(said)
        for label in range(4):
            if is_open[label] and label not in said:
                go_on((*said, label))

    go_on(())
    wanted = sets_allowed(RULES[name])
    assert reached == wanted
    assert orders == set(itertools.chain.from_iterable(itertools.permutations(one) for one in wanted))


@pytest.mark.parametrize("name", RULES)
def test_wide_enough_a_search_finds_the_best_allowed_sequence(name):
    model, batch = sequence_model(4, seed=3, spread=2.0), random_batch(10, 4)
    encoding, log_odds = model.encode(batch), model.score(batch).detach()
    beam = BeamDecoding(SPACE, 200, RULES[name])(model, batch)
    joint = JointDecoding(SPACE, BinaryCrossEntropyLoss(), 200, RULES[name])(model, batch)
    wanted = sets_allowed(RULES[name])
    for row in range(10):
        found = {one: p.item() for one, p in all_sequences(model.decoder, only(encoding, row), 4).items() if frozenset(one) in wanted}
        assert tuple(beam.sequences[row]) == max(found, key=found.get)
        assert tuple(joint.sequences[row]) == max(found, key=lambda one: found[one] + log_odds[row, list(one)].sum().item())


@pytest.mark.parametrize("name", RULES)
def test_narrow_searches_keep_to_them(name):
    model, batch = sequence_model(4, seed=4, spread=2.0), random_batch(20, 4)
    rules = Constraints(SPACE, **RULES[name])

    def may(prefix, symbol):
        return rules.open(torch.tensor([[label in prefix for label in range(4)]]))[0, symbol].item()

    for width, decoding in ((1, GreedyDecoding(SPACE, RULES[name])), (2, BeamDecoding(SPACE, 2, RULES[name]))):
        prediction = decoding(model, batch)
        assert {frozenset(sequence) for sequence in prediction.sequences} <= sets_allowed(RULES[name])
        for row in range(20):
            wanted = beam_by_loop(model.decoder, only(model.encode(batch), row), 4, width, may=may)
            assert tuple(prediction.sequences[row]) == wanted[0][1]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"implies": {"e": ["a"]}}, "constraints name 'e', which is no label"),
        ({"excludes": [["a", "bb"]]}, "constraints name 'bb', which is no label"),
        ({"at_least": 5}, "at_least 5 is more than the 4 labels that there are"),
        ({"at_least": 2, "at_most": 1}, "at_least 2 is more than at_most 1"),
        ({"at_least": 1.5}, "at_least must be a whole number from 0 on, got 1.5"),
        ({"at_least": 2, "excludes": [["a", "b"]]}, "at_least 2 might leave no label set that obeys; use at_least 1"),
        ({"at_most": 0}, "at_most must be a whole number from 1 on, got 0"),
        ({"implies": {"a": ["b"]}, "excludes": [["a", "b"]]}, "label 'a' needs labels that exclude each other; drop one of the rules"),
        ({"implies": {"a": ["b", "c"]}, "excludes": [["b", "c"]]}, "label 'a' needs labels that exclude each other"),
        ({"parents": {"a": "b", "b": "c"}, "at_most": 2}, "label 'a' comes with 2 others, more than at_most 2 allows"),
    ],
)
def test_rules_that_cannot_hold_are_refused(rules, message):
    with pytest.raises(ConfigurationError) as error:
        Constraints(SPACE, **rules)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_rule_that_does_not_exist_is_named():
    with pytest.raises(ConfigurationError, match="constraints has no setting 'exclude'; did you mean 'excludes'"):
        GreedyDecoding(SPACE, {"exclude": [["a", "b"]]})
    assert Constraints.from_config(SPACE, {}) is None


def random_rules(draw: np.random.Generator, labels: int) -> dict:
    """Rules between some labels of a, b, c, ... that can be obeyed; an acyclic tree and one group of exclusions."""
    names = SPACE_OF_SIX.names
    parents = {names[child]: names[int(draw.integers(child))] for child in range(1, labels) if draw.random() < 0.3}
    implies = {names[int(draw.integers(labels))]: [names[int(draw.integers(labels))]] for _ in range(draw.integers(2))}
    excludes = [[names[i] for i in draw.choice(labels, 2, replace=False)] for _ in range(draw.integers(3))]
    least = int(draw.integers(2))
    return {"parents": parents, "implies": implies, "excludes": excludes, "at_least": least, "at_most": int(draw.integers(3, labels + 1))}


SPACE_OF_SIX = LabelSpace(list("abcdef"))


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_scored_label_sets_become_the_best_that_obey(seed, is_sparse):
    draw = np.random.default_rng(seed)
    try:
        rules = random_rules(draw, 6) if seed % 4 else {"at_least": int(draw.integers(3)), "at_most": int(draw.integers(3, 6))}
        constraints = Constraints(SPACE_OF_SIX, **rules)
    except ConfigurationError:
        pytest.skip("rules that forbid a label")
    margins = draw.normal(size=(30, 6)) - 0.5
    given = sparse.csr_matrix(margins) if is_sparse else margins
    found = constraints.best(given, given > 0)
    found = found.toarray() if is_sparse else found
    assert not constraints.broken(found).any()
    subsets = [frozenset(one) for size in range(7) for one in itertools.combinations(range(6), size)]
    obeying = [one for one in subsets if allowed({SPACE_OF_SIX.names[label] for label in one}, **rules)]
    for row, chosen in zip(margins, found, strict=True):
        assert row[chosen].sum() == pytest.approx(max(row[list(one)].sum() for one in obeying))


def test_a_label_without_a_score_is_taken_only_where_one_needs_it():
    rules = Constraints(SPACE, parents={"b": "a"}, at_least=1)
    margins = sparse.csr_matrix(([3.0, -1.0, -2.0], ([0, 1, 2], [1, 2, 3])), shape=(4, 4))
    assert rules.best(margins, margins > 0).toarray().tolist() == [
        [True, True, False, False],
        [False, False, True, False],
        [False, False, False, True],
        [False] * 4,
    ]
    dense = np.full((1, 4), -np.inf)
    dense[0, 1] = 3.0
    assert rules.best(dense, dense > 0).tolist() == [[True, True, False, False]]
