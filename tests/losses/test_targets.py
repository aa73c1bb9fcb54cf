"""Which targets are refused before they reach a loss."""

import pytest
import torch

from multihot.errors import DataError
from multihot.losses import check_targets


@pytest.mark.parametrize("value", [-0.1, 1.5, float("inf"), float("-inf")])
def test_values_outside_the_unit_interval_are_named(value: float) -> None:
    targets = torch.zeros(3, 4)
    targets[2, 1] = value
    with pytest.raises(DataError, match=r"row 2, label 1 is .*\[0, 1\]"):
        check_targets(targets)


def test_what_nobody_annotated_may_hold_anything() -> None:
    targets = torch.tensor([[0.5, 7.0, float("nan")]])
    known = torch.tensor([[True, False, True]])
    assert check_targets(targets, known) is None
