"""Labels whose names are numbers lie on an axis; a distribution's mode stands for it where one label must."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multihot.labels import LabelSpace, in_order, modes


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["34", "-15.5", "1e2"], [[34.0], [-15.5], [100.0]]),
        (["-15,30", "0, -90"], [[-15.0, 30.0], [0.0, -90.0]]),
        (["34", "old"], None),
        (["1", "2,3"], None),
        (["1,2,3"], None),
        (["nan", "inf"], None),  # float() would take them
        (["1_0"], None),
        (["1e999"], None),
        (["1.", ".5"], [[1.0], [0.5]]),
    ],
)
def test_positions(names, expected):
    positions = LabelSpace(names).positions
    assert (None if positions is None else positions.tolist()) == expected


@given(st.lists(st.integers(-500, 500), min_size=1, unique=True))
def test_numbers_are_sorted_by_value(numbers):
    assert in_order(map(str, numbers)) == [str(number) for number in sorted(numbers)]
    assert LabelSpace.from_rows([[str(number)] for number in numbers]).names == tuple(map(str, sorted(numbers)))


def test_pairs_are_sorted_by_their_first_number_then_their_second():
    assert in_order(["0,-15", "-90,0", "0,-90", "-15,0"]) == ["-90,0", "-15,0", "0,-90", "0,-15"]


def test_modes_are_first_largest_degrees():
    random = np.random.default_rng(0)
    degrees = np.round(random.dirichlet(np.ones(5), 40), 1)  # ties
    degrees[7] = 0
    found = modes(degrees).toarray()
    expected = np.zeros((40, 5), dtype=bool)
    for row in range(40):
        if degrees[row].any():
            expected[row, next(k for k in range(5) if degrees[row, k] == degrees[row].max())] = True
    assert (found == expected).all()
