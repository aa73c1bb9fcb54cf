"""Labels that form a tree: parents by name, ancestors by a walk upward, and trees that are none."""

import numpy as np
import pytest

from multihot.errors import ConfigurationError
from multihot.hierarchy import ROOT, ancestors_of, parents_of
from multihot.labels import LabelSpace

SPACE = LabelSpace(["animal", "bird", "car", "cat", "robin", "vehicle"])
TREE = {"bird": "animal", "cat": "animal", "robin": "bird", "car": "vehicle"}


def test_ancestors_are_those_that_a_walk_upward_meets():
    parents = parents_of(SPACE, TREE)
    ancestors = ancestors_of(parents)
    assert ancestors.shape == (6, 2)
    for label, name in enumerate(SPACE.names):
        met = []
        while name in TREE:
            name = TREE[name]
            met.append(SPACE.index[name])
        assert [above for above in ancestors[label] if above != ROOT] == met


def test_labels_without_a_tree_are_roots():
    parents = parents_of(SPACE, {})
    assert parents.tolist() == [ROOT] * 6
    assert ancestors_of(parents).shape == (6, 0)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"robbin": "bird"}, "the label tree names 'robbin', which is no label; did you mean 'robin'"),
        ({"cat": "animals"}, "the label tree names 'animals', which is no label; did you mean 'animal'"),
        ({"cat": "cat"}, "the label tree has a circle above 'cat'"),
        ({"cat": "bird", "bird": "robin", "robin": "cat"}, "the label tree has a circle above 'bird'"),
    ],
)
def test_what_is_no_tree_is_refused(tree, message):
    with pytest.raises(ConfigurationError) as error:
        parents_of(SPACE, tree)
    assert message in str(error.value)


def test_a_deep_tree_is_walked_to_its_root():
    chain = LabelSpace([f"label {i:03}" for i in range(100)])
    parents = parents_of(chain, dict(zip(chain.names[1:], chain.names[:-1], strict=True)))
    assert np.array_equal(ancestors_of(parents)[99], np.arange(98, -1, -1))
